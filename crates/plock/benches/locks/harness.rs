//! Interleaved measurement: every round runs one short batch of every row, so that drift and noisy
//! neighbours hit all of them alike; a row is compared with its base inside the same round.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Mode of the rows that others are compared with.
const BARE: &str = "bare";

/// One operation in one situation and mode.
pub(crate) struct Row {
    label: Label,
    work: Work,
    scale: Scale,
}

/// What a row is called, and what it is compared with.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Label {
    /// `type/situation/mode`.
    pub(crate) name: String,
    /// Name of the row that the ratio is to, if there is a bare counterpart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) base: Option<String>,
    /// Name of a row that shows what a single thread takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    one_thread: Option<String>,
    /// Whether it runs a given number of operations on one thread.
    pub(crate) countable: bool,
}

/// How many operations make sense where their number is not measured first.
struct Scale {
    /// Registrations, cold lines.
    warm_up: u64,
    /// In a batch.
    least: u64,
    /// Under the instruction counter: what a batch costs besides is then less than one instruction
    /// of each operation.
    counted: u64,
}

/// How a batch is run.
enum Work {
    /// So many operations, in the time returned.
    Counted(Box<dyn FnMut(u64) -> Duration>),
    /// For so long; returns the nanoseconds per operation (and thread).
    Timed(Box<dyn FnMut(Duration) -> f64>),
}

/// How long and how often.
pub(crate) struct Plan {
    rounds: usize,
    /// Of a counted batch.
    batch: Duration,
    /// Of a batch on several threads, which take longer to get under way.
    timed_batch: Duration,
}

/// What ran while instructions were counted.
#[derive(Debug, Serialize)]
pub(crate) struct Count<'a> {
    name: &'a str,
    operations: u64,
}

/// What is known of a row in the end.
#[derive(Debug, Serialize)]
pub(crate) struct Result {
    #[serde(flatten)]
    label: Label,
    ns_min: f64,
    ns_median: f64,
    /// Median over the rounds of the ratio to the bare row in the same round.
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio: Option<f64>,
    /// The same with the one-thread row as base.
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio_one_thread: Option<f64>,
}

impl Plan {
    pub(crate) const FULL: Self = Self {
        rounds: 200,
        batch: Duration::from_micros(250),
        timed_batch: Duration::from_millis(4),
    };
    pub(crate) const QUICK: Self =
        Self { rounds: 3, batch: Duration::from_micros(25), timed_batch: Duration::from_millis(1) };
}

impl Label {
    fn new(name: &str, countable: bool) -> Self {
        let (situation, _) = name.rsplit_once('/').expect("a name of parts");
        let base = format!("{situation}/{BARE}");
        Self { name: name.to_owned(), base: Some(base), one_thread: None, countable }
    }
}

impl Scale {
    const NANOSECONDS: Self = Self { warm_up: 1000, least: 16, counted: 20_000 };
    const MILLISECONDS: Self = Self { warm_up: 1, least: 1, counted: 1 };
}

impl Row {
    fn new(name: &str, work: Work) -> Self {
        let label = Label::new(name, matches!(work, Work::Counted(_)));
        Self { label, work, scale: Scale::NANOSECONDS }
    }

    /// `batch(n)` runs `n` operations on one thread and says how long that took.
    pub(crate) fn counted(name: &str, batch: impl FnMut(u64) -> Duration + 'static) -> Self {
        Self::new(name, Work::Counted(Box::new(batch)))
    }

    /// As [`Self::counted`], of operations that take milliseconds and have no bare counterpart.
    pub(crate) fn lone(name: &str, batch: impl FnMut(u64) -> Duration + 'static) -> Self {
        let mut row = Self { scale: Scale::MILLISECONDS, ..Self::counted(name, batch) };
        row.label.base = None;
        row
    }

    /// `batch(d)` runs operations for the time `d` and says how many nanoseconds one took.
    pub(crate) fn timed(name: &str, batch: impl FnMut(Duration) -> f64 + 'static) -> Self {
        Self::new(name, Work::Timed(Box::new(batch)))
    }

    /// Compared with this row as well.
    pub(crate) fn beside(mut self, one_thread: &str) -> Self {
        self.label.one_thread = Some(one_thread.to_owned());
        self
    }

    /// Compared with this row instead of the one in mode `bare`.
    pub(crate) fn against(mut self, base: &str) -> Self {
        self.label.base = Some(base.to_owned());
        self
    }

    /// A row that another process runs: `ask(operations)` says how many nanoseconds one took there.
    pub(crate) fn elsewhere(label: Label, mut ask: impl FnMut(u64) -> f64 + 'static) -> Self {
        let work = if label.countable {
            Work::Counted(Box::new(move |operations| {
                Duration::from_secs_f64(ask(operations) * operations as f64 / 1e9)
            }))
        } else {
            Work::Timed(Box::new(move |_| ask(0))) // it has the same plan
        };
        Self { label, work, scale: Scale::NANOSECONDS }
    }

    /// In batches four times as long: of an operation that takes tens of microseconds there are few.
    pub(crate) fn longer(self) -> Self {
        let Work::Timed(mut batch) = self.work else { return self };
        Self { work: Work::Timed(Box::new(move |time| batch(4 * time))), ..self }
    }

