//! Names that are not plock's own, as the collector of `otel-collector/config.yaml` and Prometheus
//! give them. What an alert asks of the collector exists only once it has lost something.

/// Duration of requests, by the collector's span metrics.
pub(crate) const REQUEST_DURATION: &str = "traces_span_metrics_duration_seconds";
/// Requests, by the collector's span metrics.
pub(crate) const REQUESTS: &str = "traces_span_metrics_calls_total";
/// Their label with the route.
pub(crate) const SPAN_NAME: &str = "span_name";

/// What the collector sent back to applications: points of metrics, spans.
pub(crate) const REFUSED: [&str; 2] =
    ["otelcol_receiver_refused_metric_points", "otelcol_receiver_refused_spans"];
/// What it took.
pub(crate) const ACCEPTED: [&str; 2] =
    ["otelcol_receiver_accepted_metric_points", "otelcol_receiver_accepted_spans"];
/// What it gave up to deliver.
pub(crate) const FAILED: [&str; 2] =
    ["otelcol_exporter_send_failed_metric_points", "otelcol_exporter_send_failed_spans"];
/// What it delivered.
pub(crate) const SENT: [&str; 2] =
    ["otelcol_exporter_sent_metric_points", "otelcol_exporter_sent_spans"];
/// What waits to be delivered.
pub(crate) const QUEUE_SIZE: &str = "otelcol_exporter_queue_size";
/// How much can wait.
pub(crate) const QUEUE_CAPACITY: &str = "otelcol_exporter_queue_capacity";
/// Their label with the exporter.
pub(crate) const EXPORTER: &str = "exporter";
