//! What is missing and what is different, what of that is allowed, and what plock has besides.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::api::{Api, Item};

/// The outcome.
#[derive(Debug, Default, Serialize)]
pub(super) struct Comparison {
    pub(super) modules: BTreeMap<String, Module>,
    pub(super) findings: Vec<Finding>,
    /// Paths of the allow-list that nothing is wrong with.
    pub(super) unneeded: Vec<String>,
}

/// What was counted in one module.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(super) struct Module {
    pub(super) compared: usize,
    pub(super) equal: usize,
    pub(super) allowed: usize,
    pub(super) missing: usize,
    pub(super) different: usize,
    /// What plock has besides.
    pub(super) extras: Vec<String>,
}

/// One item that is not as it is in the wrapped crate.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Finding {
    pub(super) path: String,
    pub(super) kind: FindingKind,
    /// Declarations that only the wrapped crate has.
    pub(super) expected: Vec<String>,
    /// Declarations that only plock has.
    pub(super) found: Vec<String>,
    /// Why it may be so.
    pub(super) allowed: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum FindingKind {
    Missing,
    Different,
    /// A method besides, which hides that of the value behind a guard.
    Hiding,
}

/// What may differ, each with its reason.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AllowList {
    #[serde(default)]
    allow: Vec<Allowance>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Allowance {
    /// How they differ; any other way is a finding.
    kind: FindingKind,
    /// An asterisk at the end stands for any rest.
    paths: BTreeSet<String>,
    reason: String,
}

impl Allowance {
    fn covers(&self, allowed: &str, path: &str, kind: FindingKind) -> bool {
        let is_path = match allowed.strip_suffix('*') {
            Some(start) => path.starts_with(start),
            None => path == allowed,
        };
        self.kind == kind && is_path
    }
}

impl AllowList {
    pub(super) fn parse(text: &str) -> Result<Self> {
        toml::from_str(text).context("the allow-list")
    }

    fn reason(&self, path: &str, kind: FindingKind) -> Option<String> {
        let applies =
            |it: &&Allowance| it.paths.iter().any(|allowed| it.covers(allowed, path, kind));
        self.allow.iter().find(applies).map(|it| it.reason.clone())
    }
}

/// Compares each item of `bare` with its counterpart.
pub(super) fn compare(bare: &Api, wrapped: &Api, allowed: &AllowList) -> Comparison {
    let mut comparison = Comparison::default();
    for (path, expected) in &bare.items {
        let module = comparison.modules.entry(expected.module.clone()).or_default();
        module.compared += 1;
        let found = wrapped.items.get(path);
        if found == Some(expected) {
            module.equal += 1;
            continue;
        }
        let kind = if found.is_none() { FindingKind::Missing } else { FindingKind::Different };
        let none = Item::default();
        comparison.note(path, kind, expected, found.unwrap_or(&none), allowed);
    }
    for (path, item) in &wrapped.items {
        if bare.items.contains_key(path) {
            continue;
        }
        let module = comparison.modules.entry(item.module.clone()).or_default();
        module.extras.push(path.clone());
        if hides(path, item, wrapped) {
            comparison.note(path, FindingKind::Hiding, &Item::empty(item), item, allowed);
        }
    }
    let findings = &comparison.findings;
    let is_needed = |it: &Allowance, path: &str| {
        findings.iter().any(|finding| it.covers(path, &finding.path, finding.kind))
    };
    comparison.unneeded = allowed
        .allow
        .iter()
        .flat_map(|it| it.paths.iter().filter(|path| !is_needed(it, path)).cloned())
        .collect();
    comparison
}

/// Whether it is a method that is called on a guard, where the value behind it may have its own.
fn hides(path: &str, item: &Item, api: &Api) -> bool {
    let takes_self = |text: &String| {
        ["(self", "(&self", "(&mut self", "(mut self"].iter().any(|it| text.contains(it))
    };
    let holder = path.rsplit_once("::").map_or(path, |(holder, _)| holder);
    let has = |name: &str| api.items.contains_key(&format!("{holder}: {name}"));
    has("Deref") && item.declarations.iter().any(takes_self)
}

impl Item {
    fn empty(other: &Self) -> Self {
        Self { module: other.module.clone(), ..Self::default() }
    }
}

