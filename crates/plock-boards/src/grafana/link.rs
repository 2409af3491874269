//! Where a click leads: another board with the same time and selection, or the traces behind a value.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use plock_semconv::{attributes, label_name};

use super::schema::{DataLink, DataSource};

/// Address of the board of one lock.
pub(crate) const LOCK_BOARD: &str = "plock-lock";
/// Address of the board of who blocks whom.
pub(crate) const BLAME_BOARD: &str = "plock-blame";

/// How a link opens one panel: `viewPanel=panel-7`.
pub(crate) const VIEW_PANEL: &str = "viewPanel=panel-";

/// Which name a value stands for, and so where it leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leads {
    /// A lock leads to its board.
    Lock,
    /// A holder leads to whom it blocks.
    Holder,
}

/// Where the name is found: in the labels of a series, or in a cell of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Labels,
    Cell,
}

pub(crate) fn prometheus() -> DataSource {
    DataSource { kind: "prometheus".to_owned(), uid: "${datasource}".to_owned() }
}

impl Leads {
    pub(crate) const fn key(self) -> &'static str {
        match self {
            Self::Lock => attributes::LOCK_NAME,
            Self::Holder => attributes::LOCK_HOLDER,
        }
    }

    pub(crate) fn link(self, place: Place) -> DataLink {
        let (board, variable, title) = match self {
            Self::Lock => (LOCK_BOARD, "lock", "This lock in detail"),
            Self::Holder => (BLAME_BOARD, "holder", "Whom this holder blocks"),
        };
        let value = match place {
            Place::Labels => format!("${{__field.labels.{}}}", label_name(self.key())),
            Place::Cell => "${__value.text}".to_owned(),
        };
        let kept = ["datasource", "job", "instance"].map(|name| format!("${{{name}:queryparam}}"));
        let url =
            format!("/d/{board}?${{__url_time_range}}&{}&var-{variable}={value}", kept.join("&"));
        DataLink { title: title.to_owned(), url, target_blank: false }
    }
}

/// The traces with a wait for or a hold of the chosen locks that became a span of its own.
pub(crate) fn traces() -> DataLink {
    let query = format!("{{ span.\"{}\" =~ \"${{lock:regex}}\" }}", attributes::LOCK_NAME);
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    // Grafana replaces variables in the address only where they stand as they are.
    let query =
        encode(&query.replace("${lock:regex}", "@lock")).replace("%40lock", "${lock:regex}");
    let before = encode(r#"{"t":{"datasource":""#);
    let between = encode(r#"","queries":[{"refId":"A","queryType":"traceql","query":""#);
    // The query is text within JSON: its quotes are escaped.
    let query = query.replace("%22", &encode("\\\""));
    let after = encode(r#""}],"range":{"from":""#);
    let range = format!("${{__from}}{}${{__to}}{}", encode(r#"","to":""#), encode(r#""}}}"#));
    DataLink {
        title: "Traces of these locks".to_owned(),
        url: format!(
            "/explore?schemaVersion=1&panes={before}${{tempo}}{between}{query}{after}{range}"
        ),
        target_blank: false,
    }
}
