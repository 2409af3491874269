//! OTLP over gRPC. The channel lives on a small runtime of its own (one thread for the process), so
//! it needs no runtime of the service, and goes on when every worker of the service is stuck.

use crate::Error;
use crate::target::Target;
use crate::transport::{Failure, Reply, Request, Retry, Wire};
use http::uri::PathAndQuery;
use prost::bytes::{Buf, BufMut};
use std::sync::{OnceLock, mpsc};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::metadata::MetadataMap;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};
use tonic_types::StatusExt;

/// Never dropped: dropping a runtime inside another one panics.
static RUNTIME: OnceLock<Runtime> = OnceLock::new();

/// The one call of either service.
const METRICS: &str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
const TRACES: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// Messages are encoded and decoded elsewhere.
#[derive(Clone, Copy, Debug)]
struct AsItIs;

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

impl Grpc {
    /// Runs a call on the runtime's thread and waits here, which works on any thread.
    fn call(
        &self,
        call: impl Future<Output = Result<tonic::Response<Vec<u8>>, Status>> + Send + 'static,
        timeout: Duration,
    ) -> Result<Vec<u8>, Failure> {
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
        let (path, body) = match request {
            Request::Metrics(body) => (METRICS, body.clone()),
            Request::Traces(body) => (TRACES, body.clone()),
        };
        let message =
            tonic::Request::from_parts(self.metadata.clone(), tonic::Extensions::new(), body);
        let client = tonic::client::Grpc::new(self.channel.clone());
        #[cfg(feature = "gzip")]
        let client = match self.gzip {
            true => client
                .send_compressed(tonic::codec::CompressionEncoding::Gzip)
                .accept_compressed(tonic::codec::CompressionEncoding::Gzip),
            false => client,
        };
        let call = async move {
            let mut client = client;
            let not_ready = |error| Status::unknown(format!("no connection: {error}"));
            client.ready().await.map_err(not_ready)?;
            client.unary(message, PathAndQuery::from_static(path), AsItIs).await
        };
        Ok(request.reply(&self.call(call, timeout)?))
    }
}

impl Codec for AsItIs {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for AsItIs {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put_slice(&item);
        Ok(())
    }
}

impl Decoder for AsItIs {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let mut item = vec![0; from.remaining()];
        from.copy_to_slice(&mut item);
        Ok(Some(item))
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
