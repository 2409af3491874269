//! From the shards, cells and records of all threads to one [`Snapshot`]. Runs on the reader's
//! thread; recorders do not wait for it but for the copy of what one series has that is rare.

use crate::Dropped;
use crate::class::{self, Figure, Series};
use crate::contention::Contention;
use crate::name::{Label, OVERFLOW, site_text};
use crate::owner::OwnerCell;
use crate::record::Record;
use crate::shard::{self, Shard, WorstCell};
use crate::slots::HoldInfo;
use crate::{
    DEPTHS, Edge, Histogram, LockSeries, Open, OpenEdge, Outcome, PoolSeries, ScopeSeries,
    Snapshot, Worst, clock, cost, finding, loss, pool, slab,
};
use std::collections::HashMap;

/// The present state of every figure. `take_exemplars` resets the exemplars, so that the next
/// collection shows newer ones; at most one periodic reader should ask for that.
///
/// Takes time in proportion to series times threads plus live scopes; never waits for a recorder.
#[must_use]
pub fn snapshot(take_exemplars: bool) -> Snapshot {
    let began = clock::exact_now();
    clock::maintain();
    let mut out = Snapshot {
        unix_ns: clock::WallClock::now().unix_ns(),
        start_unix_ns: clock::start_unix_ns(),
        clock: clock::mode_name().to_owned(),
        ..Snapshot::default()
    };
    let (place, cost) = add_shards(&mut out, take_exemplars);
    let alone = add_open_holds(&mut out, &place);
    add_open_waits(&mut out, &place, &alone);
    let used = |locks: &LockSeries| {
        locks.outcome(Outcome::Acquired) + locks.contentions() + locks.holders > 0
    };
    out.locks.retain(|lock| lock.name != OVERFLOW || used(lock));
    out.scopes.retain(|scope| scope.name != OVERFLOW || scope.started > 0);
    out.pools.retain(|pool| pool.name != OVERFLOW || pool.acquire.count() > 0);
    pool::add_sizes(&mut out.pools);
    merge_edges(&mut out.edges);
    let recorded_ns = cost::settle(cost);
    loss::add_overhead(clock::exact_now().saturating_sub(began));
    out.findings = finding::all();
    out.dropped = loss::counts();
    out.overhead_ns = loss::overhead_ns() + recorded_ns;
    out.last_export_unix_ns = loss::last_export_unix_ns();
    out
}

/// How many series before its turn a shard is fetched.
const AHEAD: usize = 4;

/// What the shards of a series are added to, by its place.
enum Into {
    Lock(usize),
    Scope(usize),
    Delay(usize),
    Pool(usize),
}

/// Adds up all threads. One after the other, since the shards of a thread lie side by side in memory.
/// Returns where the series of locks are, and how often what costs something was done.
fn add_shards(out: &mut Snapshot, take_exemplars: bool) -> (HashMap<u32, usize>, cost::Each) {
    let mut cost = cost::Each::default();
    let mut delays = Vec::new();
    let mut place = HashMap::new();
    let mut into = Vec::new();
    for (number, series) in class::all() {
        into.push((
            number,
            match series.figure {
                Figure::Hold(..) => {
                    place.insert(number, out.locks.len());
                    out.locks.push(empty(&series));
                    Into::Lock(out.locks.len() - 1)
                }
                Figure::Poll => {
                    let name = series.name.to_owned();
                    out.scopes.push(ScopeSeries { name, ..ScopeSeries::default() });
                    Into::Scope(out.scopes.len() - 1)
                }
                Figure::Acquire => {
                    let name = series.name.to_owned();
                    out.pools.push(PoolSeries { name, ..PoolSeries::default() });
                    Into::Pool(out.pools.len() - 1)
                }
                Figure::Delay => {
                    delays.push((series.name, Histogram::default()));
                    Into::Delay(delays.len() - 1)
                }
            },
        ));
    }
    let mut longest = vec![Longest::default(); out.locks.len()];
    for table in shard::tables() {
        for (nth, (number, to)) in into.iter().enumerate() {
            if let Some((later, _)) = into.get(nth + AHEAD) {
                table.fetch(*later);
            }
            let Some(shard) = table.get(*number) else { continue };
            match to {
                Into::Lock(at) => {
                    cost.unusual += shard.unusual.get().saturating_sub(shard.by_tasks.get());
                    cost.by_tasks += shard.by_tasks.get();
                    let sums = (&mut out.locks[*at], &mut longest[*at]);
                    add_lock(sums, shard, take_exemplars, &mut out.edges);
                }
                Into::Scope(at) => add_scope(&mut out.scopes[*at], shard),
                Into::Delay(at) => add_holds(&mut delays[*at].1, shard),
                Into::Pool(at) => add_holds(&mut out.pools[*at].acquire, shard),
            }
        }
    }
    for (lock, longest) in out.locks.iter_mut().zip(longest) {
        lock.worst_hold = longest.hold.map(told);
        lock.worst_wait = longest.wait.map(told);
    }
    let mut delays: HashMap<_, _> = delays.into_iter().collect();
    for scope in &mut out.scopes {
        scope.schedule_delay = delays.remove(scope.name.as_str()).unwrap_or_default();
        cost.polls += scope.poll.count();
        cost.scopes += scope.started;
    }
    let acquired = out.locks.iter().map(|lock| lock.outcome(Outcome::Acquired)).sum::<u64>();
    cost.usual = acquired.saturating_sub(cost.unusual + cost.by_tasks);
    (place, cost)
}

