//! OTLP over HTTP with protobuf bodies. The blocking client brings its own thread, so this works in
//! a process without any async runtime, and goes on when every worker of the service is stuck.

use crate::Error;
use crate::target::Target;
use crate::transport::{Failure, Reply, Request, Retry, Wire};
use reqwest::StatusCode;
use reqwest::blocking::{Client, Response};
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use std::io::Read;
use std::time::Duration;

/// Longest answer that is read; real ones have a few bytes.
const MAX_ANSWER: u64 = 64 * 1024;

#[derive(Debug)]
pub(crate) struct Http {
    client: Client,
    target: Target,
}

impl Http {
    pub(crate) fn new(target: Target) -> Result<Self, Error> {
        // On a thread of its own: building the client inside an async runtime panics.
        let build = || {
            Client::builder()
                .user_agent(concat!("plock-otel/", env!("CARGO_PKG_VERSION")))
                .redirect(reqwest::redirect::Policy::none())
                .build()
        };
        match std::thread::spawn(build).join() {
            Ok(Ok(client)) => Ok(Self { client, target }),
            Ok(Err(error)) => Err(Error::other(format!("no HTTP client: {error}"))),
            Err(_) => Err(Error::other("no HTTP client: its thread panicked")),
        }
    }
}

impl Wire for Http {
    fn attempt(&self, request: &Request, timeout: Duration) -> Result<Reply, Failure> {
        let (Request::Metrics(body) | Request::Traces(body)) = request;
        let body = body.clone();
        let mut post = self
            .client
            .post(self.target.url.to_string())
            .headers(self.target.headers.clone())
            .header(CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"))
            .timeout(timeout);
        post = if self.target.gzip {
            post.header(CONTENT_ENCODING, HeaderValue::from_static("gzip")).body(gzip(body)?)
        } else {
            post.body(body)
        };
        match post.send() {
            Ok(response) if response.status().is_success() => {
                let mut answer = Vec::new();
                drop(response.take(MAX_ANSWER).read_to_end(&mut answer));
                Ok(request.reply(&answer))
            }
            Ok(response) => Err(refusal(&response)),
            Err(error) => Err(Failure { retry: Retry::BackOff, message: causes(&error) }),
        }
    }
}

/// Which answers may be retried is fixed by the OTLP specification.
fn refusal(response: &Response) -> Failure {
    let status = response.status();
    let retryable = matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    );
    let after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let retry = match after.and_then(|seconds| seconds.trim().parse().ok()) {
        _ if !retryable => Retry::Never,
        Some(seconds) => Retry::After(Duration::from_secs(seconds)),
        None => Retry::BackOff,
    };
    Failure { retry, message: format!("{} answered {status}", response.url()) }
}

/// The error with its causes: the outermost alone does not say "connection refused".
fn causes(error: &dyn std::error::Error) -> String {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        message = format!("{message}: {cause}");
        source = cause.source();
    }
    message
}

#[cfg(feature = "gzip")]
fn gzip(body: Vec<u8>) -> Result<Vec<u8>, Failure> {
    let mut compressed = Vec::new();
    let mut encoder = flate2::read::GzEncoder::new(&*body, flate2::Compression::fast());
    match encoder.read_to_end(&mut compressed) {
        Ok(_) => Ok(compressed),
        Err(error) => Err(Failure { retry: Retry::Never, message: error.to_string() }),
    }
}

#[cfg(not(feature = "gzip"))]
fn gzip(_: Vec<u8>) -> Result<Vec<u8>, Failure> {
    let message = "built without the feature `gzip`".into();
    Err(Failure { retry: Retry::Never, message })
}
