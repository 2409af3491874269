//! The store behind the collector: an OTLP/gRPC receiver that keeps every span it is sent, so that
//! a test can read what a user would find in a trace, links included.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::trace::v1::Span;
use tokio::task::JoinHandle;
use tonic::codec::CompressionEncoding;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

/// A trace store that listens on a loopback port until it is dropped.
#[derive(Debug)]
pub struct TraceStore {
    address: SocketAddr,
    spans: Arc<Mutex<Vec<Span>>>,
    server: JoinHandle<()>,
}

impl TraceStore {
    /// Starts to listen.
    ///
    /// # Errors
    ///
    /// If no loopback port can be bound.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn start() -> Result<Self> {
        let incoming = TcpIncoming::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        let address = incoming.local_addr()?;
        let spans = Arc::new(Mutex::default());
        // The collector compresses unless told otherwise.
        let service = TraceServiceServer::new(Receiver { spans: Arc::clone(&spans) })
            .accept_compressed(CompressionEncoding::Gzip);
        let server = tonic::transport::Server::builder().add_service(service);
        let server = tokio::spawn(async move {
            // Ends only with the task; a failed connection is the collector's to report.
            drop(server.serve_with_incoming(incoming).await);
        });
        Ok(Self { address, spans, server })
    }

    /// Host and port, as [`StackBuilder::trace_store`](crate::StackBuilder::trace_store) takes it.
    #[must_use]
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Every span received so far, in order of arrival.
    #[must_use]
    pub fn spans(&self) -> Vec<Span> {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for TraceStore {
    fn drop(&mut self) {
        self.server.abort();
    }
}

struct Receiver {
    spans: Arc<Mutex<Vec<Span>>>,
}

#[tonic::async_trait]
impl TraceService for Receiver {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let resources = request.into_inner().resource_spans;
        let scopes = resources.into_iter().flat_map(|resource| resource.scope_spans);
        let spans = scopes.flat_map(|scope| scope.spans);
        self.spans.lock().unwrap_or_else(PoisonError::into_inner).extend(spans);
        Ok(Response::new(ExportTraceServiceResponse { partial_success: None }))
    }
}
