//! Against a real gRPC server on a free loopback port.

use crate::export::wire;
use crate::settings::tests::read;
use crate::transport::{Closing, Reply, Request, Transport};
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsPartialSuccess, ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::metrics::v1::ResourceMetrics;
use prost::Message;
use std::collections::VecDeque;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tonic::{Code, Response, Status};
use tonic_types::{ErrorDetails, StatusExt};

const AMPLE: Duration = Duration::from_secs(60);

#[derive(Clone, Default)]
struct Server {
    script: Arc<Mutex<VecDeque<Result<ExportMetricsServiceResponse, Status>>>>,
    requests: Arc<Mutex<Vec<tonic::Request<ExportMetricsServiceRequest>>>>,
    hang: bool,
}

#[tonic::async_trait]
impl MetricsService for Server {
    async fn export(
        &self,
        request: tonic::Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        self.requests.lock().unwrap().push(request);
        if self.hang {
            std::future::pending::<()>().await;
        }
        let next = self.script.lock().unwrap().pop_front();
        next.unwrap_or_else(|| Ok(ExportMetricsServiceResponse::default())).map(Response::new)
    }
}

impl Server {
    fn answering(script: impl IntoIterator<Item = Status>) -> Self {
        let script = script.into_iter().map(Err).collect();
        Self { script: Arc::new(Mutex::new(script)), ..Self::default() }
    }

    fn start(&self) -> String {
        self.start_on(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    fn start_on(&self, listener: TcpListener) -> String {
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let service = MetricsServiceServer::new(self.clone());
        #[cfg(feature = "gzip")]
        let service = service.accept_compressed(tonic::codec::CompressionEncoding::Gzip);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                let incoming = tonic::transport::server::TcpIncoming::from(listener);
                let server = tonic::transport::Server::builder().add_service(service);
                server.serve_with_incoming(incoming).await.unwrap();
            });
        });
        url
    }

    fn count(&self) -> usize {
        self.requests.lock().unwrap().len()
    }
}

fn transport(url: &str, budget: Duration, more: &[(&str, &str)]) -> Transport {
    let mut variables =
        vec![("OTEL_EXPORTER_OTLP_ENDPOINT", url), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")];
    variables.extend(more);
    let target = read(&variables).unwrap().metrics.unwrap();
    Transport::new(wire(target).unwrap(), budget, Arc::<Closing>::default(), "metrics")
}

fn message() -> ExportMetricsServiceRequest {
    let schema_url = "schema".to_owned();
    let resource_metrics = vec![ResourceMetrics { schema_url, ..ResourceMetrics::default() }];
    ExportMetricsServiceRequest { resource_metrics }
}

fn request() -> Request {
    Request::Metrics(message().encode_to_vec())
}

#[test]
fn a_request_arrives_with_its_headers() {
    for compression in ["none", if cfg!(feature = "gzip") { "gzip" } else { "none" }] {
        let server = Server::default();
        let more = [
            ("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=a"),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", compression),
        ];
        let transport = transport(&server.start(), AMPLE, &more);
        assert_eq!(transport.send(&request()), Ok(Reply::default()));
        let requests = server.requests.lock().unwrap();
        assert_eq!(requests[0].get_ref(), &message());
        assert_eq!(requests[0].metadata().get("x-tenant").unwrap(), "a");
    }
}

#[test]
fn it_works_inside_a_runtime_that_does_nothing_else() {
    let server = Server::default();
    let url = server.start();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let transport = transport(&url, AMPLE, &[]);
        assert_eq!(transport.send(&request()), Ok(Reply::default()));
    });
}

#[test]
fn what_may_pass_is_retried() {
    let hint = ErrorDetails::with_retry_info(Some(Duration::from_millis(300)));
    let server = Server::answering([
        Status::unavailable("restarting"),
        Status::aborted("again"),
        Status::with_error_details(Code::ResourceExhausted, "slow down", hint),
    ]);
    let transport = transport(&server.start(), AMPLE, &[]);
    let begin = Instant::now();
    assert_eq!(transport.send(&request()), Ok(Reply::default()));
    assert_eq!(server.count(), 4);
    assert!(begin.elapsed() >= Duration::from_millis(100 + 200 + 300));
}

#[test]
fn what_will_not_pass_is_not_retried() {
    let cases = [
        Status::invalid_argument("no"),
        Status::unauthenticated("no"),
        Status::resource_exhausted("no, and no hint when"),
    ];
    for status in cases {
        let server = Server::answering([status.clone()]);
        let transport = transport(&server.start(), AMPLE, &[]);
        let error = transport.send(&request()).expect_err("refused");
        assert!(error.contains(status.message()), "{error}");
        assert_eq!(server.count(), 1, "{error}");
    }
}

#[test]
fn refused_points_are_reported() {
    let server = Server::default();
    let error_message = "too old".to_owned();
    let partial_success = ExportMetricsPartialSuccess { rejected_data_points: 2, error_message };
    let answer = ExportMetricsServiceResponse { partial_success: Some(partial_success) };
    server.script.lock().unwrap().push_back(Ok(answer));
    let transport = transport(&server.start(), AMPLE, &[]);
    let reply = Reply { rejected: 2, message: "too old".into() };
    assert_eq!(transport.send(&request()), Ok(reply));
}

#[test]
fn an_absent_or_silent_receiver_costs_no_more_than_the_budget() {
    let silent = Server { hang: true, ..Server::default() };
    let budget = Duration::from_millis(500);
    for url in [crate::receiver::nobody(), silent.start()] {
        let transport = transport(&url, budget, &[]);
        let begin = Instant::now();
        transport.send(&request()).expect_err("no answer");
        assert!(begin.elapsed() < budget * 6, "{:?}", begin.elapsed());
    }
    assert!(silent.count() >= 1, "it was asked");
}

#[test]
fn a_receiver_that_comes_later_is_found() {
    let server = Server::default();
    let url = crate::receiver::nobody();
    let transport = transport(&url, Duration::from_millis(300), &[]);
    transport.send(&request()).expect_err("nobody listens yet");
    let address = url.strip_prefix("http://").unwrap();
    server.start_on(TcpListener::bind(address).unwrap());
    let deadline = Instant::now() + Duration::from_secs(20);
    while transport.send(&request()).is_err() {
        assert!(Instant::now() < deadline, "the channel reconnects");
    }
    assert!(server.count() >= 1);
}
