//! Against a real HTTP receiver on a free loopback port.

use super::{Closing, FIRST_PAUSE, Reply, Request, Transport};
use crate::export::wire;
use crate::receiver::{Answer, Received, Receiver, nobody};
use crate::settings::tests::read;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::ResourceMetrics;
use prost::Message;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// More than any test needs.
const AMPLE: Duration = Duration::from_secs(60);

fn transport(url: &str, budget: Duration, more: &[(&str, &str)]) -> (Transport, Arc<Closing>) {
    let mut variables = vec![("OTEL_EXPORTER_OTLP_ENDPOINT", url)];
    variables.extend(more);
    let target = read(&variables).unwrap().metrics.unwrap();
    let closing = Arc::<Closing>::default();
    (Transport::new(wire(target).unwrap(), budget, closing.clone(), "metrics"), closing)
}

fn decoded(received: &Received) -> ExportMetricsServiceRequest {
    ExportMetricsServiceRequest::decode(&*received.body).unwrap()
}

fn message() -> ExportMetricsServiceRequest {
    let resource_metrics =
        vec![ResourceMetrics { schema_url: "x".repeat(1000), ..ResourceMetrics::default() }];
    ExportMetricsServiceRequest { resource_metrics }
}

fn request() -> Request {
    Request::Metrics(message().encode_to_vec())
}

#[test]
fn a_request_arrives_with_headers_and_is_timestamped() {
    let receiver = Receiver::start([]);
    let headers = [("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=a%20b")];
    let (transport, _) = transport(&receiver.url, AMPLE, &headers);
    assert_eq!(transport.last_success_unix_ns(), None);
    assert_eq!(transport.send(&request()), Ok(Reply::default()));
    let requests = receiver.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].path, "/v1/metrics");
    assert_eq!(requests[0].headers["x-tenant"], "a b");
    assert_eq!(requests[0].headers["content-type"], "application/x-protobuf");
    assert!(requests[0].headers["user-agent"].to_str().unwrap().starts_with("plock-otel/"));
    assert_eq!(decoded(&requests[0]), message());
    assert!(transport.last_success_unix_ns().is_some());
}

#[cfg(feature = "gzip")]
#[test]
fn a_request_can_be_compressed() {
    let receiver = Receiver::start([]);
    let gzip = [("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")];
    let (transport, _) = transport(&receiver.url, AMPLE, &gzip);
    transport.send(&request()).unwrap();
    let received = &receiver.requests()[0];
    let length: usize = received.headers["content-length"].to_str().unwrap().parse().unwrap();
    assert!(length < 200, "{length} bytes for 1000 times the same letter");
    assert_eq!(decoded(received), message());
}

#[test]
fn what_may_pass_is_retried_with_a_pause() {
    let script = [429, 502, 503, 504].map(|code| Answer::Status(code, None));
    let receiver = Receiver::start(script);
    let (transport, _) = transport(&receiver.url, AMPLE, &[]);
    assert_eq!(transport.send(&request()), Ok(Reply::default()));
    let requests = receiver.requests();
    assert_eq!(requests.len(), 5);
    let pauses: Vec<_> = requests.windows(2).map(|pair| pair[1].at - pair[0].at).collect();
    for (pause, times) in pauses.iter().zip([1, 2, 4, 8]) {
        assert!(*pause >= FIRST_PAUSE * times, "{pauses:?}");
    }
}

#[test]
fn the_receiver_may_ask_for_a_longer_pause() {
    let receiver = Receiver::start([Answer::Status(503, Some("1"))]);
    let (transport, _) = transport(&receiver.url, AMPLE, &[]);
    transport.send(&request()).unwrap();
    let requests = receiver.requests();
    assert!(requests[1].at - requests[0].at >= Duration::from_secs(1));
}

#[test]
fn a_pause_beyond_the_budget_is_not_waited_for() {
    let receiver = Receiver::start([Answer::Status(429, Some("3600"))]);
    let (transport, _) = transport(&receiver.url, AMPLE, &[]);
    let begin = Instant::now();
    let error = transport.send(&request()).expect_err("told to come back in an hour");
    assert!(error.contains("429"), "{error}");
    assert!(begin.elapsed() < AMPLE / 2);
    assert_eq!(receiver.requests().len(), 1);
}

#[test]
fn what_will_not_pass_is_not_retried() {
    for code in [301, 400, 401, 404, 413, 500] {
        let receiver = Receiver::start([Answer::Status(code, None)]);
        let (transport, _) = transport(&receiver.url, AMPLE, &[]);
        let error = transport.send(&request()).expect_err("refused");
        assert!(error.contains(&code.to_string()), "{error}");
        assert_eq!(receiver.requests().len(), 1, "{code}");
        assert_eq!(transport.last_success_unix_ns(), None);
    }
}

#[test]
fn refused_points_are_reported_and_not_retried() {
    let receiver = Receiver::start([Answer::Rejected(3)]);
    let (transport, _) = transport(&receiver.url, AMPLE, &[]);
    let reply = Reply { rejected: 3, message: "too old".into() };
    assert_eq!(transport.send(&request()), Ok(reply));
    assert_eq!(receiver.requests().len(), 1);
}

#[test]
fn an_absent_receiver_costs_no_more_than_the_budget() {
    let budget = Duration::from_millis(700);
    let (transport, _) = transport(&nobody(), budget, &[]);
    let begin = Instant::now();
    let error = transport.send(&request()).expect_err("nobody listens");
    assert!(error.contains("refused"), "{error}");
    assert!(begin.elapsed() < budget * 4, "{:?}", begin.elapsed());
}

#[test]
fn a_receiver_that_does_not_answer_costs_no_more_than_the_budget() {
    let receiver = Receiver::start([Answer::Hang]);
    let budget = Duration::from_millis(300);
    let (transport, _) = transport(&receiver.url, budget, &[]);
    let begin = Instant::now();
    transport.send(&request()).expect_err("no answer");
    let elapsed = begin.elapsed();
    assert!(elapsed >= budget && elapsed < budget * 10, "{elapsed:?}");
    assert_eq!(transport.send(&request()), Ok(Reply::default()), "the next one gets through");
}

#[test]
fn shutting_down_ends_the_retries() {
    let receiver = Receiver::start(vec![Answer::Status(503, None); 1000]);
    let (transport, closing) = transport(&receiver.url, AMPLE, &[]);
    let begin = Instant::now();
    let sending = std::thread::spawn(move || {
        let first = transport.send(&request());
        (first, transport.send(&request()))
    });
    receiver.wait_for(|requests| requests.len() >= 2);
    closing.close();
    let (first, second) = sending.join().unwrap();
    assert!(first.is_err() && second.is_err());
    assert!(begin.elapsed() < AMPLE / 2);
    let count = receiver.requests().len();
    assert!(count <= 6, "one attempt each after the end, not {count}");
}
