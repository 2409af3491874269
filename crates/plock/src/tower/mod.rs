//! One scope per request: [`PlockLayer`] names it after the route and, where no span is open yet,
//! opens the span that the totals are written on.

mod route;
#[cfg(feature = "otel")]
mod span;

pub use route::{NameRequest, Route};

use crate::scope::Scoped;
use http::Request;
use pin_project::pin_project;
use plock_core::Scope;
use std::pin::Pin;
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;

/// Wraps each request of a service into a root scope.
///
/// The scope lasts from the call until the response's head is ready; a streamed body is not part of
/// it. It is named after the matched axum route (feature `axum`) as `GET /orders/{id}`, else after
/// the method alone: never after the path, which is unbounded. [`named_by`](Self::named_by) takes
/// another rule.
///
/// With the feature `otel` and no [`tracing`](https://docs.rs/tracing) span open, it opens one of
/// kind `server` that continues the trace of the request's headers; inside a span (of a
/// `TraceLayer` outside this layer) it uses that.
///
/// # Overhead
/// One scope per request: see [`scope`](crate::scope()).
///
/// # Examples
/// ```
/// # use tower::{Layer, ServiceExt, service_fn};
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let service = plock::tower::PlockLayer::new().layer(service_fn(|_: http::Request<()>| async {
///     Ok::<_, std::convert::Infallible>(http::Response::new(()))
/// }));
/// service.oneshot(http::Request::get("/orders/7").body(()).unwrap()).await.unwrap();
/// assert_eq!(plock::snapshot().scope("GET").unwrap().finished, 1);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct PlockLayer<N = Route> {
    name: N,
}

impl PlockLayer {
    /// A layer that names requests by their route.
    #[must_use]
    pub const fn new() -> Self {
        Self { name: Route::new() }
    }
}

impl<N> PlockLayer<N> {
    /// The same with another rule for names. Names are label values: bounded, no ids.
    #[must_use]
    pub fn named_by<M>(self, name: M) -> PlockLayer<M> {
        PlockLayer { name }
    }
}

impl<S, N: Clone> Layer<S> for PlockLayer<N> {
    type Service = PlockService<S, N>;

    fn layer(&self, inner: S) -> Self::Service {
        PlockService { inner, name: self.name.clone() }
    }
}

/// The service that [`PlockLayer`] makes.
#[derive(Clone, Copy, Debug)]
pub struct PlockService<S, N = Route> {
    inner: S,
    name: N,
}

impl<S, N, B, R> Service<Request<B>> for PlockService<S, N>
where
    S: Service<Request<B>, Response = http::Response<R>>,
    N: NameRequest,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let name = self.name.scope_name(&request);
        #[cfg(feature = "otel")]
        let span = span::open(&request, name.as_str());
        let scope = Scope::root(name);
        #[cfg(feature = "otel")]
        let call = span.in_scope(|| self.inner.call(request));
        #[cfg(not(feature = "otel"))]
        let call = self.inner.call(request);
        ResponseFuture {
            future: Scoped::new(scope, call),
            #[cfg(feature = "otel")]
            span,
        }
    }
}

/// The future of a [`PlockService`].
#[pin_project(PinnedDrop)]
#[derive(Debug)]
pub struct ResponseFuture<F> {
    #[pin]
    future: Scoped<F>,
    #[cfg(feature = "otel")]
    span: ::tracing::Span,
}

impl<F, R, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<http::Response<R>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        #[cfg(feature = "otel")]
        let _entered = this.span.enter();
        let poll = this.future.poll(cx);
        #[cfg(feature = "otel")]
        if let Poll::Ready(Ok(response)) = &poll {
            span::finish(this.span, response.status());
        }
        poll
    }
}

#[pin_project::pinned_drop]
impl<F> PinnedDrop for ResponseFuture<F> {
    fn drop(self: Pin<&mut Self>) {
        // A request that is given up still writes its totals: inside its span.
        #[cfg(feature = "otel")]
        {
            let mut this = self.project();
            let _entered = this.span.enter();
            this.future.as_mut().cancel();
        }
        #[cfg(not(feature = "otel"))]
        self.project().future.as_mut().cancel();
    }
}
