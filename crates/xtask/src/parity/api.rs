//! The public interface of one side: what there is by path, and what each says.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::lifetimes::with_numbered_lifetimes;
use super::page::{Entry, EntryKind, entries};
use super::text::{is_of_name, short, split, without_private_fields};

/// What rustdoc puts into the name of an item's page.
const KINDS: &[&str] = &[
    "struct",
    "enum",
    "union",
    "trait",
    "traitalias",
    "type",
    "fn",
    "macro",
    "constant",
    "static",
    "attr",
    "derive",
];

/// Traits that make no difference to a stable program: two that it cannot name, and how something is
/// dropped, which is told by what is inside as well.
const UNCOMPARED: &[&str] =
    &["core::marker::Freeze", "core::marker::UnsafeUnpin", "core::ops::drop::Drop"];

/// Paths, and the declarations that each of them has. It is `module::Type::method` for what is in a type,
/// `module::Type: Trait` for what it implements.
#[derive(Debug, Default)]
pub(super) struct Api {
    pub(super) items: BTreeMap<String, Item>,
}

#[derive(Debug, Default, PartialEq)]
pub(super) struct Item {
    pub(super) module: String,
    /// One, unless several implementations have a method of this name.
    pub(super) declarations: BTreeSet<String>,
}

impl Api {
    /// Reads what rustdoc wrote about a crate.
    pub(super) fn read(directory: &Path) -> Result<Self> {
        let mut api = Self::default();
        api.read_module(directory, "")?;
        ensure!(
            !api.items.is_empty(),
            "rustdoc's pages in {} show no declaration: it writes them in another way than \
             parity/page.rs reads them",
            directory.display()
        );
        Ok(api)
    }

    /// Where an alias stands for a type that cannot be named, puts its path in the place of that type.
    pub(super) fn name_by_alias(&mut self) {
        let target = |path: &String, item: &Item| {
            let name = path.rsplit("::").next()?;
            let [text] = item.declarations.iter().collect::<Vec<_>>()[..] else { return None };
            let target = text.strip_prefix(&format!("pub type {name} = "))?.strip_suffix(';')?;
            (!target.contains("::")).then(|| (path.clone(), target.to_owned()))
        };
        let aliases: Vec<_> = self.items.iter().filter_map(|(path, it)| target(path, it)).collect();
        for (alias, target) in &aliases {
            for item in self.items.iter_mut().filter(|(path, _)| *path != alias).map(|it| it.1) {
                let named = |text: &String| text.replace(target.as_str(), alias);
                item.declarations = item.declarations.iter().map(named).collect();
            }
        }
    }

    fn read_module(&mut self, directory: &Path, module: &str) -> Result<()> {
        let files = fs::read_dir(directory)
            .with_context(|| format!("cannot read {}", directory.display()))?;
        for file in files {
            let path = file?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            if path.is_dir() {
                self.read_module(&path, &join(module, name))?;
            } else if let Some(item) = item_of(name) {
                let html = fs::read_to_string(&path)
                    .with_context(|| format!("cannot read {}", path.display()))?;
                self.add(module, item, entries(&html));
            }
        }
        Ok(())
    }

    /// Adds what a page declares.
    fn add(&mut self, module: &str, item: &str, entries: Vec<Entry>) {
        let item = join(module, item);
        let mut head = String::new();
        for Entry { kind, text } in entries {
            let (path, text) = match kind {
                EntryKind::Item => {
                    (item.clone(), with_numbered_lifetimes(&without_private_fields(&text)))
                }
                EntryKind::Impl => {
                    head = text;
                    continue;
                }
                EntryKind::Member => {
                    let member = format!("{head} {{ {} }}", without_value(&text));
                    (format!("{item}::{}", member_of(&text)), with_numbered_lifetimes(&member))
                }
                EntryKind::TraitImpl => {
                    let implemented = trait_of(&text);
                    if UNCOMPARED.contains(&implemented) {
                        continue;
                    }
                    let path = format!("{item}: {}", short(implemented));
                    (path, with_numbered_lifetimes(without_needless_bounds(&text)))
                }
            };
            let item = self.items.entry(path).or_default();
            module.clone_into(&mut item.module);
            item.declarations.insert(text);
        }
    }
}

