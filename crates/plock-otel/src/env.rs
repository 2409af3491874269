//! Typed reading of environment variables. A value that cannot be meant is an error which names the
//! variable, the value and what is allowed; an empty value counts as unset, as the OpenTelemetry
//! specification wants it.

use crate::Error;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::str::FromStr;
use std::time::Duration;

/// Where variables come from; a table in tests.
pub(crate) struct Env<'a>(&'a dyn Fn(&str) -> Option<OsString>);

/// A variable that is set.
#[derive(Clone, Debug)]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl<'a> Env<'a> {
    pub(crate) const fn new(lookup: &'a dyn Fn(&str) -> Option<OsString>) -> Self {
        Self(lookup)
    }

    /// The first of these variables that is set and not empty.
    pub(crate) fn text(&self, names: &[&str]) -> Result<Option<Variable>, Error> {
        for name in names {
            let Some(value) = (self.0)(name) else { continue };
            let Ok(value) = value.into_string() else {
                return Err(Error::variable(name, "(not Unicode)", "Unicode text"));
            };
            let value = value.trim();
            if !value.is_empty() {
                return Ok(Some(Variable { name: (*name).into(), value: value.into() }));
            }
        }
        Ok(None)
    }

    /// One of a closed set, in any case of letters.
    pub(crate) fn choice<T: Clone>(
        &self,
        names: &[&str],
        allowed: &[(&str, T)],
    ) -> Result<Option<T>, Error> {
        let Some(variable) = self.text(names)? else { return Ok(None) };
        variable.choose(allowed).map(Some)
    }

    /// A number that `check` accepts; `expected` describes such numbers.
    pub(crate) fn number<T: FromStr>(
        &self,
        name: &str,
        expected: &str,
        check: impl Fn(&T) -> bool,
    ) -> Result<Option<T>, Error> {
        let Some(variable) = self.text(&[name])? else { return Ok(None) };
        let number = variable.value.parse().ok().filter(check);
        number.map(Some).ok_or_else(|| variable.error(expected))
    }

    /// A number of milliseconds above 0.
    pub(crate) fn millis(&self, names: &[&str]) -> Result<Option<Duration>, Error> {
        let Some(variable) = self.text(names)? else { return Ok(None) };
        match variable.value.parse() {
            Ok(ms) if ms > 0 => Ok(Some(Duration::from_millis(ms))),
            _ => Err(variable.error("a whole number of milliseconds above 0")),
        }
    }
}

impl Variable {
    pub(crate) fn error(&self, expected: &str) -> Error {
        Error::variable(&self.name, &self.value, expected)
    }

    /// `key=value,key=value` with percent-encoded values. The value may hold a secret (headers do),
    /// so the error does not repeat it.
    pub(crate) fn pairs(&self) -> Result<Vec<(String, String)>, Error> {
        let pair = |entry: &str| {
            let (key, value) = entry.split_once('=')?;
            let decoded = percent_encoding::percent_decode_str(value.trim()).decode_utf8().ok()?;
            (!key.trim().is_empty()).then(|| (key.trim().into(), decoded.into_owned()))
        };
        let entries = self.value.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        let expected = "key=value pairs separated by commas, values percent-encoded";
        entries.map(|entry| pair(entry).ok_or_else(|| self.secret_error(expected))).collect()
    }

    /// An error that does not repeat the value.
    pub(crate) fn secret_error(&self, expected: &str) -> Error {
        Error::variable(&self.name, "(not shown)", expected)
    }

    pub(crate) fn choose<T: Clone>(&self, allowed: &[(&str, T)]) -> Result<T, Error> {
        let found = allowed.iter().find(|(text, _)| self.value.eq_ignore_ascii_case(text));
        found.map(|(_, choice)| choice.clone()).ok_or_else(|| {
            let mut expected = String::from("one of ");
            for (i, (text, _)) in allowed.iter().enumerate() {
                let comma = if i == 0 { "" } else { ", " };
                // Writing to a string cannot fail.
                let _: std::fmt::Result = write!(expected, "{comma}{text}");
            }
            self.error(&expected)
        })
    }
}
