//! Names: bounded, interned once, alive for ever. A name is a label value, so it is cut to a length,
//! counted up to a cap, and folded into [`OVERFLOW`] beyond it.

use crate::{Dropped, loss};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::panic::Location;
use std::sync::{PoisonError, RwLock};

/// Label value that stands for everything beyond a cap.
pub const OVERFLOW: &str = "__overflow__";
/// Stands for a holder in the time in which nobody held the lock: it was on its way to a waiter.
pub const HANDED_OVER: &str = "(hand-over)";
/// Longest name in bytes; longer ones are cut.
pub const MAX_NAME: usize = 64;
/// Distinct labels of scopes and modules; further ones fold into [`OVERFLOW`].
pub const MAX_LABELS: usize = 4096;

/// An interned label: one pointer wide, so that it fits an atomic cell.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Label(pub(crate) &'static LabelText);

/// The text behind a [`Label`].
#[derive(Debug)]
pub(crate) struct LabelText(&'static str);

/// Each text is interned once, so the place tells.
impl PartialEq for Label {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl Eq for Label {}

/// The label everything beyond the cap folds into.
pub(crate) static OVERFLOW_LABEL: LabelText = LabelText(OVERFLOW);
/// The label of nobody in particular.
pub(crate) static NOBODY: LabelText = LabelText("");
/// The label of nobody, while the lock was on its way to somebody.
pub(crate) static HAND_OVER: LabelText = LabelText(HANDED_OVER);

struct Interner {
    by_text: HashMap<&'static str, Label>,
    by_site: HashMap<usize, Label>,
}

static LABELS: RwLock<Option<Interner>> = RwLock::new(None);

/// Cuts a name to [`MAX_NAME`] bytes at a character boundary and counts that.
pub(crate) fn bounded(name: &str) -> &str {
    if name.len() <= MAX_NAME {
        return name;
    }
    loss::count(Dropped::NameLength, 1);
    let end = (0..=MAX_NAME).rev().find(|i| name.is_char_boundary(*i)).unwrap_or(0);
    &name[..end]
}

impl Label {
    /// Stands for everything beyond the cap.
    pub(crate) const OVERFLOW: Self = Self(&OVERFLOW_LABEL);
    /// Stands for nobody in particular.
    pub(crate) const NOBODY: Self = Self(&NOBODY);
    /// Stands for time in which the lock was handed to others who had not run yet.
    pub(crate) const HAND_OVER: Self = Self(&HAND_OVER);

    /// Whether it names somebody.
    pub(crate) fn is_holder(self) -> bool {
        self != Self::NOBODY && self != Self::HAND_OVER
    }

    pub(crate) const fn text(self) -> &'static str {
        self.0.0
    }

    /// The label of a scope by its bounded name.
    pub(crate) fn intern(name: &str) -> Self {
        if let Some(known) = read(|labels| labels.by_text.get(name).copied()) {
            return known;
        }
        write(|labels| labels.insert(name))
    }

    /// The label of whoever acquires at a call site outside any scope: the module of the site. The
    /// line is left out on purpose, it would make a new series at every edit.
    pub(crate) fn of_site(site: &'static Location<'static>) -> Self {
        let key = std::ptr::from_ref(site).addr();
        if let Some(known) = read(|labels| labels.by_site.get(&key).copied()) {
            return known;
        }
        let module = module_of(site.file());
        write(|labels| {
            let label = labels.insert(bounded(&module));
            labels.by_site.insert(key, label);
            label
        })
    }
}

impl Interner {
    fn insert(&mut self, name: &str) -> Label {
        if let Some(known) = self.by_text.get(name) {
            return *known;
        }
        if self.by_text.len() >= MAX_LABELS {
            loss::count(Dropped::Names, 1);
            return Label::OVERFLOW;
        }
        let text: &'static str = Box::leak(name.to_owned().into_boxed_str());
        let label = Label(Box::leak(Box::new(LabelText(text))));
        self.by_text.insert(text, label);
        label
    }
}

fn read<T>(f: impl FnOnce(&Interner) -> Option<T>) -> Option<T> {
    LABELS.read().unwrap_or_else(PoisonError::into_inner).as_ref().and_then(f)
}

fn write<T>(f: impl FnOnce(&mut Interner) -> T) -> T {
    let mut labels = LABELS.write().unwrap_or_else(PoisonError::into_inner);
    f(labels.get_or_insert_with(|| Interner { by_text: HashMap::new(), by_site: HashMap::new() }))
}

/// The module path of a source file: `crate::module`, derived from where `src` is in its path.
pub(crate) fn module_of(file: &str) -> String {
    let parts: Vec<&str> = file.split(['/', '\\']).collect();
    let src =
        parts.iter().rposition(|part| matches!(*part, "src" | "tests" | "examples" | "benches"));
    let (krate, modules) = match src {
        Some(0) => (None, &parts[1..]),
        Some(i) => (Some(without_version(parts[i - 1])), &parts[i + 1..]),
        None => (None, &parts[parts.len().saturating_sub(1)..]),
    };
    let stem = |part: &&str| part.strip_suffix(".rs").unwrap_or(part).to_owned();
    let mut path: Vec<String> = modules.iter().map(stem).collect();
    if path.last().is_some_and(|last| matches!(last.as_str(), "main" | "lib" | "mod"))
        && (path.len() > 1 || krate.is_some())
    {
        path.pop();
    }
    let krate = krate.map(|name| name.replace('-', "_"));
    let path: Vec<String> = krate.into_iter().chain(path).collect();
    path.join("::")
}

/// `serde-1.0.2` is the crate `serde`.
fn without_version(directory: &str) -> &str {
    match directory.rsplit_once('-') {
        Some((name, version))
            if version.starts_with(|c: char| c.is_ascii_digit()) && version.contains('.') =>
        {
            name
        }
        _ => directory,
    }
}

/// `file:line:column`, for people and reports; never a label.
pub(crate) fn site_text(site: &Location<'_>) -> String {
    let mut text = String::with_capacity(site.file().len() + ":1234567:123".len()); // grows else
    let _ = write!(text, "{}:{}:{}", site.file(), site.line(), site.column());
    text
}

#[cfg(test)]
mod tests {
    use super::module_of;

    #[test]
    fn a_module_is_named_by_crate_and_path_without_lines() {
        assert_eq!(module_of("examples/orders/src/stock.rs"), "orders::stock");
        assert_eq!(module_of("/x/serde-json-1.0.2/src/value/mod.rs"), "serde_json::value");
        assert_eq!(module_of("src/store/inventory.rs"), "store::inventory");
        assert_eq!(module_of("src/main.rs"), "main");
        assert_eq!(module_of("crates/app/src/lib.rs"), "app");
        assert_eq!(module_of("crates/app/tests/it/main.rs"), "app::it");
        assert_eq!(module_of("a\\src\\b.rs"), "a::b");
        assert_eq!(module_of("build.rs"), "build");
    }
}