fn join(module: &str, name: &str) -> String {
    if module.is_empty() { name.to_owned() } else { format!("{module}::{name}") }
}

/// `Mutex` of `struct.Mutex.html`.
fn item_of(file: &str) -> Option<&str> {
    let (kind, name) = file.strip_suffix(".html")?.split_once('.')?;
    KINDS.contains(&kind).then_some(name)
}

/// The name that a method or constant declares.
fn member_of(text: &str) -> &str {
    let name = ["fn ", "const ", "type "].iter().find_map(|word| {
        let (_, after) = text.split_once(word)?;
        Some(after.split(|sign| !is_of_name(sign)).next().unwrap_or(after))
    });
    name.unwrap_or(text)
}

/// A constant without its value, which is shown as it is written, so in other words.
fn without_value(text: &str) -> &str {
    if text.contains("fn ") { text } else { text.split(" = ").next().unwrap_or(text) }
}

/// What is not implemented is not implemented for every type, whatever bounds are written there.
fn without_needless_bounds(text: &str) -> &str {
    let is_negative = split(text, " for ").first().is_some_and(|it| it.contains(" !"));
    text.split(" where ").next().filter(|_| is_negative).unwrap_or(text)
}

/// The trait of `impl<T> Trait<T> for Type`, also if it says that there is none.
fn trait_of(text: &str) -> &str {
    let implemented = split(text, " for ").first().copied().unwrap_or(text);
    let implemented = implemented.strip_prefix("impl").unwrap_or(implemented);
    let parts = split(implemented, " ");
    let implemented = if implemented.starts_with('<') { parts.get(1) } else { parts.first() };
    implemented.copied().unwrap_or_default().trim_start_matches('!')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn api(items: &[(&str, EntryKind, &str)]) -> Api {
        let mut api = Api::default();
        for (item, kind, text) in items {
            api.add("m", item, vec![Entry { kind: *kind, text: (*text).to_owned() }]);
        }
        api
    }

    #[track_caller]
    fn check(api: &Api, path: &str, declaration: &str) {
        let item = api.items.get(path).map(|item| item.declarations.iter().collect::<Vec<_>>());
        assert_eq!(item, Some(vec![&declaration.to_owned()]), "{:?}", api.items.keys());
    }

    #[test]
    fn a_type_that_cannot_be_named_has_the_name_of_its_alias() {
        let mut api = api(&[
            ("Raw", EntryKind::Item, "pub type Raw = Inside<Raw>;"),
            ("Lock", EntryKind::Item, "pub type Lock<T> = l::Lock<Inside<Raw>, T>;"),
            ("Other", EntryKind::Item, "pub type Other = l::Lock<u8>;"),
            ("Same", EntryKind::Item, "pub struct Same<l::Lock<u8>>;"),
        ]);
        api.name_by_alias();
        check(&api, "m::Raw", "pub type Raw = Inside<Raw>;");
        check(&api, "m::Lock", "pub type Lock<T> = l::Lock<m::Raw, T>;");
        check(&api, "m::Same", "pub struct Same<l::Lock<u8>>;");
    }

    #[test]
    fn a_declaration_has_a_path() {
        let of_trait = |text| api(&[("A", EntryKind::TraitImpl, text)]);
        let text = "impl<T> a::From<b::C<T>> for m::A<T> where T: D";
        check(&of_trait(text), "m::A: From<C<T>>", text);
        check(
            &of_trait("impl !a::Send for m::A where T: D"),
            "m::A: Send",
            "impl !a::Send for m::A",
        );
        assert!(of_trait("impl core::ops::drop::Drop for m::A").items.is_empty());
        let of_member = |text| api(&[("A", EntryKind::Member, text)]);
        check(
            &of_member("pub const fn f() -> B<C = D>"),
            "m::A::f",
            " { pub const fn f() -> B<C = D> }",
        );
        check(&of_member("pub const G: u8 = 1 + 1"), "m::A::G", " { pub const G: u8 }");
    }
}
