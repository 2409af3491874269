//! Writes what a scope measured onto the OpenTelemetry span it ran in: its totals as attributes,
//! its longest waits and holds as child spans with exact times. Nothing at all happens for a scope
//! that runs outside a span or in one that is not sampled.

use crate::totals::{Span, Spans};
use opentelemetry::trace::{
    Link, SpanBuilder, SpanContext, SpanId, SpanKind, TraceContextExt, TraceFlags, TraceId,
    TraceState, Tracer,
};
use opentelemetry::{Context, KeyValue, global};
use opentelemetry_sdk::trace::SdkTracer;
use plock_core::{
    ClaimDelay, Detail, Dropped, ScopeObserver, ScopeReport, SpanRef, WaitDetail, count_dropped,
};
use plock_semconv::spans;
use std::any::Any;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The [`ScopeObserver`] for OpenTelemetry. [`init`](crate::init) installs it; without that:
///
/// ```
/// let installed = plock_core::set_observer(Box::new(plock_otel::SpanObserver::global()));
/// assert!(installed.is_ok());
/// ```
///
/// It takes the span from the current OpenTelemetry `Context`, so it serves spans of the `tracing`
/// crate (tracing-opentelemetry makes their context current while they are entered) as well as plain
/// OpenTelemetry spans (`Context::attach`, `FutureExt::with_context`).
///
/// Several scopes may run in one span, nested or side by side: their totals are added up and
/// written once, when the last of them ends. The longest wait decides on the worst lock and the
/// cause. A scope that starts in a span after that finds the attributes written; they cannot be
/// changed, so its totals are left to the metrics and counted as dropped.
#[derive(Debug)]
pub struct SpanObserver {
    /// `None` takes the global provider at the moment of use.
    tracer: Option<SdkTracer>,
    spans: Spans,
}

/// What travels with a scope.
struct Handle {
    /// Keeps the span within reach, without keeping a `tracing` span open.
    context: Context,
    span: Span,
}

impl SpanObserver {
    /// Child spans come from the global tracer provider.
    #[must_use]
    pub fn global() -> Self {
        Self { tracer: None, spans: Spans::default() }
    }

    /// Child spans come from this tracer.
    #[must_use]
    pub fn with_tracer(tracer: SdkTracer) -> Self {
        Self { tracer: Some(tracer), spans: Spans::default() }
    }

    fn child_spans(&self, context: &Context, report: &ScopeReport) {
        for detail in &report.details {
            let builder = child_span(detail);
            let end = unix_time(detail.start_unix_ns.saturating_add(detail.ns));
            match &self.tracer {
                Some(tracer) => finish(tracer, builder, context, end),
                None => finish(&global::tracer(crate::encode::SCOPE), builder, context, end),
            }
        }
    }
}

impl ScopeObserver for SpanObserver {
    fn started(&self, _name: &'static str) -> Option<(SpanRef, Box<dyn Any + Send + Sync>)> {
        let (span, context) = Context::map_current(|context| {
            let span = active(context).filter(|span| span.sampled)?;
            // Sampled by a remote parent is not enough: there has to be a span to write on.
            context.span().is_recording().then(|| (span, context.clone()))
        })?;
        let handle = Handle { context, span: self.spans.enter(span) };
        Some((span, Box::new(handle)))
    }

    fn ended(&self, handle: Box<dyn Any + Send + Sync>, report: &ScopeReport) {
        let Ok(handle) = handle.downcast::<Handle>() else { return };
        let Handle { context, span } = *handle;
        let totals = self.spans.leave(span, report);
        let on = context.span();
        if !on.is_recording() {
            count_dropped(Dropped::Late, 1);
            return;
        }
        self.child_spans(&context, report);
        if let Some(totals) = totals {
            on.set_attributes(totals.attributes());
        }
    }

    fn current(&self) -> Option<SpanRef> {
        Context::map_current(active)
    }
}

