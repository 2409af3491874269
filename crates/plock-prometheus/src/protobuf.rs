//! The protobuf format: families as length-delimited messages, every histogram of durations with
//! its classic and its native buckets.

use plock_core::{CLASSIC_BOUNDS_NS, Exemplar, Exponential, Histogram, SCALE, ZERO_THRESHOLD_NS};
use plock_semconv::protobuf::Message;
use plock_semconv::{DepthHistogram, Family, InstrumentKind, Point, Value, label_name, metrics};

// Every function writes one message of `io.prometheus.client`, in the order of its fields.

pub(crate) fn encode(families: &[Family<'_>], start_unix_ns: u64) -> Vec<u8> {
    let created = (start_unix_ns > 0).then_some(start_unix_ns);
    let mut out = Vec::with_capacity(64 * 1024);
    for one in families {
        Message::new(&mut out).delimited(|message| family(message, one, created));
    }
    out
}

fn family(out: &mut Message<'_>, family: &Family<'_>, created: Option<u64>) {
    let instrument = family.instrument;
    out.string(1, &instrument.prometheus_name());
    out.string(2, instrument.help);
    out.varint(
        3,
        match instrument.kind {
            InstrumentKind::Counter => 0,
            InstrumentKind::Histogram => 4,
            _ => 1, // gauge
        },
    );
    let keys: Vec<String> = instrument.attributes.iter().map(|key| label_name(key)).collect();
    for point in &family.points {
        out.message(4, |out| metric(out, &keys, point, created));
    }
    if let Some(unit) = instrument.prometheus_unit() {
        out.string(5, unit);
    }
}

fn metric(out: &mut Message<'_>, keys: &[String], point: &Point<'_>, created: Option<u64>) {
    for (key, (_, value)) in keys.iter().zip(point.attributes()) {
        label(out, key, value);
    }
    match &point.value {
        Value::Gauge(v) => out.message(2, |out| out.double(1, *v)),
        Value::Count(n) => out.message(3, |out| counter(out, crate::number(*n), created)),
        Value::Seconds(v) => out.message(3, |out| counter(out, *v, created)),
        Value::Histogram { histogram, exemplar } => {
            out.message(7, |out| durations(out, histogram, *exemplar, created));
        }
        Value::Depth(depth) => out.message(7, |out| depths(out, depth, created)),
        _ => {}
    }
}

fn counter(out: &mut Message<'_>, value: f64, created: Option<u64>) {
    out.double(1, value);
    timestamp(out, 3, created);
}

/// Classic and native in one: the scraper takes what it wants.
fn durations(
    out: &mut Message<'_>,
    of: &Histogram,
    exemplar: Option<&Exemplar>,
    created: Option<u64>,
) {
    let exemplar = exemplar.filter(|e| e.span.is_linkable());
    let mut pending = exemplar;
    out.varint(1, of.count());
    out.double(2, crate::seconds(of.sum_ns()));
    for (ns, count) in CLASSIC_BOUNDS_NS.iter().zip(of.classic()) {
        bucket(out, crate::seconds(*ns), count, pending.take_if(|e| e.ns <= *ns));
    }
    bucket(out, f64::INFINITY, of.count(), pending);

    let native = of.exponential();
    let (spans, deltas) = spans(&native);
    out.zigzag(5, SCALE.into());
    out.double(6, crate::seconds(ZERO_THRESHOLD_NS));
    out.varint(7, native.zero_count);
    for (offset, length) in spans {
        out.message(12, |out| {
            out.zigzag(1, offset.into());
            out.varint(2, length.into());
        });
    }
    for delta in deltas {
        out.zigzag(13, delta);
    }
    timestamp(out, 15, created);
    if let Some(exemplar) = exemplar {
        out.message(16, |out| self::exemplar(out, exemplar));
    }
}

/// Classic only: small whole numbers have no use for exponential buckets.
fn depths(out: &mut Message<'_>, of: &DepthHistogram, created: Option<u64>) {
    out.varint(1, of.count);
    out.double(2, crate::number(of.sum));
    for (bound, count) in metrics::DEPTH_BOUNDS.iter().zip(of.cumulative) {
        bucket(out, crate::number(*bound), count, None);
    }
    bucket(out, f64::INFINITY, of.count, None);
    timestamp(out, 15, created);
}

fn bucket(out: &mut Message<'_>, bound: f64, cumulative: u64, exemplar: Option<&Exemplar>) {
    out.message(3, |out| {
        out.varint(1, cumulative);
        out.double(2, bound);
        if let Some(exemplar) = exemplar {
            out.message(3, |out| self::exemplar(out, exemplar));
        }
    });
}

/// Empty buckets that cost less as zeros than as the gap before a new span.
const MAX_ZEROS: i32 = 2;

/// Occupied buckets as spans of (offset, length), and every count as difference to the one before.
///
/// Prometheus numbers a bucket by its upper limit, OpenTelemetry by its lower one: hence the 1.
fn spans(native: &Exponential) -> (Vec<(i32, u32)>, Vec<i64>) {
    let (mut spans, mut deltas) = (Vec::<(i32, u32)>::new(), Vec::new());
    let (mut next, mut last) = (0, 0);
    let occupied = (native.offset + 1..).zip(&native.counts).filter(|(_, count)| **count > 0);
    for (index, count) in occupied {
        let gap = index - next;
        let zeros = match spans.last_mut() {
            Some((_, length)) if gap <= MAX_ZEROS => {
                *length += gap.unsigned_abs() + 1;
                gap
            }
            _ => {
                spans.push((gap, 1));
                0
            }
        };
        for count in (0..zeros).map(|_| 0).chain([count.cast_signed()]) {
            deltas.push(count - last);
            last = count;
        }
        next = index + 1;
    }
    (spans, deltas)
}

fn exemplar(out: &mut Message<'_>, of: &Exemplar) {
    label(out, "trace_id", &format!("{:032x}", of.span.trace_id));
    label(out, "span_id", &format!("{:016x}", of.span.span_id));
    out.double(2, crate::seconds(of.ns));
    timestamp(out, 3, Some(of.unix_ns));
}

fn label(out: &mut Message<'_>, name: &str, value: &str) {
    out.message(1, |out| {
        out.string(1, name);
        out.string(2, value);
    });
}

fn timestamp(out: &mut Message<'_>, field: u32, unix_ns: Option<u64>) {
    let Some(unix_ns) = unix_ns else { return };
    out.message(field, |out| {
        out.varint(1, unix_ns / 1_000_000_000);
        out.varint(2, unix_ns % 1_000_000_000);
    });
}

#[cfg(test)]
#[path = "protobuf_tests.rs"]
mod tests;
