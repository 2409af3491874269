//! Reads the page that rustdoc writes about one item: its declaration, its methods, its trait
//! implementations with their associated types, and which auto traits it has.
//!
//! Names are taken from the links, which carry whole paths. So two types of one name are told apart,
//! and what is equal is equal however it is imported.

use html5gum::{HtmlString, StartTag, Token, Tokenizer};

use super::text::{one_line, sorted_bounds, without_async};

/// One declaration on a page.
#[derive(Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) kind: EntryKind,
    /// In normal form, with whole paths.
    pub(super) text: String,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum EntryKind {
    /// What the page is about.
    Item,
    /// The head of an inherent implementation; what follows belongs to it.
    Impl,
    /// A method or constant of it.
    Member,
    /// An implementation of a trait, auto traits included, with its associated types and constants.
    TraitImpl,
}

impl EntryKind {
    fn is_impl(self) -> bool {
        matches!(self, Self::Impl | Self::TraitImpl)
    }
}

/// The declarations of a page in its order, without what is unstable.
pub(super) fn entries(html: &str) -> Vec<Entry> {
    // What all types have is the longest part of a page, and its last.
    let (html, _) = html.split_once(r#"id="blanket-implementations""#).unwrap_or((html, ""));
    let mut reader = Reader::default();
    for token in Tokenizer::new(html) {
        match token {
            Ok(Token::StartTag(tag)) => reader.open(&tag),
            Ok(Token::EndTag(tag)) => reader.close(&tag.name),
            Ok(Token::String(text)) => reader.text(&text),
            _ => {}
        }
    }
    reader.entries
}

#[derive(Default)]
struct Reader {
    entries: Vec<Entry>,
    /// The id of the last heading.
    heading: String,
    /// The classes of the last entry's element.
    classes: String,
    /// What is being read.
    open: Option<Declaration>,
    /// What the last declaration was; nothing if it is not kept.
    last: Option<EntryKind>,
    /// What was said to be unstable, and so is all that is in it.
    skips: Option<EntryKind>,
}

/// What a declaration is part of.
#[derive(Clone, Copy)]
enum Part {
    Entry(EntryKind),
    /// The implementation before it.
    Impl,
    /// Nothing that is compared: it follows from other things said.
    Other,
}

/// A declaration that is being read.
struct Declaration {
    part: Part,
    /// The element whose end is its end.
    element: &'static [u8],
    text: String,
    /// Where in it the bounds began.
    bounds: Option<usize>,
    /// Whether the text of a link is left out, because its path stands for it.
    in_link: bool,
}

impl Reader {
    fn open(&mut self, tag: &StartTag<()>) {
        let name = &**tag.name;
        let classes = attribute(tag, b"class");
        let has = |class: &str| classes.split(' ').any(|it| it == class);
        if let Some(open) = &mut self.open {
            match name {
                b"a" if has("tooltip") => open.in_link = true, // remarks on the type before it
                b"a" => open.link(&attribute(tag, b"title")),
                b"div" if has("where") => open.bounds = Some(open.text.len()),
                b"br" => open.text.push(' '),
                _ => {}
            }
        } else if name == b"h2" && has("section-header") {
            self.heading = attribute(tag, b"id");
        } else if name == b"section" {
            self.classes = classes;
        } else if name == b"pre" && has("item-decl") {
            // A page about an alias declares what it stands for as well.
            let part =
                if self.heading.is_empty() { Part::Entry(EntryKind::Item) } else { Part::Other };
            self.open = Some(Declaration::new(part, b"pre"));
        } else if has("code-header") {
            let element: &[u8] = if name == b"h3" { b"h3" } else { b"h4" };
            self.open = Some(Declaration::new(self.part(), element));
        } else if has("stab") && has("unstable") {
            self.retract();
        }
    }

    fn close(&mut self, name: &HtmlString) {
        let Some(mut open) = self.open.take() else { return };
        match &***name {
            b"a" => open.in_link = false,
            b"div" => {
                if let Some(start) = open.bounds.take() {
                    let bounds = sorted_bounds(&one_line(&open.text.split_off(start)));
                    open.text.push_str(&bounds);
                }
            }
            name if name == open.element => return self.declared(open),
            _ => {}
        }
        self.open = Some(open);
    }

    fn text(&mut self, text: &[u8]) {
        if let Some(open) = self.open.as_mut().filter(|open| !open.in_link) {
            open.text.push_str(&String::from_utf8_lossy(text));
        }
    }

    fn declared(&mut self, declaration: Declaration) {
        self.last = None;
        let text = without_async(&one_line(&declaration.text));
        match declaration.part {
            Part::Entry(kind) => {
                if self.skips != Some(EntryKind::Item) && kind.is_impl() {
                    self.skips = None;
                }
                if self.skips.is_none() {
                    self.entries.push(Entry { kind, text });
                    self.last = Some(kind);
                }
            }
            Part::Impl => {
                if let Some(last) = self.entries.last_mut().filter(|_| self.skips.is_none()) {
                    last.text.push_str(&format!(" {{ {text} }}"));
                }
            }
            Part::Other => {}
        }
    }

    /// What a heading in this place is about.
    fn part(&self) -> Part {
        let is = |class: &str| self.classes.split(' ').any(|it| it == class);
        let is_member = is("method") || is("associatedtype") || is("associatedconstant");
        match self.heading.as_str() {
            "implementations" if is("impl") => Part::Entry(EntryKind::Impl),
            "implementations" if is_member => Part::Entry(EntryKind::Member),
            "trait-implementations" | "synthetic-implementations" if is("impl") => {
                Part::Entry(EntryKind::TraitImpl)
            }
            // The trait says what its methods are.
            "trait-implementations" if is_member && !is("method") => Part::Impl,
            _ => Part::Other,
        }
    }

    /// The last declaration turns out to be unstable.
    fn retract(&mut self) {
        let Some(kind) = self.last.take() else { return };
        self.entries.pop();
        if kind == EntryKind::Item || kind.is_impl() {
            self.skips = Some(kind);
        }
    }
}

impl Declaration {
    fn new(part: Part, element: &'static [u8]) -> Self {
        Self { part, element, text: String::new(), bounds: None, in_link: false }
    }

    /// A link to a type or trait: its title is the kind and the path.
    fn link(&mut self, title: &str) {
        let Some((kind, path)) = title.split_once(' ') else { return };
        if ["struct", "enum", "union", "trait"].contains(&kind) {
            self.text.push_str(path.strip_prefix("api::").unwrap_or(path));
            self.in_link = true;
        }
    }
}

fn attribute(tag: &StartTag<()>, name: &[u8]) -> String {
    tag.attributes.get(name).map_or_else(String::new, |it| String::from_utf8_lossy(it).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = r##"<h2><a href="#">A</a></h2><pre class="rust item-decl"><code>pub struct A&lt;T&gt;<div class="where">where
    T: ?<a class="trait" href="" title="trait core::marker::Sized">Sized</a>,</div>{ <span class="comment">/* private fields */</span> }</code></pre>"##;
    const UNSTABLE: &str =
        r#"<span class="item-info"><div class="stab unstable">nightly</div></span>"#;

    /// A part of a page, and what is in it: class, text, what follows.
    fn part(id: &str, declarations: &[(&str, &str, &str)]) -> String {
        let mut html = format!(r#"<h2 id="{id}" class="section-header">Heading</h2>"#);
        for (class, text, after) in declarations {
            html += &format!(
                r#"<section class="{class}"><h4 class="code-header">{text}</h4></section>{after}"#
            );
        }
        html
    }

    fn told(html: &str) -> Vec<(EntryKind, String)> {
        entries(html).into_iter().map(|entry| (entry.kind, entry.text)).collect()
    }

    #[test]
    fn what_is_unstable_or_follows_from_something_else_is_left_out() {
        let html = [
            HEAD.to_owned(),
            part(
                "implementations",
                &[
                    ("impl", "impl&lt;T&gt; A&lt;T&gt;", ""),
                    ("method", "pub fn a()", ""),
                    ("method", "pub fn b()", UNSTABLE),
                    ("associatedconstant", "pub const C: u8 = 1", ""),
                    ("impl", "impl A&lt;u8&gt;", UNSTABLE),
                    ("method", "pub fn d()", ""),
                ],
            ),
            part("deref-methods-T", &[("method", "pub fn e()", UNSTABLE)]),
            part(
                "trait-implementations",
                &[
                    ("impl", concat!("unsafe", " impl B for A"), ""),
                    ("associatedtype trait-impl", "type C = u8", ""),
                    ("method trait-impl", "fn f()", ""),
                    ("impl", "impl D for A", UNSTABLE),
                    ("associatedtype trait-impl", "type E = u8", ""),
                ],
            ),
            part("synthetic-implementations", &[("impl", "impl !Send for A", "")]),
            part("blanket-implementations", &[("impl", "impl Any for T", "")]),
        ];
        let expected = [
            (
                EntryKind::Item,
                "pub struct A<T> where T: ?core::marker::Sized { /* private fields */ }",
            ),
            (EntryKind::Impl, "impl<T> A<T>"),
            (EntryKind::Member, "pub fn a()"),
            (EntryKind::Member, "pub const C: u8 = 1"),
            (EntryKind::TraitImpl, "impl B for A { type C = u8 }"),
            (EntryKind::TraitImpl, "impl !Send for A"),
        ];
        assert_eq!(told(&html.concat()), expected.map(|(kind, text)| (kind, text.to_owned())));
    }

    #[test]
    fn nothing_of_an_unstable_item_is_left() {
        let members = [("impl", "impl A", ""), ("method", "pub fn a()", "")];
        let html = [HEAD, UNSTABLE, &part("implementations", &members)].concat();
        assert_eq!(told(&html), []);
    }
}
