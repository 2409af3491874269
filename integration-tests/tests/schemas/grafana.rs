//! Dashboards under the TypeScript compiler, as literals of the types that Grafana publishes.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use integration_tests::Checkers;
use serde_json::{Value, json};

use crate::shipped;

/// Everything that the compiler says of `boards`, given as names with dashboards.
fn complaints(boards: &[(String, Value)]) -> Vec<String> {
    let checkers = Checkers::ready().unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let place = |name: &str| scratch.path().join(name);
    symlink(&checkers.node_modules, place("node_modules")).unwrap();
    for file in ["strict.ts", "tsconfig.json"] {
        fs::copy(shipped("tools/grafana").join(file), place(file)).unwrap();
    }
    for (name, board) in boards {
        let source = format!(
            "import type {{ Board }} from './strict';\nexport const board: Board = {board:#};\n"
        );
        fs::write(place(&format!("{name}.ts")), source).unwrap();
    }
    let output = Command::new("node")
        .args(["node_modules/typescript/bin/tsc", "--project", "."])
        .current_dir(scratch.path())
        .output()
        .unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.success(), told.is_empty(), "{told}");
    // What follows a complaint is indented.
    told.lines().filter(|line| !line.starts_with(' ')).map(str::to_owned).collect()
}

fn boards() -> Vec<(String, Value)> {
    let files = fs::read_dir(shipped("grafana/dashboards")).unwrap().map(|it| it.unwrap().path());
    let read = |path: std::path::PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap())
    };
    files.map(read).collect()
}

#[test]
fn every_dashboard_has_the_types_that_grafana_publishes() {
    let boards = boards();
    assert!(boards.len() >= 8, "{} dashboards", boards.len());
    let complaints = complaints(&boards);
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// A mistake: its name, where it is made, the member and its value, and what the compiler says then.
/// The place is a pointer into the dashboard, after the kind of panel that it begins at, if any.
struct Mistake(&'static str, &'static str, &'static str, &'static str, Value, &'static str);

impl Mistake {
    fn made_in(&self, board: &Value) -> Value {
        let Self(_, kind, place, member, value, _) = self;
        let mut board = board.clone();
        let start = match *kind {
            "" => &mut board,
            kind => {
                let panels = board["panels"].as_array_mut().unwrap();
                panels.iter_mut().find(|it| it["type"] == *kind).unwrap()
            }
        };
        let target = start.pointer_mut(place).unwrap().as_object_mut().unwrap();
        if value.is_null() {
            target.remove(*member).unwrap();
        } else {
            target.insert((*member).to_owned(), value.clone());
        }
        board
    }
}

#[test]
fn the_compiler_finds_every_kind_of_mistake() {
    let unit = |id: &str, value: Value| json!([{"matcher": {"id": "byName", "options": "x"}, "properties": [{"id": id, "value": value}]}]);
    #[rustfmt::skip]
    let mistakes = [
        Mistake("misspelt-member", "", "", "schemaVerson", json!(42), "'\"schemaVerson\"' does not exist"),
        Mistake("misspelt-option", "timeseries", "/options/legend", "showLegnd", json!(true), "'\"showLegnd\"' does not exist"),
        Mistake("misspelt-setting", "timeseries", "/fieldConfig/defaults/custom", "lineWidht", json!(1), "'\"lineWidht\"' does not exist"),
        Mistake("misspelt-query", "timeseries", "/targets/0", "legendFormt", json!(""), "'\"legendFormt\"' does not exist"),
        Mistake("wrong-type", "timeseries", "/gridPos", "h", json!("8"), "Type 'string' is not assignable to type 'number'"),
        Mistake("unknown-value", "timeseries", "/options/tooltip", "mode", json!("many"), "Type '\"many\"' is not assignable"),
        Mistake("unknown-number", "", "/templating/list/1", "refresh", json!(7), "Type '7' is not assignable"),
        Mistake("unknown-kind", "timeseries", "", "type", json!("graph"), "'\"graph\"'"),
        Mistake("option-of-another-kind", "stat", "/options", "showHeader", json!(true), "'\"showHeader\"' does not exist"),
        Mistake("setting-of-another-kind", "stat", "/fieldConfig/defaults", "custom", json!({"lineWidth": 1}), "'never'"),
        Mistake("missing-option", "stat", "/options", "graphMode", Value::Null, "Property 'graphMode' is missing"),
        Mistake("unknown-override", "timeseries", "/fieldConfig", "overrides", unit("unitt", json!("s")), "'\"unitt\"'"),
        Mistake("value-of-an-override", "timeseries", "/fieldConfig", "overrides", unit("custom.lineWidth", json!("1")), "value: string; }' is not assignable"),
        Mistake("question-of-a-mark", "", "/annotations/list/0", "expr", json!("up"), "'\"expr\"' does not exist"),
    ];
    let overview = boards().into_iter().find(|it| it.0 == "plock-overview").unwrap().1;
    let made: Vec<_> = mistakes.iter().map(|it| (it.0.to_owned(), it.made_in(&overview))).collect();
    let complaints = complaints(&made);
    for Mistake(name, .., expected) in mistakes {
        let of: Vec<_> =
            complaints.iter().filter(|it| it.starts_with(&format!("{name}.ts"))).collect();
        assert!(of.iter().any(|it| it.contains(expected)), "{name}: {of:#?}");
    }
}
