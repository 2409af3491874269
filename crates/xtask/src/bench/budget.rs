//! What each operation may execute: one file of budgets, kept by the test run. A count above its
//! budget fails, so does a row without a budget and a budget without a row.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use anyhow::{Context, Result, ensure};
use integration_tests::repository;

use super::instructions::{Count, count};
use super::program::{Profile, Program};

/// From the root of the repository.
const FILE: &str = "crates/plock/benches/instructions.toml";

/// The processor and system whose instructions are counted.
const IS_COUNTED: bool = cfg!(all(target_arch = "x86_64", target_os = "linux"));

type Budgets = BTreeMap<String, u64>;

/// How counts compare with budgets.
#[derive(Debug, Default, PartialEq, Eq)]
struct Verdict {
    failures: Vec<String>,
    /// Budgets that guard nothing any more.
    hints: Vec<String>,
}

/// Counts every row and holds it against its budget.
#[expect(clippy::print_stdout, reason = "part of the report of the test run")]
pub(crate) fn check() -> Result<()> {
    if !IS_COUNTED {
        println!("not counted: the budgets are for Linux on x86-64");
        return Ok(());
    }
    let budgets = read()?;
    let counts = count(&Program::build("locks", Profile::Bench)?, &["--count"])?;
    let verdict = compare(&budgets, &counts);
    verdict.hints.iter().for_each(|hint| println!("hint: {hint}"));
    verdict.failures.iter().for_each(|failure| println!("{failure}"));
    ensure!(
        verdict.failures.is_empty(),
        "{} of {} rows break {FILE}; if that is meant, `cargo xtask bench --bless` rewrites it",
        verdict.failures.len(),
        counts.len()
    );
    println!("{} operations keep their budgets", counts.len());
    Ok(())
}

/// Makes these counts the budgets. The comment at the head of the file stays.
pub(crate) fn bless(counts: &[Count]) -> Result<()> {
    ensure!(IS_COUNTED, "the budgets in {FILE} are for Linux on x86-64: bless them there");
    let path = repository().join(FILE);
    let old = fs::read_to_string(&path).with_context(|| format!("cannot read {FILE}"))?;
    let mut text = String::new();
    for line in old.lines().take_while(|line| line.starts_with('#')) {
        writeln!(text, "{line}")?;
    }
    for count in counts {
        writeln!(text, "\"{}\" = {}", count.name, allowance(count))?;
    }
    fs::write(&path, text).with_context(|| format!("cannot write {FILE}"))
}

fn read() -> Result<Budgets> {
    let text = fs::read_to_string(repository().join(FILE))
        .with_context(|| format!("cannot read {FILE}"))?;
    toml::from_str(&text).with_context(|| format!("{FILE} is not a table of row names and numbers"))
}

/// The budget of an operation that was counted: 2 % above it, for what differs from run to run. Two
/// kinds of rows differ more and get 10 %: what reads or encodes measured times goes over as many
/// buckets as those happened to fall into, and what makes spans runs the SDK, whose hash maps and
/// identifiers are random (6 % between runs of one build).
fn allowance(Count { name, instructions }: &Count) -> u64 {
    let is_varied = *instructions >= 1_000_000 || name.starts_with("span/");
    let percent = if is_varied { 110 } else { 102 };
    (instructions * percent).div_ceil(100)
}

fn compare(budgets: &Budgets, counts: &[Count]) -> Verdict {
    let Verdict { mut failures, mut hints } = Verdict::default();
    for count @ Count { name, instructions } in counts {
        let Some(budget) = budgets.get(name) else {
            failures.push(format!("{name}: {instructions} instructions, no budget"));
            continue;
        };
        let allowance = allowance(count);
        if instructions > budget {
            failures.push(format!("{name}: {instructions} instructions, the budget is {budget}"));
        } else if allowance * 10 < budget * 9 {
            hints.push(format!(
                "{name}: {instructions} instructions, lower its budget from {budget} to {allowance}"
            ));
        }
    }
    let rows: Vec<&str> = counts.iter().map(|count| count.name.as_str()).collect();
    for name in budgets.keys().filter(|name| !rows.contains(&name.as_str())) {
        failures.push(format!("{name}: has a budget, but there is no such row"));
    }
    Verdict { failures, hints }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(instructions: u64) -> Count {
        Count { name: "lock/free/full".to_owned(), instructions }
    }

    #[track_caller]
    fn check_one(budget: Option<u64>, instructions: Option<u64>, failures: usize, hints: usize) {
        let budgets = budget.map(|budget| (row(0).name, budget)).into_iter().collect();
        let counts: Vec<_> = instructions.map(row).into_iter().collect();
        let verdict = compare(&budgets, &counts);
        assert_eq!((verdict.failures.len(), verdict.hints.len()), (failures, hints), "{verdict:?}");
    }

    #[test]
    fn a_budget_is_a_maximum() {
        check_one(Some(100), Some(100), 0, 0);
        check_one(Some(100), Some(101), 1, 0);
    }

    #[test]
    fn every_row_has_a_budget_and_every_budget_a_row() {
        check_one(None, Some(1), 1, 0);
        check_one(Some(1), None, 1, 0);
    }

    #[test]
    fn a_budget_far_too_large_is_worth_a_hint() {
        check_one(Some(200), Some(180), 0, 0);
        check_one(Some(200), Some(170), 0, 1);
        // What was blessed is never worth one, however few instructions it is.
        for instructions in 1..1000 {
            check_one(Some(allowance(&row(instructions))), Some(instructions), 0, 0);
        }
    }

    #[test]
    fn rows_that_vary_get_more_room() {
        let of_span = Count { name: "span/slow/full".to_owned(), instructions: 100 };
        assert_eq!(allowance(&row(100)), 102);
        assert_eq!(allowance(&of_span), 110);
        assert_eq!(allowance(&row(1_000_000)), 1_100_000);
    }

    #[test]
    fn a_failure_tells_both_numbers() {
        let budgets = Budgets::from([("a".to_owned(), 100)]);
        let verdict = compare(&budgets, &[Count { name: "a".to_owned(), instructions: 123 }]);
        assert!(verdict.failures[0].contains("123") && verdict.failures[0].contains("100"));
    }
}