fn add_holds(into: &mut Histogram, shard: &Shard) {
    into.add_counts(shard.hold.each(), shard.hold_sum.get(), shard.hold_max.get());
}

fn empty(series: &Series) -> LockSeries {
    let (kind, mode) = series.lock().unwrap_or_default();
    let (name, declared) = (series.name.to_owned(), series.declared());
    LockSeries { name, kind, mode, declared, ..LockSeries::default() }
}

/// The longest of one series, without their texts as yet.
#[derive(Clone, Copy, Default)]
struct Longest {
    hold: Option<WorstCell>,
    wait: Option<WorstCell>,
}

fn add_lock(
    (out, longest): (&mut LockSeries, &mut Longest),
    shard: &Shard,
    take_exemplars: bool,
    edges: &mut Vec<Edge>,
) {
    add_holds(&mut out.hold, shard);
    out.hold_suspended_ns = out.hold_suspended_ns.wrapping_add(shard.suspended.get());
    out.migrated += shard.migrated.get();
    for (depth, (to, from)) in (1..).zip(out.depth.iter_mut().zip(&shard.depth)) {
        let count = from.get();
        *to += count;
        if depth < DEPTHS as u64 {
            out.depth_sum += depth * count;
        }
        out.outcomes[Outcome::Acquired as usize] += count;
    }
    out.depth_sum += shard.deep_sum.get();
    out.outcomes[Outcome::WouldBlock as usize] += shard.would_block.get();
    if let Some(mut notable) = shard.notable_beyond(longest.hold.map_or(0, |known| known.ns)) {
        keep_longer(&mut longest.hold, notable.worst_hold);
        if let Some(exemplar) =
            notable.hold_exemplar.filter(|e| out.hold_exemplar.is_none_or(|known| e.ns > known.ns))
        {
            out.hold_exemplar = Some(exemplar);
        }
        if take_exemplars {
            notable.hold_exemplar = None;
            shard.reset_exemplar_floor(&mut notable);
        }
    }
    if let Some(mut contention) = shard.contention() {
        keep_longer(&mut longest.wait, contention.worst_wait);
        add_contention(out, &mut contention, take_exemplars, edges);
    }
}

fn add_contention(
    out: &mut LockSeries,
    contention: &mut Contention,
    take_exemplars: bool,
    edges: &mut Vec<Edge>,
) {
    for (to, from) in out.outcomes.iter_mut().zip(contention.outcomes) {
        *to += from;
    }
    for (to, from) in out.wait.iter_mut().zip(&contention.wait) {
        if let Some(from) = from {
            to.add_counts((0..).zip(from.counts), from.sum_ns, from.max_ns);
        }
    }
    out.claim_delay_ns = out.claim_delay_ns.wrapping_add(contention.claim_delay_ns);
    for (cause, exemplar) in &contention.wait_exemplars {
        match out.wait_exemplars.iter_mut().find(|(known, _)| known == cause) {
            Some((_, known)) if exemplar.ns > known.ns => *known = *exemplar,
            Some(_) => {}
            None => out.wait_exemplars.push((*cause, *exemplar)),
        }
    }
    edges.extend(contention.edges.iter().map(|edge| Edge {
        lock: out.name.clone(),
        cause: edge.cause,
        waiter: edge.waiter.text().to_owned(),
        holder: edge.holder.text().to_owned(),
        holder_site: edge.holder_site.map(site_text).unwrap_or_default(),
        waits: edge.waits,
        wait_ns: edge.wait_ns,
    }));
    if take_exemplars {
        contention.wait_exemplars.clear();
    }
}

fn keep_longer(to: &mut Option<WorstCell>, from: Option<WorstCell>) {
    if from.is_some_and(|from| to.is_none_or(|known| from.ns > known.ns)) {
        *to = from;
    }
}

fn told(longest: WorstCell) -> Worst {
    let WorstCell { ns, owner, site } = longest;
    Worst { ns, owner: owner.text().to_owned(), site: site_text(site) }
}

