//! Answers as tables, and Grafana's transformations of them.

use std::cmp::Ordering;

use anyhow::{Context, Result, bail, ensure};
use integration_tests::dashboards::Panel;
use plock_boards::grafana::schema::Transformation;
use serde_json::Value;

use super::answer::Answer;
use super::look::Look;
use super::page::{Column, Drawing};

/// A table under the name of its query.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Frame {
    pub(super) name: String,
    fields: Vec<String>,
    rows: Vec<Vec<Cell>>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Nothing,
    Text(String),
    Number(f64),
}

/// The rows of a table, the largest of what it is sorted by first.
pub(super) fn drawing(
    panel: &Panel,
    look: &Look<'_>,
    answers: &[Answer<'_>],
) -> Result<Option<Drawing>> {
    let mut frames = frames(panel, answers)?;
    ensure!(frames.len() == 1, "a table of {} answers", frames.len());
    let Some(mut frame) = frames.pop().filter(|frame| !frame.rows.is_empty()) else {
        return Ok(None);
    };
    let options = panel.options.as_ref().context("no options")?;
    if let Some(column) = options["sortBy"][0]["displayName"].as_str() {
        let descends = options["sortBy"][0]["desc"] == true;
        let column = frame.position(column).with_context(|| format!("no column `{column}`"))?;
        frame.rows.sort_by(|a, b| {
            let order = a[column].order(&b[column]);
            if descends { order.reverse() } else { order }
        });
    }
    let is_number = |index: usize| frame.rows.iter().any(|it| matches!(it[index], Cell::Number(_)));
    let columns = frame
        .fields
        .iter()
        .enumerate()
        .map(|(index, title)| Column { title: title.clone(), is_number: is_number(index) });
    let columns = columns.collect();
    let text = |row: &Vec<Cell>| {
        let cells = row.iter().zip(&frame.fields);
        cells.map(|(cell, field)| cell.text(look, field)).collect()
    };
    Ok(Some(Drawing::Table { columns, rows: frame.rows.iter().map(text).collect() }))
}

/// The answers to a panel's queries, transformed.
pub(super) fn frames(panel: &Panel, answers: &[Answer<'_>]) -> Result<Vec<Frame>> {
    let is_single = answers.len() == 1;
    let frames = answers.iter().map(|answer| Frame::of(answer, is_single));
    let frames = frames.collect::<Result<Vec<_>>>()?;
    panel.transformations.iter().try_fold(frames, transformed)
}

fn transformed(frames: Vec<Frame>, step: &Transformation) -> Result<Vec<Frame>> {
    if let Some(filter) = &step.filter {
        ensure!(filter.id == "byRefId", "answers chosen by `{}`", filter.id);
        let is_meant = |frame: &Frame| frame.name == filter.options;
        let (meant, others): (Vec<_>, Vec<_>) = frames.into_iter().partition(is_meant);
        return Ok([others, applied(meant, step)?].concat());
    }
    applied(frames, step)
}

fn applied(frames: Vec<Frame>, step: &Transformation) -> Result<Vec<Frame>> {
    match step.id.as_str() {
        "merge" => Ok(vec![Frame::merged(&frames)]),
        "organize" => Ok(frames.iter().map(|frame| frame.organized(&step.options)).collect()),
        "groupingToMatrix" => frames.iter().map(|frame| frame.matrix(&step.options)).collect(),
        other => bail!("the preview does not know the transformation `{other}`"),
    }
}

impl Frame {
    /// Time, labels by name, and the value: `Value`, with the query's letter if there are several.
    fn of(answer: &Answer<'_>, is_single: bool) -> Result<Self> {
        let samples = answer.samples()?;
        let mut labels: Vec<_> = samples.iter().flat_map(|it| it.labels.keys()).collect();
        labels.sort_unstable();
        labels.dedup();
        let value =
            if is_single { "Value".to_owned() } else { format!("Value #{}", answer.name()) };
        let rows = samples.iter().map(|sample| {
            let label = |name: &&String| sample.labels.get(*name).cloned();
            let labels = labels.iter().map(|name| label(name).map_or(Cell::Nothing, Cell::Text));
            let time = std::iter::once(Cell::Text("now".to_owned()));
            time.chain(labels).chain([Cell::Number(sample.number())]).collect()
        });
        let rows = rows.collect();
        let names = labels.iter().map(ToString::to_string);
        let fields = std::iter::once("Time".to_owned()).chain(names).chain([value]).collect();
        Ok(Self { name: answer.name().to_owned(), fields, rows })
    }

    pub(super) fn rows(&self) -> usize {
        self.rows.len()
    }

    /// The cell of a row, if there is such a field.
    pub(super) fn cell(&self, row: usize, field: &str) -> Option<&Cell> {
        self.rows.get(row)?.get(self.position(field)?)
    }

    fn position(&self, field: &str) -> Option<usize> {
        self.fields.iter().position(|it| it == field)
    }

    /// One table: rows that agree in the fields that all have become one.
    fn merged(frames: &[Self]) -> Self {
        let filled: Vec<_> = frames.iter().filter(|frame| !frame.rows.is_empty()).collect();
        let mut fields: Vec<String> = Vec::new();
        for field in filled.iter().flat_map(|frame| &frame.fields) {
            if !fields.contains(field) {
                fields.push(field.clone());
            }
        }
        let shared = |field: &String| filled.iter().all(|frame| frame.fields.contains(field));
        let keys: Vec<_> = (0..fields.len()).filter(|it| shared(&fields[*it])).collect();
        let mut rows: Vec<Vec<Cell>> = Vec::new();
        for frame in &filled {
            for row in 0..frame.rows.len() {
                let cell = |field: &String| frame.cell(row, field).cloned();
                let cells: Vec<_> = fields.iter().map(cell).collect();
                let agrees = |other: &&mut Vec<Cell>| {
                    keys.iter().all(|key| cells[*key].as_ref() == Some(&other[*key]))
                };
                match rows.iter_mut().find(agrees) {
                    Some(known) => {
                        for (known, cell) in known.iter_mut().zip(cells) {
                            *known = cell.unwrap_or_else(|| known.clone());
                        }
                    }
                    None => {
                        rows.push(
                            cells.into_iter().map(|it| it.unwrap_or(Cell::Nothing)).collect(),
                        );
                    }
                }
            }
        }
        Self { name: String::new(), fields, rows }
    }

    /// Fields left out, in order, under other names.
    fn organized(&self, options: &Value) -> Self {
        let mut kept: Vec<_> = (0..self.fields.len()).collect();
        kept.retain(|index| options["excludeByName"][&self.fields[*index]] != true);
        let place = |index: &usize| options["indexByName"][&self.fields[*index]].as_u64();
        kept.sort_by_key(|index| place(index).unwrap_or(u64::MAX));
        let title = |index: &usize| {
            let field = &self.fields[*index];
            options["renameByName"][field].as_str().unwrap_or(field).to_owned()
        };
        let cells = |row: &Vec<Cell>| kept.iter().map(|index| row[*index].clone()).collect();
        Self {
            name: self.name.clone(),
            fields: kept.iter().map(title).collect(),
            rows: self.rows.iter().map(cells).collect(),
        }
    }

    /// A row for each value of one field, a column for each value of another.
    fn matrix(&self, options: &Value) -> Result<Self> {
        ensure!(options["emptyValue"] == "empty", "cells without value are not left empty");
        let name = |key: &str| options[key].as_str().with_context(|| format!("no {key}"));
        let (row, column, value) = (name("rowField")?, name("columnField")?, name("valueField")?);
        let mut matrix = Self {
            name: self.name.clone(),
            fields: vec![format!("{row}\\{column}")],
            rows: Vec::new(),
        };
        for index in 0..self.rows.len() {
            let cell = |field| self.cell(index, field).with_context(|| format!("no `{field}`"));
            let (row, Cell::Text(column), value) = (cell(row)?, cell(column)?, cell(value)?) else {
                bail!("`{column}` is not a label");
            };
            let place = matrix.position(column).unwrap_or_else(|| {
                matrix.fields.push(column.clone());
                matrix.rows.iter_mut().for_each(|it| it.push(Cell::Nothing));
                matrix.fields.len() - 1
            });
            let known = matrix.rows.iter().position(|it| it[0] == *row).unwrap_or_else(|| {
                matrix.rows.push(vec![Cell::Nothing; matrix.fields.len()]);
                matrix.rows.len() - 1
            });
            matrix.rows[known][0] = row.clone();
            matrix.rows[known][place] = value.clone();
        }
        Ok(matrix)
    }
}

impl Cell {
    pub(super) fn text(&self, look: &Look<'_>, field: &str) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::Text(text) => text.clone(),
            Self::Number(value) => look.unit_of(field).text(*value),
        }
    }

    /// Nothing, and what is not a number, comes before everything.
    fn order(&self, other: &Self) -> Ordering {
        let number = |cell: &Self| match cell {
            Self::Number(value) if !value.is_nan() => *value,
            _ => f64::NEG_INFINITY,
        };
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            _ => number(self).total_cmp(&number(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn frame(fields: &[&str], rows: &[&[&str]]) -> Frame {
        let cell = |text: &&str| match text.parse() {
            Ok(number) => Cell::Number(number),
            Err(_) if text.is_empty() => Cell::Nothing,
            Err(_) => Cell::Text((*text).to_owned()),
        };
        Frame {
            name: "A".to_owned(),
            fields: fields.iter().map(ToString::to_string).collect(),
            rows: rows.iter().map(|row| row.iter().map(cell).collect()).collect(),
        }
    }

    #[test]
    fn rows_that_agree_in_the_shared_fields_become_one() {
        let a = frame(&["lock", "Value #A"], &[&["x", "1"], &["y", "2"]]);
        let b = frame(&["lock", "Value #B"], &[&["y", "3"], &["z", "4"]]);
        let empty = frame(&["Time", "Value #C"], &[]);
        let mut merged = Frame::merged(&[a, b, empty]);
        merged.name = "A".to_owned();
        let rows: [&[&str]; 3] = [&["x", "1", ""], &["y", "2", "3"], &["z", "", "4"]];
        assert_eq!(merged, frame(&["lock", "Value #A", "Value #B"], &rows));
    }

    #[test]
    fn fields_are_left_out_ordered_and_renamed() {
        let options = json!({
            "excludeByName": {"Time": true},
            "indexByName": {"Value": 0, "lock": 1},
            "renameByName": {"Value": "Age"},
        });
        let organized = frame(&["Time", "extra", "lock", "Value"], &[&["now", "e", "x", "5"]])
            .organized(&options);
        assert_eq!(organized, frame(&["Age", "lock", "extra"], &[&["5", "x", "e"]]));
    }

    #[test]
    fn a_matrix_has_the_values_of_two_fields_at_its_sides() {
        let options = json!({
            "columnField": "holder", "rowField": "waiter", "valueField": "Value", "emptyValue": "empty",
        });
        let rows: [&[&str]; 3] = [&["a", "h", "1"], &["b", "i", "2"], &["a", "i", "3"]];
        let matrix = frame(&["waiter", "holder", "Value"], &rows).matrix(&options).unwrap();
        let rows: [&[&str]; 2] = [&["a", "1", "3"], &["b", "", "2"]];
        assert_eq!(matrix, frame(&["waiter\\holder", "h", "i"], &rows));
    }

    #[test]
    fn an_unknown_transformation_is_an_error() {
        let step = json!({"id": "reduce", "options": {}});
        let step = serde_json::from_value(step).unwrap();
        let error = transformed(Vec::new(), &step).unwrap_err().to_string();
        assert_eq!(error, "the preview does not know the transformation `reduce`");
    }
}
