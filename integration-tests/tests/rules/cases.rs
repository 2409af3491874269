//! What happens in each case, and which alerts that raises.

use crate::script::{Case, Fires};
use crate::words::{
    ACQUIRED, ACROSS, ACROSS_AWAIT, BLOCKED, BLOCKED_POLLS, COLLECTOR, CONVOY, DAY, DEADLOCK,
    DROPPING, EXPORT, FOLDED, HELD, HELD_TOO_LONG, HOUR, LEAK, LOCK, LONG_HOLDS, LONG_POLLS,
    OVERHEAD, PERMIT_HELD, POISON, POISONED, POOL, POOL_ACQUIRED, POOL_BLOCKED, POOL_WAIT, QUEUE,
    READS, ROOT, SELF_DEADLOCK, SERVICE_SILENT, SILENT, SIX_HOURS, SIX_HOURS_AFTER, SPANS, STARVED,
    STUCK, SURGE, TASK, TELEMETRY_SILENT, THREE_DAYS, UNDER_LOCK, WAIT, WAITED, WATCHDOG,
    WHILE_HOLDING, WRITE, delayed, pool_stall,
};

/// A line of the table below.
const fn case(
    alert: &'static str,
    name: &'static str,
    series: &'static [(&'static str, &'static str, &'static str)],
    at: &'static str,
    fires: &'static [Fires],
) -> Case {
    Case { alert, name, step: "15s", series, at, fires }
}

/// The same with a value a minute.
const fn slow(
    alert: &'static str,
    name: &'static str,
    series: &'static [(&'static str, &'static str, &'static str)],
    at: &'static str,
    fires: &'static [Fires],
) -> Case {
    Case { alert, name, step: "1m", series, at, fires }
}

