//! The scripted snapshot in each format, byte for byte. `UPDATE_EXPECT=1 cargo test` rewrites the
//! files; read the difference before committing it.

use super::model::{Bucket, Counter, Exemplar, Histogram, LabelPair, MetricFamily, Timestamp};
use super::parse;
use super::script::scripted;
use crate::{Format, render};
use expect_test::expect_file;
use prost::Message as _;
use std::fmt::Write as _;

fn rendered(format: Format) -> Vec<u8> {
    let content = render(&scripted(), Some(format.content_type()));
    assert_eq!(content.content_type, format.content_type());
    content.body
}

/// Without the version, so that a release changes no file here.
fn timeless(text: String) -> String {
    text.replace(concat!("version=\"", env!("CARGO_PKG_VERSION"), "\""), "version=\"(this)\"")
}

#[test]
fn text() {
    let body = timeless(String::from_utf8(rendered(Format::Text)).unwrap());
    expect_file!["../../tests/golden/scripted.prom"].assert_eq(&body);
}

#[test]
fn openmetrics() {
    let body = timeless(String::from_utf8(rendered(Format::OpenMetrics)).unwrap());
    expect_file!["../../tests/golden/scripted.om"].assert_eq(&body);
}

#[test]
fn protobuf() {
    let body = rendered(Format::Protobuf);
    let families = parse::families(&body);
    let readable = timeless(families.iter().map(outline).collect());
    expect_file!["../../tests/golden/scripted.pb.txt"].assert_eq(&readable);
    let again: Vec<u8> = families.iter().flat_map(|f| f.encode_length_delimited_to_vec()).collect();
    assert_eq!(again, body, "nothing was on the wire that the model does not know");
}

/// One line per metric, without what is unset; classic buckets as their cumulative counts.
fn outline(family: &MetricFamily) -> String {
    let mut out = format!("{} {:?} {}\n", family.name(), family.r#type(), family.unit());
    for metric in &family.metric {
        let label = |l: &LabelPair| format!("{}={:?}", l.name(), l.value());
        let labels: Vec<_> = metric.label.iter().map(label).collect();
        let value = match (&metric.counter, &metric.gauge, &metric.histogram) {
            (Some(Counter { value, created_timestamp }), None, None) => {
                format!("{} since {}", value.unwrap(), time(*created_timestamp))
            }
            (None, Some(gauge), None) => gauge.value().to_string(),
            (None, None, Some(histogram)) => distribution(histogram),
            _ => panic!("one value per metric"),
        };
        writeln!(out, "  {} {value}", labels.join(",")).unwrap();
    }
    out
}

fn distribution(of: &Histogram) -> String {
    let mut out = format!("n={} sum={}", of.sample_count(), of.sample_sum());
    write!(out, " since {}", time(of.created_timestamp)).unwrap();
    let counts: Vec<_> = of.bucket.iter().map(Bucket::cumulative_count).collect();
    write!(out, "\n    classic {counts:?}").unwrap();
    for (at, bucket) in of.bucket.iter().enumerate() {
        if let Some(exemplar) = &bucket.exemplar {
            write!(out, " at {at}: {}", exemplary(exemplar)).unwrap();
        }
    }
    if let Some(schema) = of.schema {
        let spans: Vec<_> = of.positive_span.iter().map(|s| (s.offset(), s.length())).collect();
        let (threshold, zeros) = (of.zero_threshold(), of.zero_count());
        write!(out, "\n    native schema={schema} zero={zeros}<={threshold:e}").unwrap();
        write!(out, " spans={spans:?} deltas={:?}", of.positive_delta).unwrap();
        of.exemplars.iter().for_each(|e| write!(out, " {}", exemplary(e)).unwrap());
    }
    out
}

fn exemplary(of: &Exemplar) -> String {
    let ids: Vec<_> = of.label.iter().map(|l| format!("{}={}", l.name(), l.value())).collect();
    format!("{}={} at {}", ids.join(","), of.value(), time(of.timestamp))
}

fn time(of: Option<Timestamp>) -> String {
    of.map_or("ever".to_owned(), |t| format!("{}.{:09}", t.seconds, t.nanos))
}
