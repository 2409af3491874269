//! Which format answers which `Accept` header.

use plock_prometheus::Format::{self, OpenMetrics, Protobuf, Text};
use proptest::prelude::*;

/// What Prometheus 3 sends with `scrape_native_histograms`, and without.
const PROMETHEUS_NATIVE: &str = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
const PROMETHEUS: &str = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
const PROTO: &str =
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";

#[test]
fn the_best_offer_wins() {
    let proto = |rest: &str| format!("{PROTO}{rest}");
    let table: &[(&str, Format)] = &[
        (PROMETHEUS_NATIVE, Protobuf),
        (PROMETHEUS, OpenMetrics),
        // Old scrapers, people, no preference.
        ("text/plain;version=0.0.4;q=1,*/*;q=0.1", Text),
        ("text/plain", Text),
        ("*/*", Text),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Text),
        ("", Text),
        // The quality decides, whatever the order and the richness.
        ("application/openmetrics-text;q=0.3,text/plain;q=0.7", Text),
        ("text/plain;q=0.3,application/openmetrics-text;q=0.7", OpenMetrics),
        ("text/plain;q=0.301,application/openmetrics-text;q=0.302", OpenMetrics),
        (&proto(";q=0.1,text/plain;q=0.2"), Text),
        // Between equals the richest that was named.
        ("text/plain,application/openmetrics-text", OpenMetrics),
        (&proto(",application/openmetrics-text,text/plain"), Protobuf),
        // Named beats let in.
        ("application/openmetrics-text,*/*", OpenMetrics),
        ("application/openmetrics-text;q=0.5,*/*;q=0.5", OpenMetrics),
        ("application/openmetrics-text;q=0.1,*/*;q=0.5", Text),
        ("application/*", OpenMetrics),
        ("text/*", Text),
        ("text/*;q=0.2,application/*;q=0.3", OpenMetrics),
        // The more specific range speaks for its type, even to refuse it.
        ("*/*,text/plain;q=0", OpenMetrics),
        ("*/*,text/plain;q=0,application/openmetrics-text;q=0", Protobuf),
        ("text/*;q=0.9,text/plain;q=0.1,application/openmetrics-text;q=0.5", OpenMetrics),
        // Nothing acceptable: text all the same.
        ("image/png", Text),
        ("application/openmetrics-text;q=0", Text),
        // Versions and encodings that are not on offer.
        ("application/openmetrics-text;version=0.0.1,text/plain;q=0.1", Text),
        ("application/openmetrics-text;version=2.0.0,text/plain;q=0.1", Text),
        ("application/openmetrics-text;version=\"1.0.0\"", OpenMetrics),
        ("application/vnd.google.protobuf,text/plain;q=0.1", Text),
        ("application/vnd.google.protobuf;proto=other;encoding=delimited,text/plain;q=0.1", Text),
        (
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text,text/plain;q=0.1",
            Text,
        ),
        ("application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily", Protobuf),
        // Spelling.
        ("APPLICATION/OpenMetrics-Text; Version=1.0.0; Q=0.9, text/plain; q=0.8", OpenMetrics),
        ("  application/openmetrics-text ; q=0.9 ,text/plain;q=0.8", OpenMetrics),
        ("application/openmetrics-text+xml,text/plain;q=0.1", Text),
        // Nonsense is skipped, and a quality that cannot be read is not given.
        (";;;,application/openmetrics-text", OpenMetrics),
        ("text, application/openmetrics-text;q=0.1", OpenMetrics),
        ("application/openmetrics-text;q=high,text/plain;q=0.9", OpenMetrics),
        ("application/openmetrics-text;q=7,text/plain", OpenMetrics),
        ("application/openmetrics-text;q=-1,text/plain;q=0.1", Text),
        ("application/openmetrics-text;q=NaN,text/plain;q=0.9", OpenMetrics),
    ];
    for (accept, format) in table {
        assert_eq!(Format::negotiate(Some(accept)), *format, "{accept}");
    }
    assert_eq!(Format::negotiate(None), Text);
}

#[test]
fn each_format_is_what_its_own_content_type_asks_for() {
    for format in [Text, OpenMetrics, Protobuf] {
        assert_eq!(Format::negotiate(Some(format.content_type())), format);
    }
}

proptest! {
    #[test]
    fn no_header_is_too_strange(accept in "[a-z*/;,=\"q0-9. +\\\\-]{0,80}|\\PC{0,40}") {
        let _ = Format::negotiate(Some(&accept));
        // A range of our own after it is found, unless a quote was left open before it.
        if !accept.contains('"') && !accept.contains("openmetrics") {
            let accept = format!("text/plain;q=0,*/*;q=0,{accept},application/openmetrics-text");
            prop_assert_ne!(Format::negotiate(Some(&accept)), Text, "{}", accept);
        }
    }
}
