//! The tables of the results.

use std::io::{IsTerminal, stdout};

use comfy_table::{CellAlignment, Table, presets};

use super::Row;

/// A table that can be pasted into a page as it is; the first column names the row, the others are
/// numbers.
pub(crate) fn numbers<const N: usize>(
    header: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::ASCII_MARKDOWN);
    if !stdout().is_terminal() {
        table.set_width(140);
    }
    table.set_header(header).add_rows(rows);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

pub(crate) fn draw(rows: &[Row]) -> Table {
    let bare = |row: &Row| rows.iter().find(|other| row.base.as_ref() == Some(&other.name));
    let optional = |value: Option<String>| value.unwrap_or_default();
    let cells = rows.iter().map(|row| {
        [
            row.name.clone(),
            format!("{:.1}", row.ns_min),
            format!("{:.1}", row.ns_median),
            optional(bare(row).map(|bare| format!("{:+.1}", row.ns_min - bare.ns_min))),
            optional(row.ratio.map(|ratio| format!("{ratio:.2}"))),
            optional(row.ratio_one_thread.map(|ratio| format!("{ratio:.2}"))),
            optional(row.instructions.map(|count| count.to_string())),
        ]
    });
    let header =
        ["operation", "min ns", "median ns", "over bare", "ratio", "one thread", "instructions"];
    numbers(header, cells)
}
