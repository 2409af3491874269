//! The table of the result.

use std::io::{IsTerminal, stdout};

use comfy_table::{CellAlignment, Table, presets};

use super::Row;

pub(crate) fn draw(rows: &[Row]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::ASCII_MARKDOWN); // as it is, it can be pasted into a page
    if !stdout().is_terminal() {
        table.set_width(140);
    }
    table.set_header([
        "operation",
        "min ns",
        "median ns",
        "over bare",
        "ratio",
        "one thread",
        "instructions",
    ]);
    let bare = |row: &Row| {
        let situation = row.name.rsplit_once('/')?.0;
        rows.iter().find(|other| other.name.strip_suffix("/bare") == Some(situation))
    };
    let optional = |value: Option<String>| value.unwrap_or_default();
    for row in rows {
        table.add_row([
            row.name.clone(),
            format!("{:.1}", row.ns_min),
            format!("{:.1}", row.ns_median),
            optional(bare(row).map(|bare| format!("{:+.1}", row.ns_min - bare.ns_min))),
            optional(row.ratio.map(|ratio| format!("{ratio:.2}"))),
            optional(row.ratio_one_thread.map(|ratio| format!("{ratio:.2}"))),
            optional(row.instructions.map(|count| count.to_string())),
        ]);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
