//! The mapping tables of `otel-collector/README.md` say what `config.yaml` does, no more and no less.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use integration_tests::repository;
use plock_core::CLASSIC_BOUNDS_NS;
use plock_semconv::{derived, label_name, metrics};
use serde_json::Value;

/// One row: span attributes, collector rule, Prometheus name.
type Row = (Vec<String>, String, String);

/// A row of a mapping table with its example query.
pub(crate) struct Mapping {
    pub(crate) row: Row,
    pub(crate) query: String,
}

/// The table under `heading`: the code in each cell counts, the words around it do not.
pub(crate) fn table(heading: &str) -> Vec<Mapping> {
    let readme = fs::read_to_string(repository().join("otel-collector/README.md")).unwrap();
    let section = readme.lines().skip_while(|line| *line != heading).skip(1);
    let rows =
        section.skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    let code =
        |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let mapping = |line: &str| {
        let cells: Vec<_> = line.trim_matches('|').split('|').map(code).collect();
        let [attributes, rule, name, query] = cells.try_into().unwrap();
        let one = |mut cell: Vec<String>| cell.pop().unwrap_or_else(|| panic!("no code in {line}"));
        Mapping { row: (attributes, one(rule), one(name)), query: one(query) }
    };
    let rows: Vec<_> = rows.skip(2).map(mapping).collect();
    assert!(!rows.is_empty(), "no table under {heading}");
    rows
}

fn rows(heading: &str) -> BTreeSet<Row> {
    table(heading).into_iter().map(|mapping| mapping.row).collect()
}

struct Config(Value);

impl Config {
    fn read() -> Self {
        let path = repository().join("otel-collector/config.yaml");
        Self(serde_saphyr::from_str(&fs::read_to_string(path).unwrap()).unwrap())
    }

    fn rules(&self) -> &[Value] {
        self.0["connectors"]["signal_to_metrics/locks"]["spans"].as_array().unwrap()
    }

    /// The attributes that `transform/labels` copies into `target`.
    fn sources(&self, target: &str) -> BTreeSet<String> {
        let statements = &self.0["processors"]["transform/labels"]["trace_statements"];
        let prefix = format!("set(span.attributes[\"{target}\"], ");
        let value = |statement: &Value| {
            let (value, _) = statement
                .as_str()?
                .strip_prefix(&prefix)?
                .split_once(") where ")
                .or_else(|| statement.as_str()?.strip_prefix(&prefix)?.rsplit_once(')'))?;
            Some(attributes(value))
        };
        statements.as_array().unwrap().iter().filter_map(value).flatten().collect()
    }
}

/// The attributes that an expression of the transformation language reads.
fn attributes(expression: &str) -> Vec<String> {
    let parts = expression.split("attributes[\"").skip(1);
    parts.map(|part| part.split('"').next().unwrap().to_owned()).collect()
}

#[test]
fn the_figures_of_the_page_are_those_of_the_configuration() {
    let config = Config::read();
    let expected = config.rules().iter().map(|rule| {
        let name = rule["name"].as_str().unwrap();
        let figure = ["histogram", "sum"].iter().find(|kind| rule[**kind].is_object()).unwrap();
        let read = attributes(rule[figure]["value"].as_str().unwrap());
        let written = match read.as_slice() {
            // A duration: the spans are told by the conditions.
            [] => rule["conditions"]
                .as_array()
                .unwrap()
                .iter()
                .map(|it| it.as_str().unwrap().split('"').nth(1).unwrap().to_owned())
                .collect(),
            // The number behind a label, which `transform/labels` keeps aside.
            [aside] if aside == "lock.nesting.number" => {
                config.sources(aside).into_iter().collect()
            }
            _ => read,
        };
        let instrument = derived::ALL.iter().find(|it| it.name == name).unwrap();
        (written, name.to_owned(), instrument.prometheus_name())
    });
    assert_eq!(rows("### Figures"), expected.collect());
}

#[test]
fn the_labels_of_the_page_are_those_of_the_configuration() {
    let config = Config::read();
    let mut expected = BTreeSet::new();
    for rule in config.rules() {
        for label in rule["attributes"].as_array().unwrap() {
            let key = label["key"].as_str().unwrap();
            let mut sources = config.sources(key);
            sources.insert(key.to_owned());
            let row = |source| (vec![source], key.to_owned(), label_name(key));
            expected.extend(sources.into_iter().map(row));
        }
    }
    assert_eq!(rows("### Labels"), expected);
}

#[test]
fn derived_metrics_are_those_of_the_name_table() {
    let config = Config::read();
    let names: BTreeSet<_> = config.rules().iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert_eq!(names, derived::ALL.iter().map(|it| it.name).collect());
    let seconds: Vec<f64> =
        CLASSIC_BOUNDS_NS.iter().map(|it| Duration::from_nanos(*it).as_secs_f64()).collect();
    let depths: Vec<f64> = metrics::DEPTH_BOUNDS.iter().map(|it| *it as f64).collect();
    for rule in config.rules() {
        let instrument = derived::ALL.iter().find(|it| rule["name"] == it.name).unwrap();
        assert_eq!(rule["unit"], instrument.unit, "{}", instrument.name);
        assert_eq!(rule["description"], instrument.help, "{}", instrument.name);
        let keys = rule["attributes"].as_array().unwrap().iter();
        let keys: Vec<_> = keys.map(|it| it["key"].as_str().unwrap()).collect();
        let missing: Vec<_> =
            instrument.attributes.iter().filter(|it| !keys.contains(it)).collect();
        assert!(missing.is_empty(), "{} lacks {missing:?}", instrument.name);
        let expected = if instrument.unit == "s" { &seconds } else { &depths };
        if let Some(bounds) = rule["histogram"]["buckets"].as_array() {
            let bounds: Vec<_> = bounds.iter().map(|it| it.as_f64().unwrap()).collect();
            assert_eq!(bounds, *expected, "{}", instrument.name);
        }
    }
}
