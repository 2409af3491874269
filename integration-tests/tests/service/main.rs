//! Services on plock, each in a process of its own, with the real collector and Prometheus: what
//! they measured arrives, and what goes wrong stays in bounds and is told.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper of a test fails the test, as the test itself does"
)]

mod alerts;
mod bad_input;
mod boards;
mod script;
mod series;
mod wire;

use std::process::Command;
use std::time::Duration;

use integration_tests::{Stack, StackBuilder, Tools};
use tokio::sync::Mutex;

/// Deadline for something that takes a second or two on an idle machine.
const SOON: Duration = Duration::from_secs(60);

/// For tests that put a service under load for a minute, one at a time: what they look at is how long
/// things take, and two of them make a machine so busy that everything takes long.
static LOAD: Mutex<()> = Mutex::const_new(());

async fn start(builder: StackBuilder) -> Stack {
    let tools = tokio::task::spawn_blocking(Tools::ready).await.unwrap().unwrap();
    builder.start(&tools).await.unwrap()
}

/// One of the services in this program: an ignored test of that name.
fn this_program(service: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", service, "--ignored", "--nocapture"]);
    quiet(&mut command);
    command
}

/// Without the telemetry settings of whoever runs the tests.
fn quiet(command: &mut Command) {
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("OTEL_")) {
        command.env_remove(name);
    }
    command.env_remove("RUST_LOG").env("NO_PROXY", "127.0.0.1");
}
