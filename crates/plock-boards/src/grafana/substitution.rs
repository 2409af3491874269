//! Values that Grafana would put in place of the variables in a query.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};

use super::Dashboard;

/// A value for each variable.
#[derive(Clone, Debug)]
pub struct Substitution(BTreeMap<String, String>);

impl Substitution {
    /// Everything selected, and `rate_interval` for `$__rate_interval`, `$__interval`, `$__range`.
    #[must_use]
    pub fn everything(board: &Dashboard, rate_interval: &str) -> Self {
        let intervals = ["__rate_interval", "__interval", "__range"];
        let intervals = intervals.map(|name| (name.to_owned(), rate_interval.to_owned()));
        let queries = board.variables().iter().filter(|variable| variable.kind == "query");
        let all = queries.map(|it| (it.name.clone(), it.all_value.clone().unwrap_or_default()));
        Self(intervals.into_iter().chain(all).collect())
    }

    /// Selects `value` for the variable `name`.
    #[must_use]
    pub fn select(mut self, name: &str, value: &str) -> Self {
        self.0.insert(name.to_owned(), value.to_owned());
        self
    }

    /// `expression` with every `$name`, `${name}` and `${name:format}` replaced.
    ///
    /// ```
    /// use plock_boards::{Options, grafana::Substitution};
    ///
    /// let board = &plock_boards::dashboards(&Options::default())[0];
    /// let values = Substitution::everything(board, "1m").select("job", "orders");
    /// let query = values.expand(r#"rate(x{job=~"$job", k="${lock:regex}"}[$__rate_interval])"#);
    /// assert_eq!(query.unwrap(), r#"rate(x{job=~"orders", k=".+"}[1m])"#);
    /// assert!(values.expand("$unknown").is_err());
    /// assert!(values.expand("${job").is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// If a variable has no value here, or a brace is not closed.
    pub fn expand(&self, expression: &str) -> Result<String> {
        let mut parts = expression.split('$');
        let mut expanded = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            // `"$1"`: a group of label_replace.
            if part.starts_with(|it: char| it.is_ascii_digit()) {
                expanded.push('$');
                expanded.push_str(part);
                continue;
            }
            let (name, rest) = if let Some(braced) = part.strip_prefix('{') {
                let (inner, rest) = braced.split_once('}').context("`${` without `}`")?;
                (inner.split(':').next().unwrap_or_default(), rest)
            } else {
                let name = |c: char| c.is_ascii_alphanumeric() || c == '_';
                part.split_at(part.find(|c| !name(c)).unwrap_or(part.len()))
            };
            let Some(value) = self.0.get(name) else {
                bail!("no value for `${name}` in `{expression}`");
            };
            expanded.push_str(value);
            expanded.push_str(rest);
        }
        Ok(expanded)
    }
}
