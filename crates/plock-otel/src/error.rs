//! The one error of this crate: set-up that cannot work, said before anything is installed.

use std::fmt;

/// Why the set-up failed. Nothing has been installed then.
///
/// ```
/// # fn set_up() -> Result<(), plock_otel::Error> {
/// let _guard = plock_otel::init()?;
/// # Ok(())
/// # }
/// ```
pub struct Error(Kind);

enum Kind {
    Variable { name: String, value: String, expected: String },
    Installed,
    Other(String),
}

impl Error {
    pub(crate) fn variable(name: &str, value: &str, expected: impl Into<String>) -> Self {
        Self(Kind::Variable { name: name.into(), value: value.into(), expected: expected.into() })
    }

    pub(crate) const fn installed() -> Self {
        Self(Kind::Installed)
    }

    pub(crate) fn other(message: impl Into<String>) -> Self {
        Self(Kind::Other(message.into()))
    }

    /// Name of the environment variable that is to blame, if one is.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match &self.0 {
            Kind::Variable { name, .. } => Some(name),
            Kind::Installed | Kind::Other(_) => None,
        }
    }

    /// Whether plock had been set up in this process before.
    #[must_use]
    pub const fn is_already_installed(&self) -> bool {
        matches!(self.0, Kind::Installed)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Variable { name, value, expected } => {
                write!(f, "{name} is `{value}`, expected {expected}")
            }
            Kind::Installed => f.write_str("plock is set up already in this process"),
            Kind::Other(message) => f.write_str(message),
        }
    }
}

/// The sentence again: a `main` that returns the error prints it with `Debug`, and that is where an
/// operator reads what to change.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {}
