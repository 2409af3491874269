//! OTLP over gRPC. The channel lives on a small runtime of its own (one thread for the process), so
//! it needs no runtime of the service, and goes on when every worker of the service is stuck.

use crate::Error;
use crate::target::Target;
use crate::transport::{Failure, Reply, Request, Retry, Wire};
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_client::MetricsServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use std::sync::{OnceLock, mpsc};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tonic::metadata::MetadataMap;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};
use tonic_types::StatusExt;

/// Never dropped: dropping a runtime inside another one panics.
static RUNTIME: OnceLock<Runtime> = OnceLock::new();

#[derive(Debug)]
pub(crate) struct Grpc {
    runtime: &'static Runtime,
    channel: Channel,
    metadata: MetadataMap,
    #[cfg(feature = "gzip")]
    gzip: bool,
}

impl Grpc {
    pub(crate) fn new(target: Target) -> Result<Self, Error> {
        debug_assert!(!target.gzip || cfg!(feature = "gzip"), "checked with the variable");
        let runtime = runtime()?;
        let failed = |error| Error::other(format!("no gRPC channel to {}: {error}", target.url));
        let endpoint = Endpoint::from(target.url.clone())
            .user_agent(concat!("plock-otel/", env!("CARGO_PKG_VERSION")))
            .map_err(failed)?;
        #[cfg(feature = "tls")]
        let endpoint = match target.url.scheme_str() {
            Some("https") => endpoint
                .tls_config(tonic::transport::ClientTlsConfig::new().with_enabled_roots())
                .map_err(failed)?,
            _ => endpoint,
        };
        let _inside = runtime.enter(); // the channel spawns its worker
        let channel = endpoint.connect_lazy();
        let metadata = MetadataMap::from_headers(target.headers);
        Ok(Self {
            runtime,
            channel,
            metadata,
            #[cfg(feature = "gzip")]
            gzip: target.gzip,
        })
    }
}

fn runtime() -> Result<&'static Runtime, Error> {
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime);
    }
    let built = Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("plock-otlp")
        .enable_all()
        .build()
        .map_err(|error| Error::other(format!("no thread for gRPC: {error}")))?;
    // A second one built at the same moment loses; it has never run anything.
    if let Err(second) = RUNTIME.set(built) {
        second.shutdown_background();
    }
    RUNTIME.get().ok_or_else(|| Error::other("no thread for gRPC"))
}

/// Builds a service client with the configured compression.
macro_rules! client {
    ($service:ident, $this:expr) => {{
        let client = $service::new($this.channel.clone());
        #[cfg(feature = "gzip")]
        let client = match $this.gzip {
            true => client
                .send_compressed(tonic::codec::CompressionEncoding::Gzip)
                .accept_compressed(tonic::codec::CompressionEncoding::Gzip),
            false => client,
        };
        client
    }};
}

impl Grpc {
    fn message<T>(&self, message: T) -> tonic::Request<T> {
        tonic::Request::from_parts(self.metadata.clone(), tonic::Extensions::new(), message)
    }

    /// Runs a call on the runtime's thread and waits here, which works on any thread.
    fn call<T: Send + 'static>(
        &self,
        call: impl Future<Output = Result<tonic::Response<T>, Status>> + Send + 'static,
        timeout: Duration,
    ) -> Result<T, Failure> {
        let (sender, answer) = mpsc::sync_channel(1);
        self.runtime.spawn(async move {
            let outcome = tokio::time::timeout(timeout, call).await;
            drop(sender.send(outcome)); // the receiving end waits until this arrives
        });
        match answer.recv() {
            Ok(Ok(Ok(response))) => Ok(response.into_inner()),
            Ok(Ok(Err(status))) => Err(refusal(&status)),
            Ok(Err(_)) => Err(Failure { retry: Retry::Never, message: "no answer in time".into() }),
            Err(_) => Err(Failure { retry: Retry::Never, message: "the call panicked".into() }),
        }
    }
}

impl Wire for Grpc {
    fn attempt(&self, request: &Request, timeout: Duration) -> Result<Reply, Failure> {
        let partial = match request {
            Request::Metrics(request) => {
                let mut client = client!(MetricsServiceClient, self);
                let message = self.message(request.clone());
                let answer = self.call(async move { client.export(message).await }, timeout)?;
                answer.partial_success.map(|p| (p.rejected_data_points, p.error_message))
            }
            Request::Traces(request) => {
                let mut client = client!(TraceServiceClient, self);
                let message = self.message(request.clone());
                let answer = self.call(async move { client.export(message).await }, timeout)?;
                answer.partial_success.map(|p| (p.rejected_spans, p.error_message))
            }
        };
        let (rejected, message) = partial.unwrap_or_default();
        Ok(Reply { rejected: rejected.try_into().unwrap_or(0), message })
    }
}

/// Which codes may be retried is fixed by the OTLP specification.
fn refusal(status: &Status) -> Failure {
    let after = status.get_details_retry_info().and_then(|info| info.retry_delay);
    let retry = match (status.code(), after) {
        (Code::ResourceExhausted, Some(time)) => Retry::After(time),
        (
            Code::Cancelled
            | Code::DeadlineExceeded
            | Code::Aborted
            | Code::OutOfRange
            | Code::Unavailable
            | Code::DataLoss,
            after,
        ) => after.map_or(Retry::BackOff, Retry::After),
        _ => Retry::Never,
    };
    let cause = std::error::Error::source(status).map(|cause| format!(": {cause}"));
    let message = format!("{:?}: {}{}", status.code(), status.message(), cause.unwrap_or_default());
    Failure { retry, message }
}

#[cfg(test)]
#[cfg(feature = "http-proto")]
#[path = "grpc_tests.rs"]
mod tests;