/// The span of a context, unless the context belongs to telemetry itself.
fn active(context: &Context) -> Option<SpanRef> {
    if !context.has_active_span() || context.is_telemetry_suppressed() {
        return None;
    }
    let span = context.span();
    let identity = span.span_context();
    identity.is_valid().then(|| {
        let (trace, id) = (identity.trace_id().to_bytes(), identity.span_id().to_bytes());
        SpanRef::new(u128::from_be_bytes(trace), u64::from_be_bytes(id), identity.is_sampled())
    })
}

/// Starts the span in the past and ends it.
fn finish<T: Tracer>(tracer: &T, builder: SpanBuilder, parent: &Context, end: SystemTime) {
    use opentelemetry::trace::Span as _;
    builder.start_with_context(tracer, parent).end_with_timestamp(end);
}

fn child_span(detail: &Detail) -> SpanBuilder {
    let (name, phase) = match detail.wait {
        Some(_) => (spans::WAIT_SPAN, spans::PHASE_WAIT),
        None => (spans::HOLD_SPAN, spans::PHASE_HOLD),
    };
    let mut attributes = vec![
        KeyValue::new(spans::NAME, detail.lock),
        KeyValue::new(spans::KIND, detail.kind.as_str()),
        KeyValue::new(spans::MODE, detail.mode.as_str()),
        KeyValue::new(spans::PHASE, phase),
        KeyValue::new(spans::NESTING_DEPTH, integer(detail.depth)),
        KeyValue::new(spans::PRECISION, detail.precision.as_str()),
        KeyValue::new(spans::CODE_FUNCTION_NAME, detail.site_label),
        KeyValue::new(spans::CODE_FILE_PATH, detail.site.file()),
        KeyValue::new(spans::CODE_LINE_NUMBER, i64::from(detail.site.line())),
    ];
    let mut links = Vec::new();
    if let Some(wait) = &detail.wait {
        attributes.extend([
            KeyValue::new(spans::BLOCKING_CAUSE, wait.block.as_str()),
            KeyValue::new(spans::END_CAUSE, wait.end.as_str()),
            KeyValue::new(spans::QUEUE_TIME, seconds(wait.queue_ns)),
            KeyValue::new(spans::CLAIM_DELAY, seconds(wait.claim_ns)),
        ]);
        attributes.extend(wait.holder.map(|holder| KeyValue::new(spans::BLOCKER_SITE, holder)));
        attributes.extend(claim_cause(wait).map(|cause| KeyValue::new(spans::CLAIM_CAUSE, cause)));
        links.extend(holder_link(wait));
    }
    attributes.extend(detail.hold_end.map(|end| KeyValue::new(spans::END_CAUSE, end.as_str())));
    SpanBuilder::from_name(name)
        .with_kind(SpanKind::Internal)
        .with_start_time(unix_time(detail.start_unix_ns))
        .with_attributes(attributes)
        .with_links(links)
}

/// Where most of the claim delay went, if there was one.
fn claim_cause(wait: &WaitDetail) -> Option<&'static str> {
    let parts = ClaimDelay::ALL.iter().zip(wait.claim_parts_ns);
    let most = parts.filter(|(_, ns)| *ns > 0).max_by_key(|(_, ns)| *ns);
    most.map(|(cause, _)| cause.as_str())
}

/// A link to the span that released the lock. A holder without a span that will be exported is
/// counted: the link would lead nowhere.
fn holder_link(wait: &WaitDetail) -> Option<Link> {
    let Some(holder) = wait.holder_span.filter(SpanRef::is_linkable) else {
        let missing = wait.holder.is_some() || wait.holder_span.is_some();
        count_dropped(Dropped::Links, u64::from(missing));
        return None;
    };
    let span = SpanContext::new(
        TraceId::from(holder.trace_id),
        SpanId::from(holder.span_id),
        TraceFlags::SAMPLED,
        false,
        TraceState::NONE,
    );
    Some(Link::new(span, vec![KeyValue::new(spans::LINK_ROLE, spans::LINK_ROLE_HOLDER)], 0))
}

fn unix_time(ns: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_nanos(ns)
}

/// OTLP durations are double seconds.
pub(crate) fn seconds(ns: u64) -> f64 {
    Duration::from_nanos(ns).as_secs_f64()
}

pub(crate) fn integer(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
