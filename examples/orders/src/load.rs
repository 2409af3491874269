//! An open-loop load over real HTTP. Requests start when the schedule says so, however the earlier
//! ones fare, and latency counts from the scheduled moment: a service that stalls is charged with
//! every request that would have come meanwhile (no coordinated omission). The generator has a
//! thread and a runtime of its own, so that a pinned worker of the service cannot slow it down.

use std::{
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    time::{Duration, Instant},
};

use anyhow::Context;
use reqwest::{Client, RequestBuilder};
use tokio::{runtime, sync::oneshot, task::JoinSet};

use crate::{
    figures::{Answer, Report, Tally},
    requests::{Mix, Request},
};

const TIMEOUT: Duration = Duration::from_secs(30);
/// The same arrivals and the same requests in every run.
const SEED: u64 = 20_250_601;

/// What to send for how long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// Arrivals per second, on average.
    pub(crate) rate: f64,
    /// Until stopped if there is none.
    pub(crate) length: Option<Duration>,
    /// Requests on the way at once; those beyond are counted as shed.
    pub(crate) in_flight: usize,
    pub(crate) mix: Mix,
}

/// A load that is running.
#[derive(Debug)]
pub(crate) struct Load {
    stop: Sender<()>,
    report: oneshot::Receiver<anyhow::Result<Report>>,
}

/// When requests start: a Poisson process, as independent users make one.
#[derive(Debug)]
struct Arrivals {
    random: fastrand::Rng,
    rate: f64,
    next: Duration,
    end: Duration,
}

impl Load {
    /// Starts sending to the service at `base`, such as `http://127.0.0.1:8080`.
    pub(crate) fn start(base: String, plan: Plan) -> anyhow::Result<Self> {
        let (stop, stopped) = channel();
        let (done, report) = oneshot::channel();
        std::thread::Builder::new().name("load".into()).spawn(move || {
            // Nobody listens only if the service is going away.
            drop(done.send(run(&base, plan, &stopped)));
        })?;
        Ok(Self { stop, report })
    }

    /// Ends the schedule now; requests on the way are still answered and counted.
    pub(crate) fn stop(&self) {
        // The schedule may have ended by itself.
        let _sent = self.stop.send(());
    }

    /// The result, once the last request is answered.
    pub(crate) async fn report(&mut self) -> anyhow::Result<Report> {
        (&mut self.report).await.context("the load generator died")?
    }
}

impl Arrivals {
    fn new(rate: f64, length: Option<Duration>) -> Self {
        let random = fastrand::Rng::with_seed(SEED);
        Self { random, rate, next: Duration::ZERO, end: length.unwrap_or(Duration::MAX) }
    }
}

impl Iterator for Arrivals {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        // The gaps of a Poisson process are exponential; 1 - x keeps the logarithm finite.
        let gap = -(1.0 - self.random.f64()).ln() / self.rate;
        self.next += Duration::from_secs_f64(gap);
        (self.next < self.end).then_some(self.next)
    }
}

fn run(base: &str, plan: Plan, stopped: &Receiver<()>) -> anyhow::Result<Report> {
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("load-client")
        .enable_all()
        .build()?;
    let client = Client::builder().timeout(TIMEOUT).build()?;
    let mut random = fastrand::Rng::with_seed(SEED);
    let mut tally = Tally::default();
    let mut on_the_way = JoinSet::new();
    let start = Instant::now();
    for arrival in Arrivals::new(plan.rate, plan.length) {
        let due = start + arrival;
        match stopped.recv_timeout(due.saturating_duration_since(Instant::now())) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => break,
        }
        tally.scheduled();
        while let Some(answer) = on_the_way.try_join_next() {
            tally.count(answer?);
        }
        if on_the_way.len() >= plan.in_flight {
            tally.error("shed");
            continue;
        }
        let request = plan.mix.pick(&mut random);
        let send = request.build(&client, base, plan.mix.lines, &mut random);
        on_the_way.spawn_on(answer(request, send, due), runtime.handle());
    }
    let schedule = start.elapsed();
    while let Some(answer) = runtime.block_on(on_the_way.join_next()) {
        tally.count(answer?);
    }
    tally.report(schedule, start.elapsed())
}

async fn answer(request: Request, send: RequestBuilder, due: Instant) -> Answer {
    let error = match send.send().await {
        Ok(response) if response.status().is_success() => {
            response.bytes().await.err().map(|_torn| "body".to_owned())
        }
        Ok(response) => Some(response.status().as_u16().to_string()),
        Err(error) if error.is_timeout() => Some("timeout".to_owned()),
        Err(_) => Some("connection".to_owned()),
    };
    Answer { request, latency: due.elapsed(), error }
}

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;
