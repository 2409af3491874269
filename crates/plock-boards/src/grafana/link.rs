//! Where a click leads: another board with the same time and selection, or the traces behind a value.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use plock_semconv::{attributes, label_name};
use serde_json::json;

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

/// What stands for itself in an address: Grafana replaces a variable only where it is not encoded.
const VARIABLES: [&str; 4] = ["${tempo}", "${lock:regex}", "${__from}", "${__to}"];

/// The traces with a wait for or a hold of the chosen locks that became a span of its own.
pub(crate) fn traces() -> DataLink {
    let [tempo, lock, from, to] = VARIABLES;
    let query = format!("{{ span.\"{}\" =~ \"{lock}\" }}", attributes::LOCK_NAME);
    let panes = json!({"t": {
        "datasource": tempo,
        "queries": [{"query": query, "queryType": "traceql", "refId": "A"}],
        "range": {"from": from, "to": to},
    }});
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let restore = |panes: String, variable: &&str| panes.replace(&encode(variable), variable);
    let panes = VARIABLES.iter().fold(encode(&panes.to_string()), restore);
    DataLink {
        title: "Traces of these locks".to_owned(),
        url: format!("/explore?schemaVersion=1&panes={panes}"),
        target_blank: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use percent_encoding::percent_decode_str;
    use serde_json::Value;

    #[test]
    fn the_link_to_traces_is_json_around_variables_that_stand_as_they_are() {
        let url = traces().url;
        for variable in VARIABLES {
            assert!(url.contains(variable), "{variable}: {url}");
        }
        let (_, panes) = url.split_once("panes=").unwrap();
        let panes: Value =
            serde_json::from_str(&percent_decode_str(panes).decode_utf8().unwrap()).unwrap();
        assert_eq!(panes["t"]["queries"][0]["query"], r#"{ span."lock.name" =~ "${lock:regex}" }"#);
    }
}
