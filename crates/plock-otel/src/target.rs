//! Where one signal goes: protocol, URL, headers, time limit and compression, from the
//! `OTEL_EXPORTER_OTLP_*` variables. The variable of the signal goes before the general one.

use crate::Error;
use crate::env::{Env, Variable};
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use std::time::Duration;

/// What is exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    Traces,
    Metrics,
}

/// OTLP transports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    HttpProtobuf,
    Grpc,
}

#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) protocol: Protocol,
    pub(crate) url: Uri,
    pub(crate) headers: HeaderMap,
    /// For one request with all its retries.
    pub(crate) timeout: Duration,
    pub(crate) gzip: bool,
}

impl Signal {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Traces => "TRACES",
            Self::Metrics => "METRICS",
        }
    }

    const fn path(self) -> &'static str {
        match self {
            Self::Traces => "/v1/traces",
            Self::Metrics => "/v1/metrics",
        }
    }
}

impl Target {
    pub(crate) fn read(env: &Env<'_>, signal: Signal) -> Result<Self, Error> {
        let names = |what: &str| {
            [
                format!("OTEL_EXPORTER_OTLP_{}_{what}", signal.name()),
                format!("OTEL_EXPORTER_OTLP_{what}"),
            ]
        };
        let text = |what: &str| {
            let [own, general] = names(what);
            env.text(&[&own, &general])
        };
        for what in ["CERTIFICATE", "CLIENT_CERTIFICATE", "CLIENT_KEY"] {
            if let Some(variable) = text(what)? {
                return Err(variable.error(
                    "to be unset: own certificates need an exporter of your own, see Builder::tracer_provider",
                ));
            }
        }
        let protocol = protocol(text("PROTOCOL")?)?;
        let [own, general] = names("TIMEOUT");
        let timeout = env.millis(&[&own, &general])?.unwrap_or(Duration::from_secs(10));
        let [own, general] = names("INSECURE");
        let insecure =
            env.choice(&[&own, &general], &[("true", true), ("false", false)])?.unwrap_or(false);
        let url = match text("ENDPOINT")? {
            Some(variable) => endpoint(&variable, protocol, signal, insecure)?,
            None => default_url(protocol, signal),
        };
        Ok(Self {
            protocol,
            url,
            headers: headers(text("HEADERS")?)?,
            timeout,
            gzip: gzip(text("COMPRESSION")?)?,
        })
    }
}

fn protocol(variable: Option<Variable>) -> Result<Protocol, Error> {
    const HTTP: bool = cfg!(feature = "http-proto");
    const GRPC: bool = cfg!(feature = "grpc");
    let Some(variable) = variable else {
        return Ok(if GRPC && !HTTP { Protocol::Grpc } else { Protocol::HttpProtobuf });
    };
    let allowed = [("http/protobuf", Protocol::HttpProtobuf), ("grpc", Protocol::Grpc)];
    let chosen = variable.choose(&allowed)?;
    match chosen {
        Protocol::Grpc if !GRPC => {
            Err(variable.error("http/protobuf; `grpc` needs the feature `grpc` of plock-otel"))
        }
        Protocol::HttpProtobuf if !HTTP => {
            Err(variable
                .error("grpc; `http/protobuf` needs the feature `http-proto` of plock-otel"))
        }
        Protocol::Grpc | Protocol::HttpProtobuf => Ok(chosen),
    }
}

fn gzip(variable: Option<Variable>) -> Result<bool, Error> {
    let Some(variable) = variable else { return Ok(false) };
    let gzip = variable.choose(&[("gzip", true), ("none", false)])?;
    if gzip && !cfg!(feature = "gzip") {
        return Err(variable.error("none; `gzip` needs the feature `gzip` of plock-otel"));
    }
    Ok(gzip)
}

fn headers(variable: Option<Variable>) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    let Some(variable) = variable else { return Ok(headers) };
    for (key, value) in variable.pairs()? {
        let (Ok(key), Ok(mut value)) = (HeaderName::try_from(key), HeaderValue::try_from(value))
        else {
            return Err(variable.secret_error("names and values that HTTP allows"));
        };
        value.set_sensitive(true);
        headers.append(key, value);
    }
    Ok(headers)
}

fn default_url(protocol: Protocol, signal: Signal) -> Uri {
    match (protocol, signal) {
        (Protocol::Grpc, _) => Uri::from_static("http://localhost:4317"),
        (Protocol::HttpProtobuf, Signal::Traces) => {
            Uri::from_static("http://localhost:4318/v1/traces")
        }
        (Protocol::HttpProtobuf, Signal::Metrics) => {
            Uri::from_static("http://localhost:4318/v1/metrics")
        }
    }
}

/// The URL a variable stands for: the general one is a base to which OTLP/HTTP adds the signal's
/// path, the signal's own is complete.
fn endpoint(
    variable: &Variable,
    protocol: Protocol,
    signal: Signal,
    insecure: bool,
) -> Result<Uri, Error> {
    let mut text = variable.value.clone();
    if protocol == Protocol::Grpc && !text.contains("://") {
        text = format!("{}://{text}", if insecure { "http" } else { "https" });
    }
    let general = variable.name == "OTEL_EXPORTER_OTLP_ENDPOINT";
    if protocol == Protocol::HttpProtobuf && general {
        text = format!("{}{}", text.trim_end_matches('/'), signal.path());
    }
    let expected = "a URL such as http://localhost:4318 or https://collector.example:4318/base";
    let url: Uri = text.parse().map_err(|_| variable.error(expected))?;
    let host = url.host().is_some_and(|host| !host.is_empty());
    // What follows a user and an IPv6 address: `host:port`, `:port` or `host`.
    let tail = url.authority().and_then(|a| a.as_str().rsplit(['@', ']']).next());
    let has_port = tail.is_some_and(|tail| tail.contains(':'));
    if !host || (has_port && url.port_u16().is_none_or(|port| port == 0)) {
        return Err(variable.error(expected));
    }
    match url.scheme_str() {
        Some("http") => Ok(url),
        Some("https") if cfg!(feature = "tls") => Ok(url),
        Some("https") => Err(variable.error("http; https needs the feature `tls` of plock-otel")),
        _ => Err(variable.error(expected)),
    }
}