#[rustfmt::skip]
pub(crate) const CASES: &[Case] = &[
    case("PlockHeldTooLong", "0.6 s with a waiter", &[("plock_held_seconds", HELD, "0.6x20"), ("plock_waiters", LOCK, "1x20")], "1m", HELD_TOO_LONG),
    case("PlockHeldTooLong", "just below", &[("plock_held_seconds", HELD, "0.49x20"), ("plock_waiters", LOCK, "1x20")], "1m", SILENT),
    case("PlockHeldTooLong", "nobody waits", &[("plock_held_seconds", HELD, "0.6x20"), ("plock_waiters", LOCK, "0x20")], "1m", SILENT),
    case("PlockHeldTooLong", "one scrape only", &[("plock_held_seconds", HELD, "0.1 0.6 0.1x20"), ("plock_waiters", LOCK, "1x20")], "30s", SILENT),

    case("PlockHeldTooLong", "a permit is kept while it is used", &[("plock_held_seconds", PERMIT_HELD, "5x20"), ("plock_waiters", POOL, "1x20")], "1m", SILENT),

    case("PlockLockStuck", "11 s", &[("plock_held_seconds", WAITED, "11x20")], "1m", STUCK),
    case("PlockLockStuck", "just below", &[("plock_held_seconds", WAITED, "9.9x20")], "1m", SILENT),
    case("PlockLockStuck", "held long, and nobody waits as long", &[("plock_held_seconds", HELD, "60x20"), ("plock_held_seconds", WAITED, "0.1x20")], "1m", SILENT),

    case("PlockRootBlocker", "three victims", &[
        ("plock_block_edges", r#"lock_name="inventory",lock_waiter="stock",lock_holder="POST /orders""#, "2x20"),
        ("plock_block_edges", r#"lock_name="inventory",lock_waiter="report",lock_holder="POST /orders""#, "1x20"), ("plock_waiters", LOCK, "3x20")], "1m", ROOT),
    case("PlockRootBlocker", "in one process, while another of the same name waits elsewhere", &[
        ("plock_block_edges", r#"lock_name="inventory",lock_waiter="stock",lock_holder="POST /orders""#, "3x20"),
        ("plock_block_edges", r#"job="orders",instance="b",lock_name="inventory",lock_waiter="POST /orders",lock_holder="report""#, "1x20"),
        ("plock_waiters", LOCK, "3x20")], "1m", ROOT),
    case("PlockRootBlocker", "two victims", &[("plock_block_edges", r#"lock_name="inventory",lock_waiter="stock",lock_holder="POST /orders""#, "2x20"), ("plock_waiters", LOCK, "2x20")], "1m", SILENT),
    case("PlockRootBlocker", "it waits itself", &[
        ("plock_block_edges", r#"lock_name="inventory",lock_waiter="stock",lock_holder="POST /orders""#, "3x20"),
        ("plock_block_edges", r#"lock_name="catalogue",lock_waiter="POST /orders",lock_holder="report""#, "1x20"), ("plock_waiters", LOCK, "3x20")], "1m", SILENT),
    case("PlockRootBlocker", "nobody knows who holds", &[("plock_block_edges", r#"lock_name="inventory",lock_waiter="stock",lock_holder="unknown""#, "3x20"), ("plock_waiters", LOCK, "3x20")], "1m", SILENT),
    case("PlockRootBlocker", "one of those who have a permit", &[
        ("plock_block_edges", r#"lock_name="connections",lock_waiter="stock",lock_holder="report""#, "3x20"), ("plock_waiters", POOL, "3x20")], "1m", SILENT),

    case("PlockPoolStall", "slow waits and a line, classic", &[
        ("plock_wait_duration_seconds_count", POOL_WAIT, "0+10x60"), ("plock_wait_duration_seconds_bucket", pool!("0.3"), "0+1x60"),
        ("plock_wait_duration_seconds_bucket", pool!("0.5"), "0+10x60"), ("plock_wait_duration_seconds_bucket", pool!("+Inf"), "0+10x60"),
        ("plock_waiters", POOL, "3x60")], "10m", &[pool_stall("99 of 100 callers that had to wait for connections in a of orders waited up to 497.8ms, and more are in line.")]),
    case("PlockPoolStall", "slow waits and a line, native", &[
        ("plock_wait_duration_seconds", POOL_WAIT, "{{schema:0 sum:0 count:0 buckets:[0]}}+{{schema:0 sum:7.5 count:10 buckets:[10]}}x60"),
        ("plock_waiters", POOL, "3x60")], "10m", &[pool_stall("99 of 100 callers that had to wait for connections in a of orders waited up to 993.1ms, and more are in line.")]),
    case("PlockPoolStall", "both forms stored", &[
        ("plock_wait_duration_seconds", POOL_WAIT, "{{schema:0 sum:0 count:0 buckets:[0]}}+{{schema:0 sum:7.5 count:10 buckets:[10]}}x60"),
        ("plock_wait_duration_seconds_count", POOL_WAIT, "0+10x60"), ("plock_wait_duration_seconds_bucket", pool!("0.3"), "0+1x60"),
        ("plock_wait_duration_seconds_bucket", pool!("0.5"), "0+10x60"), ("plock_wait_duration_seconds_bucket", pool!("+Inf"), "0+10x60"),
        ("plock_waiters", POOL, "3x60")], "10m", &[pool_stall("99 of 100 callers that had to wait for connections in a of orders waited up to 497.8ms, and more are in line.")]),
    case("PlockPoolStall", "nobody in line", &[
        ("plock_wait_duration_seconds_count", POOL_WAIT, "0+10x60"), ("plock_wait_duration_seconds_bucket", pool!("0.3"), "0+1x60"),
        ("plock_wait_duration_seconds_bucket", pool!("+Inf"), "0+10x60"), ("plock_waiters", POOL, "0x60")], "10m", SILENT),
    case("PlockPoolStall", "quick waits", &[
        ("plock_wait_duration_seconds_count", POOL_WAIT, "0+10x60"), ("plock_wait_duration_seconds_bucket", pool!("0.1"), "0+10x60"),
        ("plock_wait_duration_seconds_bucket", pool!("+Inf"), "0+10x60"), ("plock_waiters", POOL, "3x60")], "10m", SILENT),
    case("PlockPoolStall", "too few to tell", &[
        ("plock_wait_duration_seconds_count", POOL_WAIT, "0+0.9x60"), ("plock_wait_duration_seconds_bucket", pool!("0.3"), "0x60"),
        ("plock_wait_duration_seconds_bucket", pool!("0.5"), "0+0.9x60"), ("plock_wait_duration_seconds_bucket", pool!("+Inf"), "0+0.9x60"),
        ("plock_waiters", POOL, "3x60")], "10m", SILENT),

    case("PlockLongHolds", "four of forty, classic", &[("plock_hold_duration_seconds_count", LOCK, "0+1x80"), ("plock_hold_duration_seconds_bucket", hold!("0.5"), "0+0.9x80")], "15m", LONG_HOLDS),
    case("PlockLongHolds", "four of forty, native", &[("plock_hold_duration_seconds", LOCK, "{{schema:0 sum:0 count:0 buckets:[0 0]}}+{{schema:0 sum:1 count:1 offset:-1 buckets:[0.9 0.1]}}x80")], "15m", LONG_HOLDS),
    case("PlockLongHolds", "four of forty, both forms stored and counted once", &[
        ("plock_hold_duration_seconds_count", LOCK, "0+1x80"), ("plock_hold_duration_seconds_bucket", hold!("0.5"), "0+0.9x80"),
        ("plock_hold_duration_seconds", LOCK, "{{schema:0 sum:0 count:0 buckets:[0 0]}}+{{schema:0 sum:1 count:1 offset:-1 buckets:[0.9 0.1]}}x80")], "15m", LONG_HOLDS),
    case("PlockLongHolds", "permits are kept while they are used", &[("plock_hold_duration_seconds_count", POOL, "0+1x80"), ("plock_hold_duration_seconds_bucket", permit!("0.5"), "0x80")], "15m", SILENT),
    case("PlockLongHolds", "fewer", &[("plock_hold_duration_seconds_count", LOCK, "0+1x80"), ("plock_hold_duration_seconds_bucket", hold!("0.5"), "0+0.93x80")], "15m", SILENT),

    case("PlockConvoy", "four in line, 60 % wait", &[("plock_blocked_time_seconds_total", BLOCKED, "0+60x100"), ("plock_wait_duration_seconds_count", WAIT, "0+6x100"), ("plock_acquisitions_total", ACQUIRED, "0+10x100")], "20m", CONVOY),
    case("PlockConvoy", "held for two thirds of the time only, hand-overs take the rest", &[
        ("plock_hold_duration_seconds_sum", LOCK, "0+10x100"), ("plock_blocked_time_seconds_total", BLOCKED, "0+60x100"),
        ("plock_wait_duration_seconds_count", WAIT, "0+9x100"), ("plock_acquisitions_total", ACQUIRED, "0+10x100")], "20m", CONVOY),
    case("PlockConvoy", "fewer than three in line", &[("plock_blocked_time_seconds_total", BLOCKED, "0+44x100"), ("plock_wait_duration_seconds_count", WAIT, "0+6x100"), ("plock_acquisitions_total", ACQUIRED, "0+10x100")], "20m", SILENT),
    case("PlockConvoy", "few wait, and long", &[("plock_blocked_time_seconds_total", BLOCKED, "0+60x100"), ("plock_wait_duration_seconds_count", WAIT, "0+4x100"), ("plock_acquisitions_total", ACQUIRED, "0+10x100")], "20m", SILENT),
    case("PlockConvoy", "permits are waited for as long as the work takes", &[("plock_blocked_time_seconds_total", POOL_BLOCKED, "0+60x100"), ("plock_wait_duration_seconds_count", POOL_WAIT, "0+6x100"), ("plock_acquisitions_total", POOL_ACQUIRED, "0+10x100")], "20m", SILENT),
    case("PlockConvoy", "too short", &[("plock_blocked_time_seconds_total", BLOCKED, "0+60x100"), ("plock_wait_duration_seconds_count", WAIT, "0+6x100"), ("plock_acquisitions_total", ACQUIRED, "0+10x100")], "9m", SILENT),

    slow("PlockContentionSurge", "ten times the mean", &[("plock_blocked_time_seconds_total", BLOCKED, "0+6x180 1140+60x60")], "210m", SURGE),
    slow("PlockContentionSurge", "three times the mean", &[("plock_blocked_time_seconds_total", BLOCKED, "0+6x180 1098+18x60")], "210m", SILENT),
    slow("PlockContentionSurge", "much more than nothing is still nothing", &[("plock_blocked_time_seconds_total", BLOCKED, "0+0.06x180 19.8+9x60")], "210m", SILENT),

    case("PlockWriterStarved", "writers wait seconds", &[
        ("plock_wait_duration_seconds_count", WRITE, "0+2x120"), ("plock_wait_duration_seconds_bucket", write!("1"), "0x120"),
        ("plock_wait_duration_seconds_bucket", write!("5"), "0+2x120"), ("plock_wait_duration_seconds_bucket", write!("+Inf"), "0+2x120"),
        ("plock_acquisitions_total", READS, "0+50x120")], "20m", STARVED),
    case("PlockWriterStarved", "nobody reads", &[
        ("plock_wait_duration_seconds_count", WRITE, "0+2x120"), ("plock_wait_duration_seconds_bucket", write!("1"), "0x120"),
        ("plock_wait_duration_seconds_bucket", write!("5"), "0+2x120"), ("plock_wait_duration_seconds_bucket", write!("+Inf"), "0+2x120"),
        ("plock_acquisitions_total", READS, "50x120")], "20m", SILENT),
    case("PlockWriterStarved", "writers wait little", &[
        ("plock_wait_duration_seconds_count", WRITE, "0+2x120"), ("plock_wait_duration_seconds_bucket", write!("1"), "0+2x120"),
        ("plock_wait_duration_seconds_bucket", write!("+Inf"), "0+2x120"), ("plock_acquisitions_total", READS, "0+50x120")], "20m", SILENT),

    case("PlockDeadlockDetected", "the first one, at once", &[("plock_deadlocks_total", SELF_DEADLOCK, "0x40 1x40")], "10m15s", DEADLOCK),
    case("PlockDeadlockDetected", "one before the first look", &[("plock_deadlocks_total", SELF_DEADLOCK, "_x20 1x40")], "5m15s", DEADLOCK),
    case("PlockDeadlockDetected", "an hour and more ago", &[("plock_deadlocks_total", SELF_DEADLOCK, "_x2 1x360")], "80m", SILENT),
    case("PlockDeadlockDetected", "none", &[("plock_deadlocks_total", SELF_DEADLOCK, "0x80")], "12m", SILENT),

    case("PlockLockPoisoned", "one panic", &[("plock_poisoned_total", POISONED, "0x40 1x40")], "12m", POISON),
    case("PlockLockPoisoned", "one before the first look", &[("plock_poisoned_total", POISONED, "_x20 1x40")], "7m", POISON),
    case("PlockLockPoisoned", "none", &[("plock_poisoned_total", POISONED, "0x80")], "12m", SILENT),

    case("PlockGuardAcrossAwait", "one guard", &[("plock_findings_total", ACROSS_AWAIT, "0x40 1x40")], "12m", ACROSS),
    case("PlockGuardAcrossAwait", "one before the first look", &[("plock_findings_total", ACROSS_AWAIT, "_x20 1x40")], "7m", ACROSS),
    case("PlockGuardAcrossAwait", "another mistake", &[("plock_findings_total", ACROSS_AWAIT, "0x80"), ("plock_findings_total", UNDER_LOCK, "0x40 1x40")], "12m", SILENT),

    case("PlockWaitWhileHolding", "a tenth of a task", &[("plock_findings_time_seconds_total", UNDER_LOCK, "0+1.5x120")], "20m", WHILE_HOLDING),
    case("PlockWaitWhileHolding", "a twenty-fifth of a task", &[("plock_findings_time_seconds_total", UNDER_LOCK, "0+0.6x120")], "20m", SILENT),
    case("PlockWaitWhileHolding", "for four minutes", &[("plock_findings_time_seconds_total", UNDER_LOCK, "0+1.5x120")], "4m", SILENT),

    case("PlockLongPolls", "2 % over 10 ms", &[("plock_task_poll_duration_seconds_count", TASK, "0+100x120"), ("plock_task_poll_duration_seconds_bucket", task!("0.01"), "0+98x120"), ("plock_task_poll_duration_seconds_bucket", task!("0.05"), "0+100x120")], "25m", &[LONG_POLLS]),
    case("PlockLongPolls", "2 % over 50 ms", &[("plock_task_poll_duration_seconds_count", TASK, "0+100x120"), ("plock_task_poll_duration_seconds_bucket", task!("0.01"), "0+98x120"), ("plock_task_poll_duration_seconds_bucket", task!("0.05"), "0+98x120")], "25m", &[LONG_POLLS, BLOCKED_POLLS]),
    case("PlockLongPolls", "half a percent", &[("plock_task_poll_duration_seconds_count", TASK, "0+100x120"), ("plock_task_poll_duration_seconds_bucket", task!("0.01"), "0+99.5x120"), ("plock_task_poll_duration_seconds_bucket", task!("0.05"), "0+100x120")], "25m", SILENT),
    case("PlockLongPolls", "too few polls", &[("plock_task_poll_duration_seconds_count", TASK, "0+0.4x120"), ("plock_task_poll_duration_seconds_bucket", task!("0.01"), "0x120"), ("plock_task_poll_duration_seconds_bucket", task!("0.05"), "0x120")], "25m", SILENT),

    case("PlockSchedulingDelayHigh", "10 ms", &[("plock_task_schedule_delay_seconds_count", TASK, "0+10x120"), ("plock_task_schedule_delay_seconds_bucket", task!("0.005"), "0x120"), ("plock_task_schedule_delay_seconds_bucket", task!("0.01"), "0+10x120"), ("plock_task_schedule_delay_seconds_bucket", task!("+Inf"), "0+10x120")], "25m",
        &[delayed("warning", "99 of 100 woken tasks in a of orders are polled within 9.95ms only.")]),
    case("PlockSchedulingDelayHigh", "300 ms", &[("plock_task_schedule_delay_seconds_count", TASK, "0+10x120"), ("plock_task_schedule_delay_seconds_bucket", task!("0.1"), "0x120"), ("plock_task_schedule_delay_seconds_bucket", task!("0.3"), "0+10x120"), ("plock_task_schedule_delay_seconds_bucket", task!("+Inf"), "0+10x120")], "25m",
        &[delayed("warning", "99 of 100 woken tasks in a of orders are polled within 298ms only."), delayed("critical", "99 of 100 woken tasks in a of orders are polled within 298ms only.")]),
    case("PlockSchedulingDelayHigh", "4 ms", &[("plock_task_schedule_delay_seconds_count", TASK, "0+10x120"), ("plock_task_schedule_delay_seconds_bucket", task!("0.005"), "0+10x120"), ("plock_task_schedule_delay_seconds_bucket", task!("+Inf"), "0+10x120")], "25m", SILENT),
    case("PlockSchedulingDelayHigh", "for five minutes", &[("plock_task_schedule_delay_seconds_count", TASK, "0+10x120"), ("plock_task_schedule_delay_seconds_bucket", task!("0.1"), "0x120"), ("plock_task_schedule_delay_seconds_bucket", task!("0.3"), "0+10x120"), ("plock_task_schedule_delay_seconds_bucket", task!("+Inf"), "0+10x120")], "5m", SILENT),

    slow("PlockTaskLeak", "a hundred more a minute", &[("plock_tasks", TASK, "1000+100x120")], "100m", LEAK),
    slow("PlockTaskLeak", "a burst", &[("plock_tasks", TASK, "1000x60 9000x8 1000x60")], "66m", SILENT),
    slow("PlockTaskLeak", "many but level", &[("plock_tasks", TASK, "6000x120")], "100m", SILENT),
    slow("PlockTaskLeak", "growth of a few", &[("plock_tasks", TASK, "100+30x120")], "100m", SILENT),

    slow("PlockSLOBurn", "2 % for ten minutes", &[("plock_acquisitions_total", ACQUIRED, "0+1000x30"), ("plock_wait_duration_seconds_count", WAIT, "0+40x30"), ("plock_wait_duration_seconds_bucket", wait!("0.01"), "0+20x30")], "10m", &[HOUR]),
    slow("PlockSLOBurn", "1 % for half an hour", &[("plock_acquisitions_total", ACQUIRED, "0+1000x60"), ("plock_wait_duration_seconds_count", WAIT, "0+40x60"), ("plock_wait_duration_seconds_bucket", wait!("0.01"), "0+30x60")], "30m", &[SIX_HOURS]),
    slow("PlockSLOBurn", "half a percent for two hours", &[("plock_acquisitions_total", ACQUIRED, "0+1000x150"), ("plock_wait_duration_seconds_count", WAIT, "0+40x150"), ("plock_wait_duration_seconds_bucket", wait!("0.01"), "0+35x150")], "120m", &[DAY]),
    slow("PlockSLOBurn", "0.2 % for four hours", &[("plock_acquisitions_total", ACQUIRED, "0+1000x260"), ("plock_wait_duration_seconds_count", WAIT, "0+40x260"), ("plock_wait_duration_seconds_bucket", wait!("0.01"), "0+38x260")], "240m", &[THREE_DAYS]),
    slow("PlockSLOBurn", "within the objective for four hours", &[("plock_acquisitions_total", ACQUIRED, "0+1000x260"), ("plock_wait_duration_seconds_count", WAIT, "0+40x260"), ("plock_wait_duration_seconds_bucket", wait!("0.01"), "0+39.5x260")], "240m", SILENT),
    slow("PlockSLOBurn", "over for the shortest window, not for the next", &[("plock_acquisitions_total", ACQUIRED, "0+1000x60"), ("plock_wait_duration_seconds_count", WAIT, "0+60x60"), ("plock_wait_duration_seconds_bucket", wait!("0.01"), "0+20x10 260+60x50")], "21m", &[SIX_HOURS_AFTER]),

    case("PlockNamesFolded", "four a minute", &[("plock_telemetry_dropped_total", r#"reason="class_limit""#, "0+1x120")], "25m", FOLDED),
    case("PlockNamesFolded", "another reason", &[("plock_telemetry_dropped_total", r#"reason="detail_limit""#, "0+1x120")], "25m", SILENT),

    case("PlockSpansLost", "four a minute", &[("plock_telemetry_dropped_total", r#"reason="span_lost""#, "0+1x120")], "25m", SPANS),
    case("PlockSpansLost", "another reason", &[("plock_telemetry_dropped_total", r#"reason="link_missing""#, "0+1x120")], "25m", SILENT),

    case("PlockExportFailing", "nothing for five minutes", &[("plock_telemetry_last_export_seconds", "", "60x40")], "6m", EXPORT),
    case("PlockExportFailing", "pushes every 15 s", &[("plock_telemetry_last_export_seconds", "", "0+15x40")], "6m", SILENT),
    case("PlockExportFailing", "one missed push", &[("plock_telemetry_last_export_seconds", "", "0+15x20 300x4 375+15x20")], "6m", SILENT),

    slow("PlockTelemetrySilent", "the metrics stop, the scrapes do not", &[("up", "", "1x120"), ("plock_build_info", r#"version="1",clock="tsc""#, "1x70 _x50")], "85m", TELEMETRY_SILENT),
    slow("PlockTelemetrySilent", "the process is down", &[("up", "", "1x70 0x50"), ("plock_build_info", r#"version="1",clock="tsc""#, "1x70 _x50")], "85m", SILENT),
    slow("PlockTelemetrySilent", "a job that never had plock", &[("up", r#"job="proxy",instance="p""#, "1x120"), ("plock_build_info", r#"version="1",clock="tsc""#, "1x120")], "85m", SILENT),

    slow("PlockServiceSilent", "all processes stop", &[("plock_build_info", r#"version="1",clock="tsc""#, "1x70 _x50")], "85m", SERVICE_SILENT),
    slow("PlockServiceSilent", "one of two stops", &[("plock_build_info", r#"version="1",clock="tsc""#, "1x70 _x50"), ("plock_build_info", r#"job="orders",instance="b",version="1",clock="tsc""#, "1x120")], "85m", SILENT),

    case("PlockOverheadHigh", "2 % of a core", &[("plock_telemetry_overhead_time_seconds_total", "", "0+0.3x100")], "20m", OVERHEAD),
    case("PlockOverheadHigh", "0.7 % of a core", &[("plock_telemetry_overhead_time_seconds_total", "", "0+0.1x100")], "20m", SILENT),

    case("PlockCollectorDropping", "refuses 2 %", &[("otelcol_receiver_refused_metric_points", COLLECTOR, "0+2x120"), ("otelcol_receiver_accepted_metric_points", COLLECTOR, "0+98x120")], "25m", DROPPING),
    case("PlockCollectorDropping", "gives 2 % up", &[("otelcol_exporter_send_failed_spans", COLLECTOR, "0+2x120"), ("otelcol_exporter_sent_spans", COLLECTOR, "0+98x120")], "25m", DROPPING),
    case("PlockCollectorDropping", "gives 2 % of the spans up, and no metric", &[("otelcol_exporter_send_failed_spans", COLLECTOR, "0+2x120"), ("otelcol_exporter_sent_spans", COLLECTOR, "0+98x120"), ("otelcol_exporter_send_failed_metric_points", COLLECTOR, "0x120"), ("otelcol_exporter_sent_metric_points", COLLECTOR, "0+98x120")], "25m", DROPPING),
    case("PlockCollectorDropping", "half a percent", &[("otelcol_receiver_refused_metric_points", COLLECTOR, "0+0.5x120"), ("otelcol_receiver_accepted_metric_points", COLLECTOR, "0+99.5x120")], "25m", SILENT),
    case("PlockCollectorDropping", "nothing arrives, nothing is refused", &[("otelcol_receiver_refused_metric_points", COLLECTOR, "0x120"), ("otelcol_receiver_accepted_metric_points", COLLECTOR, "0x120")], "25m", SILENT),

    case("PlockCollectorQueueFull", "90 %", &[("otelcol_exporter_queue_size", r#"job="otelcol",instance="c",exporter="store""#, "900x40"), ("otelcol_exporter_queue_capacity", r#"job="otelcol",instance="c",exporter="store""#, "1000x40")], "8m", QUEUE),
    case("PlockCollectorQueueFull", "half", &[("otelcol_exporter_queue_size", r#"job="otelcol",instance="c",exporter="store""#, "500x40"), ("otelcol_exporter_queue_capacity", r#"job="otelcol",instance="c",exporter="store""#, "1000x40")], "8m", SILENT),

    case("PlockWatchdog", "nothing at all", &[("up", "", "1x4")], "30s", WATCHDOG),
];
