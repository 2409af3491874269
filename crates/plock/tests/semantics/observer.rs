//! Keeps what every scope reports, under the scope's name. Each scope is its own span, so a link
//! names one scope exactly. Names are unique per test.

use plock::{Detail, ScopeObserver, ScopeReport, SpanRef, WaitDetail};
use std::any::Any;
use std::cell::Cell;
use std::collections::HashMap;
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Scopes with such names have no span: nothing is kept of them, as for an unsampled request.
pub(crate) const UNOBSERVED: &str = "unobserved ";

/// What one scope reported.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) span: SpanRef,
    pub(crate) report: ScopeReport,
}

impl Told {
    /// Its waits, longest first.
    pub(crate) fn waits(&self) -> Vec<(&Detail, &WaitDetail)> {
        self.report
            .details
            .iter()
            .filter_map(|detail| Some((detail, detail.wait.as_ref()?)))
            .collect()
    }

    /// Its only wait.
    #[track_caller]
    pub(crate) fn wait(&self) -> (&Detail, &WaitDetail) {
        let waits = self.waits();
        assert_eq!(waits.len(), 1, "one wait of {}: {waits:#?}", self.report.name);
        waits[0]
    }

    /// Its holds, longest first.
    pub(crate) fn holds(&self) -> Vec<&Detail> {
        self.report.details.iter().filter(|detail| detail.wait.is_none()).collect()
    }

    /// Its only hold.
    #[track_caller]
    pub(crate) fn hold(&self) -> &Detail {
        let holds = self.holds();
        assert_eq!(holds.len(), 1, "one hold of {}: {holds:#?}", self.report.name);
        holds[0]
    }
}

struct Collector;

static SPANS: AtomicU64 = AtomicU64::new(1);

/// Reports by the name of their scope.
type ByName<T> = Mutex<Option<HashMap<&'static str, T>>>;

static TOLD: ByName<Vec<Told>> = Mutex::new(None);
static JUDGES: ByName<fn(&Told)> = Mutex::new(None);
thread_local!(static LAST: Cell<SpanRef> = const { Cell::new(SpanRef::new(0, 0, false)) });

/// Collects from now on, every wait and hold in detail.
pub(crate) fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        plock::set_slow_threshold(Duration::ZERO);
        assert!(plock::set_observer(Box::new(Collector)).is_ok(), "the first observer");
    });
}

/// Hands the reports of the scopes with this name to `judge` instead of keeping them.
pub(crate) fn judge(name: &'static str, judge: fn(&Told)) {
    JUDGES
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .get_or_insert_default()
        .insert(name, judge);
}

/// The span of the scope that started last on this thread.
pub(crate) fn last_started() -> SpanRef {
    LAST.get()
}

/// What the scopes with this name reported, in the order they ended.
pub(crate) fn all_told(name: &str) -> Vec<Told> {
    let told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    told.as_ref().and_then(|told| told.get(name).cloned()).unwrap_or_default()
}

/// What the only scope with this name reported.
#[track_caller]
pub(crate) fn told(name: &str) -> Told {
    let mut told = all_told(name);
    assert_eq!(told.len(), 1, "one scope {name} has ended");
    told.remove(0)
}

impl ScopeObserver for Collector {
    fn started(&self, name: &'static str) -> Option<(SpanRef, Box<dyn Any + Send + Sync>)> {
        if name.starts_with(UNOBSERVED) {
            return None;
        }
        let id = SPANS.fetch_add(1, Relaxed);
        let span = SpanRef::new(u128::from(id) << 64 | 7, id, true);
        LAST.set(span);
        Some((span, Box::new(span)))
    }

    fn ended(&self, handle: Box<dyn Any + Send + Sync>, report: &ScopeReport) {
        let span = *handle.downcast::<SpanRef>().expect("what `started` returned");
        let told = Told { span, report: report.clone() };
        let judge = JUDGES.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(judge) = judge.as_ref().and_then(|judges| judges.get(report.name)).copied() {
            return judge(&told);
        }
        drop(judge);
        let mut all = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
        all.get_or_insert_default().entry(report.name).or_default().push(told);
    }

    fn current(&self) -> Option<SpanRef> {
        None
    }
}
