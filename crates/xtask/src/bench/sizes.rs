//! What plock takes up, in bytes: `crates/plock/benches/sizes`.

use anyhow::Result;
use comfy_table::Table;
use serde::{Deserialize, Serialize};

use super::program::{Profile, Program, objects};
use super::table;

/// What every name begins with.
const PREFIX: &str = "size/";

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Size {
    name: String,
    bytes: u64,
    /// Of what would be there without plock.
    bare_bytes: u64,
}

/// The sizes whose name contains `filter`.
pub(crate) fn measure(profile: Profile, filter: &str) -> Result<Vec<Size>> {
    let mut sizes: Vec<Size> = objects(&mut Program::build("sizes", profile)?.command())?;
    sizes.retain(|size| size.name.contains(filter));
    Ok(sizes)
}

pub(crate) fn draw(sizes: &[Size]) -> Table {
    let cells = sizes.iter().map(|size| {
        [
            size.name.trim_start_matches(PREFIX).to_owned(),
            size.bytes.to_string(),
            size.bare_bytes.to_string(),
            (i128::from(size.bytes) - i128::from(size.bare_bytes)).to_string(),
        ]
    });
    table::numbers(["size", "bytes", "bare", "added"], cells)
}
