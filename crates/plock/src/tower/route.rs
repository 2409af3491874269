//! What a request is called.

use http::Request;
use plock_core::ScopeName;

/// Names the scope of a request.
pub trait NameRequest {
    /// The name; bounded in number, without ids.
    fn scope_name<B>(&self, request: &Request<B>) -> ScopeName;
}

/// Method and matched route: `GET /orders/{id}`; without the feature `axum`, or where no route
/// matched, the method alone.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Route;

impl Route {
    pub(super) const fn new() -> Self {
        Self
    }
}

impl NameRequest for Route {
    fn scope_name<B>(&self, request: &Request<B>) -> ScopeName {
        #[cfg(feature = "axum")]
        if let Some(path) = request.extensions().get::<axum::extract::MatchedPath>() {
            return ScopeName::of_parts(request.method().as_str(), path.as_str());
        }
        ScopeName::new(request.method().as_str())
    }
}

/// A function of method and URI.
impl<F, T> NameRequest for F
where
    F: Fn(&http::Method, &http::Uri) -> T,
    T: AsRef<str>,
{
    fn scope_name<B>(&self, request: &Request<B>) -> ScopeName {
        ScopeName::new(self(request.method(), request.uri()).as_ref())
    }
}
