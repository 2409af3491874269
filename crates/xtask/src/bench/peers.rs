//! Other ways to time a lock: `crates/plock/benches/peers`, built twice.

use anyhow::Result;

use super::instructions;
use super::program::{Profile, Program, objects};
use super::{Arguments, Row};

/// How the names of the rows begin that the second build runs.
const CONSOLE: &str = "peer:console-subscriber/";

pub(crate) fn measure(profile: Profile, arguments: &Arguments) -> Result<Vec<Row>> {
    let program = Program::build_peers(profile, false)?;
    let console = Program::build_peers(profile, true)?;
    let mut command = arguments.choice(&program);
    command.arg("--console").arg(console.path());
    let mut rows: Vec<Row> = objects(&mut command)?;
    for row in rows.iter_mut().filter(|row| arguments.instructions && row.countable) {
        // One by one: most of them change their process.
        let program = if row.name.starts_with(CONSOLE) { &console } else { &program };
        let counts = instructions::count(program, &["--count", &row.name])?;
        row.instructions = counts.first().map(|count| count.instructions);
    }
    Ok(rows)
}
