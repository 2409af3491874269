//! What the page draws, in the words of its script, and the one file it is made of.

use anyhow::Result;
use serde::Serialize;

use super::look::Level;
use super::unit::Axis;

/// One dashboard with its answers.
#[derive(Debug, Serialize)]
pub(super) struct Page {
    pub(super) title: String,
    pub(super) description: String,
    /// Says that this is a preview, and of what.
    pub(super) label: String,
    pub(super) width: u32,
    pub(super) height: u32,
    /// Variables with what is chosen.
    pub(super) variables: Vec<(String, String)>,
    /// When each value of a series is, in milliseconds.
    pub(super) times: Vec<f64>,
    pub(super) marks: Vec<Mark>,
    pub(super) blocks: Vec<Block>,
}

/// A mark on the time axis of every graph.
#[derive(Debug, Serialize)]
pub(super) struct Mark {
    pub(super) time: f64,
    pub(super) color: &'static str,
    pub(super) text: String,
}

/// A panel or the head of a row, where it is.
#[derive(Debug, Serialize)]
pub(super) struct Block {
    pub(super) place: Place,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) drawing: Drawing,
}

/// Pixels from the top left corner of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Place {
    pub(super) left: u32,
    pub(super) top: u32,
    pub(super) width: u32,
    pub(super) height: u32,
}

/// The script has one function for each of them.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub(super) enum Drawing {
    Row { closed: bool },
    Nothing { text: String },
    Stat { values: Vec<Named> },
    Bars { bars: Vec<Bar> },
    Table { columns: Vec<Column>, rows: Vec<Vec<String>> },
    Lines(Lines),
    Lanes { lanes: Vec<Lane>, states: Vec<State> },
    Heat(Heat),
    Graph { nodes: Vec<Node>, edges: Vec<Edge> },
}

#[derive(Debug, Serialize)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) text: String,
    pub(super) color: &'static str,
}

#[derive(Debug, Serialize)]
pub(super) struct Bar {
    #[serde(flatten)]
    pub(super) value: Named,
    /// Of the longest.
    pub(super) share: f64,
}

#[derive(Debug, Serialize)]
pub(super) struct Column {
    pub(super) title: String,
    pub(super) is_number: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct Lines {
    pub(super) series: Vec<Line>,
    /// Titles of what the legend tells of each series.
    pub(super) calculations: Vec<&'static str>,
    pub(super) axis: Axis,
    pub(super) min: Option<f64>,
    pub(super) max: Option<f64>,
    pub(super) stacked: bool,
    /// Drawn as lines.
    pub(super) levels: Vec<Level>,
    /// Time in milliseconds and value of what leads to a trace.
    pub(super) points: Vec<(f64, f64)>,
}

#[derive(Debug, Serialize)]
pub(super) struct Line {
    pub(super) name: String,
    pub(super) color: &'static str,
    /// One for each time of the page.
    pub(super) values: Vec<Option<f64>>,
    pub(super) calculated: Vec<String>,
}

/// The states of one series over time.
#[derive(Debug, Serialize)]
pub(super) struct Lane {
    pub(super) name: String,
    pub(super) spans: Vec<Span>,
}

/// As long as a state lasts; shares of the range.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Span {
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) state: State,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct State {
    pub(super) text: String,
    pub(super) color: &'static str,
}

/// A distribution over time.
#[derive(Debug, Serialize)]
pub(super) struct Heat {
    /// Upper limits of the buckets, from the lowest.
    pub(super) buckets: Vec<String>,
    /// Time, bucket and how many per second.
    pub(super) cells: Vec<(usize, usize, f64)>,
    pub(super) most: f64,
    /// How the most reads.
    pub(super) most_text: String,
    /// Time and bucket of what leads to a trace.
    pub(super) points: Vec<(usize, usize)>,
}

#[derive(Debug, Serialize)]
pub(super) struct Node {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) subtitle: String,
    pub(super) stat: String,
    pub(super) color: String,
    /// Shares of width and height.
    pub(super) x: f64,
    pub(super) y: f64,
}

#[derive(Debug, Serialize)]
pub(super) struct Edge {
    pub(super) source: String,
    pub(super) target: String,
    pub(super) stat: String,
    pub(super) thickness: f64,
}

/// In order: later ones use earlier ones.
const SCRIPTS: [&str; 5] = [
    include_str!("page/dom.js"),
    include_str!("page/text.js"),
    include_str!("page/charts.js"),
    include_str!("page/graph.js"),
    include_str!("page/page.js"),
];

impl Page {
    /// One file that needs nothing else, with the `library` that draws inside.
    pub(super) fn html(&self, library: &str) -> Result<String> {
        // Nothing in the data may end the script it is in.
        let data = serde_json::to_string(self)?.replace("</", "<\\/");
        let parts = [
            ("{{style}}", include_str!("page/page.css").to_owned()),
            ("{{library}}", library.to_owned()),
            ("{{data}}", data),
            ("{{scripts}}", SCRIPTS.join("\n")),
        ];
        let mut html = String::new();
        let mut rest = include_str!("page/page.html");
        for (mark, text) in &parts {
            let (before, after) = rest.split_once(mark).unwrap_or((rest, ""));
            html.push_str(before);
            html.push_str(text);
            rest = after;
        }
        html.push_str(rest);
        Ok(html)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(title: &str) -> Page {
        Page {
            title: title.to_owned(),
            description: String::new(),
            label: "Preview".to_owned(),
            width: 1,
            height: 1,
            variables: Vec::new(),
            times: Vec::new(),
            marks: Vec::new(),
            blocks: Vec::new(),
        }
    }

    #[test]
    fn the_page_is_whole_and_its_data_cannot_end_the_script() {
        let html = page("{{scripts}}</script><b>").html("library()").unwrap();
        assert!(html.contains("library()") && html.contains(r"{{scripts}}<\/script><b>"));
        assert!(html.ends_with("</html>\n"));
        assert_eq!(html.matches("</script>").count(), 3);
    }

    #[test]
    fn the_script_draws_every_kind() {
        let drawings = [
            Drawing::Row { closed: false },
            Drawing::Nothing { text: String::new() },
            Drawing::Stat { values: Vec::new() },
            Drawing::Bars { bars: Vec::new() },
            Drawing::Table { columns: Vec::new(), rows: Vec::new() },
            Drawing::Lines(Lines {
                series: Vec::new(),
                calculations: Vec::new(),
                axis: super::super::unit::Unit::Count.axis(0.0),
                min: None,
                max: None,
                stacked: false,
                levels: Vec::new(),
                points: Vec::new(),
            }),
            Drawing::Lanes { lanes: Vec::new(), states: Vec::new() },
            Drawing::Heat(Heat {
                buckets: Vec::new(),
                cells: Vec::new(),
                most: 0.0,
                most_text: String::new(),
                points: Vec::new(),
            }),
            Drawing::Graph { nodes: Vec::new(), edges: Vec::new() },
        ];
        let scripts = SCRIPTS.join("\n");
        for drawing in drawings {
            let value = serde_json::to_value(&drawing).unwrap();
            let function = format!("draw.{} = ", value["kind"].as_str().unwrap());
            assert!(scripts.contains(&function), "no `{function}`");
        }
    }
}
