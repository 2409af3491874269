//! Lifetimes by their place, for their names mean nothing.

use super::text::{is_of_name, split};

/// A declaration with numbers in the place of its lifetimes, in the order in which it mentions them.
///
/// In the head of an implementation a lifetime without a name is one of them, and the list of `impl` has
/// none: it only declares what follows. Bounds of a type by such a lifetime are left out, since the type
/// could not be written without them.
pub(super) fn with_numbered_lifetimes(text: &str) -> String {
    let is_impl = text.starts_with("impl");
    let list = parameters(text);
    let parameters = split(list.trim_start_matches('<').trim_end_matches('>'), ",");
    let (lifetimes, others): (Vec<_>, Vec<_>) =
        parameters.into_iter().partition(|parameter| parameter.starts_with('\''));
    let declared = lifetimes.iter().filter_map(|it| it[1..].split(':').next()).collect();
    let mut numbers = Numbers { declared, mentioned: Vec::new() };
    if !is_impl {
        let numbered = numbers.put(text, false);
        return if text.contains("fn ") { numbered } else { numbers.without_bounds(numbered) };
    }
    let start = if others.is_empty() { String::new() } else { format!("<{}>", others.join(", ")) };
    let rest = &text["impl".len() + list.len()..];
    let (head, member) = rest.split_at(rest.find(" { ").unwrap_or(rest.len()));
    let head = numbers.put(head, true);
    format!("impl{start}{}{}", numbers.without_bounds(head), numbers.put(member, false))
}

/// The list of generic parameters with its brackets: right after `impl`, or after an item's name.
fn parameters(text: &str) -> &str {
    let Some(start) = text.find('<') else { return "" };
    let is_impl = text.starts_with("impl");
    if is_impl && start != "impl".len() || text[..start].contains(['(', '{', '=']) {
        return "";
    }
    bracket(&text[start..])
}

/// The bracket with which `text` begins, to its end.
fn bracket(text: &str) -> &str {
    let mut depth = 0_u32;
    let end = text.char_indices().find(|(at, sign)| {
        match sign {
            '<' => depth += 1,
            '>' if !text[..*at].ends_with('-') => depth -= 1,
            _ => {}
        }
        depth == 0
    });
    end.map_or(text, |(at, _)| &text[..=at])
}

/// The lifetimes of a declaration.
struct Numbers<'a> {
    declared: Vec<&'a str>,
    /// In the order of their numbers, which begin at 1.
    mentioned: Vec<&'a str>,
}

impl<'a> Numbers<'a> {
    /// `text` with their numbers, other lifetimes as they are.
    fn put(&mut self, text: &'a str, counts_unnamed: bool) -> String {
        let mut pieces = text.split('\'');
        let mut numbered = pieces.next().unwrap_or_default().to_owned();
        for piece in pieces {
            let name = piece.split(|sign| !is_of_name(sign)).next().unwrap_or_default();
            let number = self.number(name, counts_unnamed);
            let shown = number.map_or_else(|| name.to_owned(), |number| number.to_string());
            numbered += &format!("'{shown}{}", &piece[name.len()..]);
        }
        numbered
    }

    fn number(&mut self, name: &'a str, counts_unnamed: bool) -> Option<usize> {
        let is_declared = self.declared.contains(&name);
        if is_declared && let Some(index) = self.mentioned.iter().position(|it| *it == name) {
            return Some(index + 1);
        }
        if is_declared || name == "_" && counts_unnamed {
            self.mentioned.push(name);
            return Some(self.mentioned.len());
        }
        None
    }

    /// Sorted bounds have lifetimes in front.
    fn without_bounds(&self, numbered: String) -> String {
        let bound = |number| format!("'{number} + ");
        (1..=self.mentioned.len()).fold(numbered, |text, number| text.replace(&bound(number), ""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_are_told_by_their_place() {
        let named = "impl<'a, 'b: 'a, T> A<'b, 'a, T> { pub fn f<'c>(&'c self) -> B<'_, 'a, 'c> }";
        let numbered = "impl<T> A<'1, '2, T> { pub fn f<'c>(&'c self) -> B<'_, '2, 'c> }";
        assert_eq!(with_numbered_lifetimes(named), numbered);
        assert_eq!(with_numbered_lifetimes("impl A for B<'_, '_>"), "impl A for B<'1, '2>");
        assert_eq!(with_numbered_lifetimes("impl<'a> A for B<'a, 'a>"), "impl A for B<'1, '1>");
        let (one, other) =
            ("pub struct A<'b, T> where T: 'b + C", "pub struct A<'a, T> where T: C");
        assert_eq!(with_numbered_lifetimes(one), with_numbered_lifetimes(other));
        let member = "impl<'a, T> A<'a, T> { pub fn f<F>(f: F) where F: 'a + B }";
        assert!(with_numbered_lifetimes(member).contains("F: '1 + B"));
    }
}
