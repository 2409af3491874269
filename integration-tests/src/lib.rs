//! The real things that plock's tests and tools run against: an OpenTelemetry Collector and a
//! Prometheus built from the pinned manifests in `otel-collector/`, started on free loopback ports,
//! an Alertmanager on demand, plus a trace store and a receiver of its calls that keep what they are
//! sent for reading. Nothing here is a stand-in: all run the shipped configuration, and Prometheus
//! answers real queries.
//!
//! [`Tools::ready`] builds or finds the binaries, [`Checkers::ready`] what holds files against schemas,
//! [`Stack`] runs the binaries and [`Collector`] one more of them, [`Promql`] and [`Alertmanager`] ask
//! them, [`TraceStore`] plays the store behind the collector, [`Pager`] whom alerts call, [`otlp`] writes
//! scripted spans and metrics, [`eventually`] polls with a deadline, [`dashboards`] reads the shipped
//! boards and [`panels`] runs their queries, [`example`] builds a program of `examples/`, [`Orders`] runs
//! the one under load, [`scenarios`] says which alerts that raises.

pub mod alertmanager;
mod checkers;
mod collector;
pub mod dashboards;
mod eventually;
mod examples;
mod orders;
pub mod otlp;
mod pager;
pub mod panels;
mod ports;
mod process;
pub mod promql;
pub mod scenarios;
mod stack;
mod tools;
mod trace_store;

pub use alertmanager::Alertmanager;
pub use checkers::Checkers;
pub use collector::Collector;
pub use eventually::{eventually, wait_for};
pub use examples::example;
pub use orders::Orders;
pub use pager::{Call, Pager};
pub use process::Process;
pub use promql::Promql;
pub use stack::{Endpoints, Stack, StackBuilder};
pub use tools::{Tools, cache_directory, repository};
pub use trace_store::TraceStore;
