//! plock's figures for a Prometheus scrape.
//!
//! One snapshot, three formats, chosen by the `Accept` header of the scraper:
//!
//! | format | histograms | exemplars |
//! |---|---|---|
//! | text 0.0.4, for people and old scrapers | classic | no |
//! | OpenMetrics 1.0 | classic | trace id and span id |
//! | protobuf | classic and native (about 9 % wide buckets) in one message | trace id and span id |
//!
//! All three carry the same names, labels and values, those of [`plock_semconv`], so a dashboard
//! does not care which one was scraped, nor whether the figures were pushed over OTLP instead.
//!
//! # In an axum application
//! Feature `axum`:
#![cfg_attr(feature = "axum", doc = "```")]
#![cfg_attr(not(feature = "axum"), doc = "```ignore")]
//! let app: axum::Router = axum::Router::new()
//!     .route("/orders", axum::routing::get(async || "…"))
//!     .merge(plock_prometheus::router());
//! ```
//!
//! # On a thread of its own
//! Feature `server`. This endpoint answers even when every worker of the application's runtime is
//! stuck, which is when the figures matter most:
#![cfg_attr(feature = "server", doc = "```")]
#![cfg_attr(not(feature = "server"), doc = "```ignore")]
//! # fn main() -> Result<(), plock_prometheus::Error> {
//! let server = plock_prometheus::serve("127.0.0.1:0")?;
//! println!("scrape http://{}/metrics", server.local_addr());
//! # Ok(()) }
//! ```
//!
//! # In anything else
//! ```
//! let content = plock_prometheus::scrape(Some("text/plain"));
//! assert_eq!(content.content_type, "text/plain; version=0.0.4; charset=utf-8");
//! assert!(content.body.starts_with(b"# HELP plock_"));
//! ```
//!
//! # Native histograms
//! Prometheus asks for protobuf when a scrape job says `scrape_native_histograms: true`; with
//! `always_scrape_classic_histograms: true` it keeps the classic buckets too.
//!
//! # Cost
//! A scrape copies the figures and then encodes the copy: no recorder waits for it. Encoding takes
//! about a millisecond per 200 locks (a megabyte of text, a third of that as protobuf).

mod format;
mod protobuf;
#[cfg(test)]
mod tests;
mod text;

#[cfg(feature = "axum")]
mod http;
#[cfg(feature = "server")]
mod server;

pub use format::Format;
#[cfg(feature = "axum")]
pub use http::{handler, router};
#[cfg(feature = "server")]
pub use server::{Error, Server, serve};

use plock_core::Snapshot;

/// The answer to a scrape.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Content {
    /// What to send.
    pub body: Vec<u8>,
    /// The `Content-Type` to send it with.
    pub content_type: &'static str,
}

/// Encodes `snapshot` in the format that suits an `Accept` header best; see [`Format::negotiate`].
///
/// ```
/// let snapshot = plock_core::Snapshot::default();
/// let content = plock_prometheus::render(&snapshot, Some("application/openmetrics-text"));
/// assert!(content.body.ends_with(b"# EOF\n"));
/// ```
#[must_use]
pub fn render(snapshot: &Snapshot, accept: Option<&str>) -> Content {
    let format = Format::negotiate(accept);
    let families = plock_semconv::families(snapshot);
    let body = match format {
        Format::Text => text::encode(&families, text::Dialect::Text).into_bytes(),
        Format::OpenMetrics => text::encode(&families, text::Dialect::OpenMetrics).into_bytes(),
        Format::Protobuf => protobuf::encode(&families, snapshot.start_unix_ns),
    };
    Content { body, content_type: format.content_type() }
}

/// The present figures of this process, encoded for a scraper that sent this `Accept` header.
///
/// A format that carries exemplars takes them: the next scrape shows newer ones. Scrapers that
/// share a process therefore share its exemplars; all other figures are the same for each.
#[must_use]
pub fn scrape(accept: Option<&str>) -> Content {
    let snapshot = plock_core::snapshot(Format::negotiate(accept).has_exemplars());
    render(&snapshot, accept)
}

fn seconds(ns: u64) -> f64 {
    number(ns) / 1e9
}

#[expect(clippy::cast_precision_loss, reason = "the wire has doubles; exact below 2^53")]
const fn number(n: u64) -> f64 {
    n as f64
}
