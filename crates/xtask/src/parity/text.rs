//! The normal form of a declaration: two that mean the same to a caller are the same text.

/// One line, whatever the line breaks were, no comma before a closing bracket, and no promise of the
/// implementor.
pub(super) fn one_line(text: &str) -> String {
    let mut line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for (written, meant) in [("( ", "("), (", )", ")"), (",)", ")"), (" ;", ";")] {
        line = line.replace(written, meant);
    }
    line.strip_prefix("unsafe ").map(str::to_owned).unwrap_or(line)
}

/// The clauses of a `where`, and the bounds of each, in the order of the alphabet.
pub(super) fn sorted_bounds(clauses: &str) -> String {
    let clauses = clauses.trim().trim_start_matches("where").trim().trim_end_matches(',');
    let mut clauses: Vec<_> = split(clauses, ",").into_iter().map(sorted_clause).collect();
    clauses.sort_unstable();
    format!(" where {} ", clauses.join(", "))
}

fn sorted_clause(clause: &str) -> String {
    let Some((subject, bounds)) = clause.split_once(": ") else {
        return clause.to_owned();
    };
    let mut bounds = split(bounds, "+");
    bounds.sort_unstable();
    format!("{subject}: {}", bounds.join(" + "))
}

/// An `async fn` as the function that returns its future.
pub(super) fn without_async(signature: &str) -> String {
    let Some((before, after)) = signature.split_once("async fn ") else {
        return signature.to_owned();
    };
    let (declaration, bounds) = match after.split_once(" where ") {
        Some((declaration, bounds)) => (declaration, format!(" where {bounds}")),
        None => (after, String::new()),
    };
    let parts = split(declaration, "->");
    let output = parts.get(1).copied().unwrap_or("()");
    let head = parts[0];
    format!("{before}fn {head} -> impl core::future::future::Future<Output = {output}>{bounds}")
}

/// A type without public fields, whatever the brackets are around the others.
pub(super) fn without_private_fields(declaration: &str) -> String {
    let form = ["{ /* private fields */ }", "(/* private fields */)"];
    match form.iter().find(|form| declaration.contains(*form)) {
        Some(form) => one_line(declaration.replace(form, "").trim_end_matches(';')),
        None => declaration.to_owned(),
    }
}

/// `text` at each `separator` that is in no bracket; the parts are trimmed, empty ones are left out.
pub(super) fn split<'a>(text: &'a str, separator: &str) -> Vec<&'a str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_u32, 0);
    for (at, sign) in text.char_indices() {
        let is_arrow = sign == '>' && text[..at].ends_with('-');
        match sign {
            '(' | '[' | '{' | '<' => depth += 1,
            ')' | ']' | '}' | '>' if !is_arrow => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 && at >= start && text[at..].starts_with(separator) {
            parts.push(&text[start..at]);
            start = at + separator.len();
        }
    }
    parts.push(&text[start..]);
    parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).collect()
}

/// `text` with the last segment of each path only.
pub(super) fn short(text: &str) -> String {
    let mut short = String::new();
    for (index, part) in text.split("::").enumerate() {
        if index > 0 {
            let kept = short.trim_end_matches(is_of_name).len();
            match kept == short.len() {
                true => short.push_str("::"), // `<T as Trait>::Name`
                false => short.truncate(kept),
            }
        }
        short.push_str(part);
    }
    short
}

/// Whether a name can go on with it.
pub(super) fn is_of_name(sign: char) -> bool {
    sign.is_alphanumeric() || sign == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_line_breaks_of_bounds_mean_nothing() {
        let one = sorted_bounds("where\n    U: Deref<Target = T> + Send,\n    F: Fn(&T) -> U,");
        let other = sorted_bounds("where F: Fn(&T) -> U, U: Send + Deref<Target = T>");
        assert_eq!(one_line(&one), one_line(&other));
        assert_eq!(one_line(&one), "where F: Fn(&T) -> U, U: Deref<Target = T> + Send");
        assert_ne!(one_line(&one), one_line(&sorted_bounds("where F: Fn(&T) -> U, U: Send")));
        assert_eq!(
            one_line("pub fn f(\n    a: A,\n    b: B,\n) -> C"),
            "pub fn f(a: A, b: B) -> C"
        );
    }

    #[test]
    fn an_async_function_returns_a_future_of_its_output() {
        let future = "impl core::future::future::Future<Output = ";
        assert_eq!(
            without_async("pub async fn f<F>(f: fn() -> F) -> R<F> where F: Send"),
            format!("pub fn f<F>(f: fn() -> F) -> {future}R<F>> where F: Send")
        );
        assert_eq!(
            without_async("pub async fn f(&self)"),
            format!("pub fn f(&self) -> {future}()>")
        );
        assert_eq!(without_async("pub fn f(&self)"), "pub fn f(&self)");
    }

    #[test]
    fn private_fields_are_alike() {
        for written in [
            "pub struct A<T> where T: B { /* private fields */ }",
            "pub struct A<T>(/* private fields */) where T: B;",
        ] {
            assert_eq!(without_private_fields(written), "pub struct A<T> where T: B");
        }
        assert_eq!(without_private_fields("pub struct A(pub B);"), "pub struct A(pub B);");
    }

    #[test]
    fn paths_are_shortened_where_they_are_paths() {
        assert_eq!(short("From<a::b::C<d::E>>"), "From<C<E>>");
        assert_eq!(short("<T as a::B>::C"), "<T as B>::C");
    }
}