    /// At most so many operations at a time, and after each such part a rest that does not count.
    pub(crate) fn in_parts(self, most: u64, rest: impl Fn() + 'static) -> Self {
        let work = match self.work {
            Work::Counted(mut batch) => Work::Counted(Box::new(move |mut left| {
                let mut took = Duration::ZERO;
                while left > 0 {
                    let part = left.min(most);
                    took += batch(part);
                    rest();
                    left -= part;
                }
                took
            })),
            Work::Timed(mut batch) => Work::Timed(Box::new(move |time| {
                let took = batch(time);
                rest();
                took
            })),
        };
        Self { work, ..self }
    }

    /// With recording switched off at run time.
    pub(crate) fn switched_off(self) -> Self {
        let work = match self.work {
            Work::Counted(mut batch) => Work::Counted(Box::new(move |n| while_off(|| batch(n)))),
            Work::Timed(mut batch) => Work::Timed(Box::new(move |time| while_off(|| batch(time)))),
        };
        Self { work, ..self }
    }

    /// By the coarse clock.
    pub(crate) fn coarse(self) -> Self {
        let Work::Counted(mut batch) = self.work else { return self };
        Self { work: Work::Counted(Box::new(move |n| by_the_coarse_clock(|| batch(n)))), ..self }
    }

    pub(crate) const fn label(&self) -> &Label {
        &self.label
    }

    /// A warm-up, then a batch within [`counted`]; `None` if it does not run on one thread.
    pub(crate) fn count(&mut self) -> Option<Count<'_>> {
        let Work::Counted(batch) = &mut self.work else { return None };
        batch(self.scale.warm_up);
        counted(batch, self.scale.counted);
        Some(Count { name: &self.label.name, operations: self.scale.counted })
    }

    /// Finds how many operations fill a batch.
    fn calibrate(&mut self, plan: &Plan) -> u64 {
        let Work::Counted(batch) = &mut self.work else { return 0 };
        batch(self.scale.warm_up);
        let mut operations = self.scale.least;
        loop {
            let took = batch(operations).as_secs_f64();
            if took >= plan.batch.as_secs_f64() / 8.0 {
                let per_second = operations as f64 / took;
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "small"
                )]
                let filling = (plan.batch.as_secs_f64() * per_second) as u64;
                return filling.max(self.scale.least);
            }
            operations *= 2;
        }
    }

    /// Nanoseconds per operation, of one batch.
    pub(crate) fn sample(&mut self, operations: u64, plan: &Plan) -> f64 {
        match &mut self.work {
            Work::Counted(batch) => batch(operations).as_secs_f64() * 1e9 / operations as f64,
            Work::Timed(batch) => batch(plan.timed_batch),
        }
    }
}

fn by_the_coarse_clock<T>(batch: impl FnOnce() -> T) -> T {
    plock::set_clock(plock::Clock::Coarse).unwrap();
    let out = batch();
    plock::set_clock(plock::Clock::Exact).unwrap();
    out
}

fn while_off<T>(batch: impl FnOnce() -> T) -> T {
    plock::set_enabled(false);
    let out = batch();
    plock::set_enabled(true);
    out
}

/// What the instruction counter is told to look at.
#[inline(never)]
fn counted(batch: &mut dyn FnMut(u64) -> Duration, operations: u64) {
    std::hint::black_box(batch(operations));
}

/// The rows that match, and those that they are compared with.
pub(crate) fn choose(rows: Vec<Row>, filter: &str) -> Vec<Row> {
    let labels = rows.iter().map(|row| &row.label).filter(|label| label.name.contains(filter));
    let names =
        |label: &Label| [Some(label.name.clone()), label.base.clone(), label.one_thread.clone()];
    let needed: Vec<String> = labels.flat_map(names).flatten().collect();
    rows.into_iter().filter(|row| needed.contains(&row.label.name)).collect()
}

/// Runs all rows side by side.
pub(crate) fn measure(mut rows: Vec<Row>, plan: &Plan) -> Vec<Result> {
    let operations: Vec<u64> = rows.iter_mut().map(|row| row.calibrate(plan)).collect();
    let mut samples: Vec<Vec<f64>> = vec![Vec::new(); rows.len()];
    for round in 0..plan.rounds {
        if round % 50 == 0 {
            eprintln!("round {} of {}, {} rows", round + 1, plan.rounds, rows.len());
        }
        for ((row, operations), samples) in rows.iter_mut().zip(&operations).zip(&mut samples) {
            samples.push(row.sample(*operations, plan));
        }
    }
    let of =
        |name: &String| rows.iter().position(|row| row.label.name == *name).map(|at| &samples[at]);
    let results = rows.iter().zip(&samples).map(|(row, own)| {
        let over = |base: &String| {
            let base = of(base).expect("what a row is compared with is measured too");
            median(own.iter().zip(base).map(|(own, base)| own / base))
        };
        Result {
            label: row.label.clone(),
            ns_min: own.iter().copied().fold(f64::INFINITY, f64::min),
            ns_median: median(own.iter().copied()),
            ratio: row.label.base.as_ref().map(over),
            ratio_one_thread: row.label.one_thread.as_ref().map(over),
        }
    });
    results.collect()
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
