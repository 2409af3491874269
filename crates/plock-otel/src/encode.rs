//! A snapshot as OTLP metrics: encodes what [`families`] says, and adds nothing to it.

use crate::Histograms;
use crate::points::{Form, metric};
use plock_core::Snapshot;
use plock_semconv::protobuf::Message;
use plock_semconv::{Instrument, Point, families, metrics};
use std::collections::BTreeSet;

/// Name of the instrumentation scope of plock's metrics and child spans.
pub(crate) const SCOPE: &str = "plock";

/// Fields of `ExportMetricsServiceRequest` and `ResourceMetrics`.
pub(crate) const RESOURCE_METRICS: u32 = 1;
pub(crate) const SCOPE_METRICS: u32 = 2;

/// Identity of a point of an instrument whose points vanish.
pub(crate) type Series = (&'static str, Vec<(&'static str, String)>);

/// The vanishing points a receiver may still show. When one is gone, one last point without a value
/// has to say so, or its last value lingers.
#[derive(Debug, Default)]
pub(crate) struct Shown(BTreeSet<Series>);

/// What a request shows, to be kept if it arrived.
#[derive(Debug)]
pub(crate) struct Showing(BTreeSet<Series>);

impl Shown {
    /// Notes the outcome of a request. Nothing is forgotten before a receiver has heard of it.
    pub(crate) fn settle(&mut self, showing: Showing, delivered: bool) {
        if delivered {
            self.0 = showing.0;
        } else {
            self.0.extend(showing.0);
        }
    }
}

/// plock's metrics of a snapshot as the body of one OTLP request (protobuf), without a resource: for an
/// application that has a way of its own to a receiver. [`MetricExporter`](crate::MetricExporter) is
/// the usual way.
///
/// ```
/// use plock_otel::Histograms;
///
/// let body = plock_otel::encode(&plock_core::snapshot(false), Histograms::Exponential);
/// assert!(!body.is_empty());
/// ```
#[must_use]
pub fn encode(snapshot: &Snapshot, histograms: Histograms) -> Vec<u8> {
    let (own, _) = scope_metrics(snapshot, histograms, &Shown::default());
    let mut body = Vec::with_capacity(own.len() + 16);
    Message::new(&mut body).message(RESOURCE_METRICS, |out| out.bytes(SCOPE_METRICS, &own));
    body
}

/// All metrics of a snapshot under the scope `plock`, as an encoded `ScopeMetrics`.
pub(crate) fn scope_metrics(
    snapshot: &Snapshot,
    histograms: Histograms,
    shown: &Shown,
) -> (Vec<u8>, Showing) {
    let form =
        Form { histograms, start_unix_ns: snapshot.start_unix_ns, unix_ns: snapshot.unix_ns };
    let families = families(snapshot);
    let transient = families.iter().filter(|family| family.instrument.transient);
    let showing: BTreeSet<Series> = transient
        .flat_map(|family| family.points.iter().map(|point| series(family.instrument, point)))
        .collect();
    let gone: Vec<&Series> = shown.0.difference(&showing).collect();

    let mut bytes = Vec::with_capacity(64 * 1024);
    let mut out = Message::new(&mut bytes);
    out.message(1, |scope| {
        scope.string(1, SCOPE);
        scope.string(2, env!("CARGO_PKG_VERSION"));
    });
    for instrument in metrics::ALL {
        let family = families.iter().find(|family| family.instrument == *instrument);
        let points = family.map_or(&[][..], |family| &family.points);
        let gone: Vec<_> =
            gone.iter().copied().filter(|(name, _)| *name == instrument.name).collect();
        if points.is_empty() && gone.is_empty() {
            continue;
        }
        out.message(2, |out| metric(out, instrument, points, &gone, form));
    }
    (bytes, Showing(showing))
}

fn series(instrument: &'static Instrument, point: &Point<'_>) -> Series {
    (instrument.name, point.attributes().map(|(key, value)| (key, value.to_owned())).collect())
}

#[cfg(test)]
#[path = "encode_tests.rs"]
mod tests;