impl Comparison {
    fn note(
        &mut self,
        path: &str,
        kind: FindingKind,
        expected: &Item,
        found: &Item,
        allowed: &AllowList,
    ) {
        let reason = allowed.reason(path, kind);
        if let Some(module) = self.modules.get_mut(&expected.module) {
            let count = match (&reason, kind) {
                (Some(_), _) => &mut module.allowed,
                (None, FindingKind::Missing) => &mut module.missing,
                (None, _) => &mut module.different,
            };
            *count += 1;
        }
        let only = |one: &Item, other: &Item| {
            one.declarations.difference(&other.declarations).cloned().collect()
        };
        self.findings.push(Finding {
            path: path.to_owned(),
            kind,
            expected: only(expected, found),
            found: only(found, expected),
            allowed: reason,
        });
    }

    /// What nobody has explained.
    pub(super) fn unexplained(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.allowed.is_none())
    }

    pub(super) fn is_clean(&self) -> bool {
        self.unexplained().next().is_none() && self.unneeded.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn api(items: &[(&str, &str)]) -> Api {
        let mut api = Api::default();
        for (path, text) in items {
            let item = api.items.entry((*path).to_owned()).or_default();
            "m".clone_into(&mut item.module);
            item.declarations.insert((*text).to_owned());
        }
        api
    }

    fn told(comparison: &Comparison) -> Vec<(&str, FindingKind, bool)> {
        let told = |it: &'_ Finding| (it.kind, it.allowed.is_some());
        comparison.findings.iter().map(|it| (it.path.as_str(), told(it).0, told(it).1)).collect()
    }

    const ALLOWED: &str =
        "[[allow]]\nkind = 'missing'\npaths = ['m::A::f', 'm::B: *']\nreason = ''\n";

    #[test]
    fn a_finding_is_allowed_by_its_path_and_kind() {
        let bare = api(&[
            ("m::A", "struct A"),
            ("m::A::f", "fn f()"),
            ("m::A::g", "fn g()"),
            ("m::B: Clone", "impl Clone for B"),
            ("m::B: Debug", "impl Debug for B"),
        ]);
        let allowed = AllowList::parse(ALLOWED).unwrap();
        let comparison = compare(&bare, &api(&[("m::A", "struct A")]), &allowed);
        let missing = FindingKind::Missing;
        let expected = [
            ("m::A::f", missing, true),
            ("m::A::g", missing, false),
            ("m::B: Clone", missing, true),
            ("m::B: Debug", missing, true),
        ];
        assert_eq!(told(&comparison), expected);
        let module = &comparison.modules["m"];
        assert_eq!((module.compared, module.equal, module.allowed), (5, 1, 3));
        assert_eq!((module.missing, module.different), (1, 0));
        assert!(!comparison.is_clean());

        let wrapped =
            api(&[("m::A", "struct A"), ("m::A::f", "fn f(&self)"), ("m::A::g", "fn g()")]);
        let comparison = compare(&bare, &wrapped, &allowed);
        assert_eq!(told(&comparison)[0], ("m::A::f", FindingKind::Different, false));
    }

    #[test]
    fn an_allowance_that_nothing_needs_is_told() {
        let both = [("m::A", "struct A"), ("m::A::f", "fn f()")];
        let comparison = compare(&api(&both), &api(&both), &AllowList::parse(ALLOWED).unwrap());
        assert_eq!(told(&comparison), []);
        assert_eq!(comparison.unneeded, ["m::A::f", "m::B: *"]);
        assert!(!comparison.is_clean());
        assert!(compare(&api(&both), &api(&both), &AllowList::default()).is_clean());
    }

    #[test]
    fn what_plock_has_besides_hides_nothing_behind_a_guard() {
        let guard = [("m::A", "struct A"), ("m::A: Deref", "impl Deref for A")];
        let with = |text| api(&[guard[0], guard[1], ("m::A::name", text)]);
        let check = |text| compare(&api(&guard), &with(text), &AllowList::default());
        let comparison = check("impl<T> A<T> { pub fn name(&self) -> &str }");
        assert_eq!(told(&comparison), [("m::A::name", FindingKind::Hiding, false)]);
        assert_eq!(comparison.modules["m"].different, 1);
        let comparison = check("impl<T> A<T> { pub fn name(this: &A<T>) -> &str }");
        assert!(comparison.is_clean());
        assert_eq!(comparison.modules["m"].extras, ["m::A::name"]);
    }
}