fn add_scope(out: &mut ScopeSeries, shard: &Shard) {
    add_holds(&mut out.poll, shard);
    out.started += shard.scope.started.get();
    out.finished += shard.scope.finished.get();
    out.cancelled += shard.scope.cancelled.get();
    out.panicked += shard.scope.panicked.get();
    out.spawn_delay_ns = out.spawn_delay_ns.wrapping_add(shard.scope.spawn_delay.get());
    for (to, from) in out.idle_ns.iter_mut().zip(&shard.scope.idle) {
        *to = to.wrapping_add(from.get());
    }
}

/// Who has a lock alone, and since when, by the lock's identity.
type Alone = HashMap<usize, (u64, Label)>;

fn add_open_holds(out: &mut Snapshot, place: &HashMap<u32, usize>) -> Alone {
    let now = clock::now();
    let mut alone = Alone::new();
    slab::each_live(|cell| {
        for (_, hold) in cell.all_holds() {
            if hold.share.is_exclusive() {
                let holder = (hold.since, cell.label_at(hold.site));
                let known = alone.entry(hold.lock).or_insert(holder);
                // A guard that was forgotten stays, also when another lock has taken that place.
                if hold.since > known.0 {
                    *known = holder;
                }
            }
            let Some(series) = place.get(&hold.series).and_then(|at| out.locks.get_mut(*at)) else {
                continue;
            };
            series.holders += 1;
            let age_ns = now.saturating_sub(hold.since);
            if series.oldest_hold.as_ref().is_none_or(|open| age_ns > open.age_ns) {
                series.oldest_hold = Some(open_hold(cell, &hold, age_ns));
            }
        }
    });
    alone
}

fn open_hold(cell: &OwnerCell, hold: &HoldInfo, age_ns: u64) -> Open {
    let owner = cell.label_at(hold.site).text().to_owned();
    Open { age_ns, owner, site: site_text(hold.site), holder: String::new() }
}

fn add_open_waits(out: &mut Snapshot, place: &HashMap<u32, usize>, alone: &Alone) {
    let now = clock::now();
    let mut edges: HashMap<(String, &'static str, &'static str), (u64, u64)> = HashMap::new();
    for record in Record::all() {
        let holder = holder_of(&record, alone);
        for wait in record.queue().waits() {
            let Some(waiter) = &wait.waiter else { continue };
            let number = class::series_of(record.series, wait.mode);
            let Some(series) = place.get(&number).and_then(|at| out.locks.get_mut(*at)) else {
                continue;
            };
            series.waiters += 1;
            let age_ns = now.saturating_sub(waiter.since);
            if series.oldest_wait.as_ref().is_none_or(|open| age_ns > open.age_ns) {
                let (owner, site) = (waiter.label.text().to_owned(), site_text(waiter.site));
                series.oldest_wait =
                    Some(Open { age_ns, owner, site, holder: holder.text().to_owned() });
            }
            let edge =
                edges.entry((series.name.clone(), waiter.label.text(), holder.text())).or_default();
            edge.0 += 1;
            edge.1 = edge.1.max(age_ns);
        }
    }
    out.open_edges.extend(edges.into_iter().map(|((lock, waiter, holder), (waits, oldest_ns))| {
        OpenEdge { lock, waiter: waiter.to_owned(), holder: holder.to_owned(), waits, oldest_ns }
    }));
    out.open_edges
        .sort_by(|a, b| (&a.lock, &a.waiter, &a.holder).cmp(&(&b.lock, &b.waiter, &b.holder)));
}

/// Who has the lock of this record now: of several the one that has held longest.
fn holder_of(record: &Record, alone: &Alone) -> Label {
    if let Some((_, label)) = alone.get(&record.lock()) {
        return *label;
    }
    let together = record.holders(0);
    let oldest = together.iter().min_by_key(|(_, hold)| hold.since);
    oldest.map_or(Label::NOBODY, |(cell, hold)| cell.label_at(hold.site))
}

/// Sums the edges of all threads, the costliest first.
fn merge_edges(edges: &mut Vec<Edge>) {
    let key = |e: &Edge| (e.lock.clone(), e.cause, e.waiter.clone(), e.holder.clone());
    edges.sort_by_key(key);
    edges.dedup_by(|from, to| {
        if key(from) != key(to) {
            return false;
        }
        to.waits += from.waits;
        to.wait_ns = to.wait_ns.wrapping_add(from.wait_ns);
        if to.holder_site.is_empty() {
            to.holder_site = std::mem::take(&mut from.holder_site);
        }
        true
    });
    edges.sort_by(|a, b| b.wait_ns.cmp(&a.wait_ns).then_with(|| key(a).cmp(&key(b))));
}

/// Notes that telemetry was delivered at this moment, nanoseconds since the Unix epoch.
pub fn note_export(unix_ns: u64) {
    loss::note_export(unix_ns);
}

/// Counts something that a part of plock outside this crate had to leave out.
pub fn count_dropped(reason: Dropped, n: u64) {
    loss::count(reason, n);
}
