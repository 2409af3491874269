//! Keeps the span tree of the slowest request in memory, so that one can look at it without a trace
//! store. A span processor like any other: it sees each span as it ends.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use opentelemetry::{Context, KeyValue, SpanId, TraceId, Value, trace::SpanKind};
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{Span, SpanData, SpanProcessor},
};
use serde_json::json;

/// Traces whose root has not ended yet; the oldest is forgotten first.
const OPEN_TRACES: usize = 1024;
/// Spans kept of one trace.
const SPANS: usize = 256;

/// The slowest request so far. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Slowest(Arc<Mutex<Traces>>);

#[derive(Debug, Default)]
struct Traces {
    open: HashMap<TraceId, Vec<SpanData>>,
    /// Keys of `open`, oldest first.
    order: VecDeque<TraceId>,
    /// Root first.
    slowest: Vec<SpanData>,
}

/// One span with everything below it.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Node {
    name: String,
    trace_id: String,
    span_id: String,
    /// After the start of the root.
    start_seconds: f64,
    duration_seconds: f64,
    attributes: BTreeMap<String, serde_json::Value>,
    links: Vec<Link>,
    children: Vec<Self>,
}

#[derive(Debug, serde::Serialize)]
struct Link {
    trace_id: String,
    span_id: String,
    attributes: BTreeMap<String, serde_json::Value>,
}

impl Slowest {
    /// The tree of the slowest request that has ended.
    pub(crate) fn tree(&self) -> Option<Node> {
        let traces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (root, rest) = traces.slowest.split_first()?;
        let mut children: HashMap<SpanId, Vec<&SpanData>> = HashMap::new();
        let known = |id| traces.slowest.iter().any(|span| span.span_context.span_id() == id);
        for span in rest {
            // A span whose parent was not kept still belongs to the request.
            let parent = Some(span.parent_span_id).filter(|&id| known(id));
            let parent = parent.unwrap_or(root.span_context.span_id());
            children.entry(parent).or_default().push(span);
        }
        Some(Node::new(root, root.start_time, &mut children))
    }
}

impl SpanProcessor for Slowest {
    fn on_start(&self, _span: &mut Span, _context: &Context) {}

    fn on_end(&self, span: SpanData) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).ended(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}

impl Traces {
    fn ended(&mut self, span: SpanData) {
        let trace = span.span_context.trace_id();
        let of_slowest =
            self.slowest.first().is_some_and(|root| root.span_context.trace_id() == trace);
        let root = span.parent_span_id == SpanId::INVALID || span.parent_span_is_remote;
        if of_slowest {
            // What outlives its request, such as the work it started.
            if self.slowest.len() < SPANS {
                self.slowest.push(span);
            }
        } else if root {
            self.root_ended(span);
        } else {
            self.child_ended(trace, span);
        }
    }

    fn root_ended(&mut self, root: SpanData) {
        let children = self.open.remove(&root.span_context.trace_id()).unwrap_or_default();
        let slowest = self.slowest.first().map_or(Duration::ZERO, duration);
        if root.span_kind == SpanKind::Server && duration(&root) > slowest {
            self.slowest = std::iter::once(root).chain(children).collect();
        }
    }

    fn child_ended(&mut self, trace: TraceId, span: SpanData) {
        if !self.open.contains_key(&trace) {
            self.order.push_back(trace);
            if self.order.len() > OPEN_TRACES
                && let Some(oldest) = self.order.pop_front()
            {
                self.open.remove(&oldest);
            }
        }
        let spans = self.open.entry(trace).or_default();
        if spans.len() + 1 < SPANS {
            spans.push(span);
        }
    }
}

impl Node {
    fn new(
        span: &SpanData,
        start: SystemTime,
        children: &mut HashMap<SpanId, Vec<&SpanData>>,
    ) -> Self {
        let context = &span.span_context;
        let mut below = children.remove(&context.span_id()).unwrap_or_default();
        below.sort_by_key(|span| span.start_time);
        Self {
            name: span.name.to_string(),
            trace_id: context.trace_id().to_string(),
            span_id: context.span_id().to_string(),
            start_seconds: span.start_time.duration_since(start).unwrap_or_default().as_secs_f64(),
            duration_seconds: duration(span).as_secs_f64(),
            attributes: attributes(&span.attributes),
            links: span.links.iter().map(Link::new).collect(),
            children: below.into_iter().map(|span| Self::new(span, start, children)).collect(),
        }
    }
}

impl Link {
    fn new(link: &opentelemetry::trace::Link) -> Self {
        Self {
            trace_id: link.span_context.trace_id().to_string(),
            span_id: link.span_context.span_id().to_string(),
            attributes: attributes(&link.attributes),
        }
    }
}

fn duration(span: &SpanData) -> Duration {
    span.end_time.duration_since(span.start_time).unwrap_or_default()
}

fn attributes(pairs: &[KeyValue]) -> BTreeMap<String, serde_json::Value> {
    pairs.iter().map(|pair| (pair.key.to_string(), value(&pair.value))).collect()
}

fn value(value: &Value) -> serde_json::Value {
    match value {
        Value::Bool(value) => json!(value),
        Value::I64(value) => json!(value),
        Value::F64(value) => json!(value),
        other => json!(other.as_str()),
    }
}

#[cfg(test)]
#[path = "slowest_tests.rs"]
mod tests;
