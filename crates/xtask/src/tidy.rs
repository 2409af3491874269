//! `cargo xtask tidy`: house rules that neither rustfmt nor clippy knows, as a table. To add a rule,
//! add a line to [`RULES`].

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};
use integration_tests::repository;

/// Check the house rules that no lint knows: file length, where unsafe code may be, what its
/// comments say, that nothing names a machine.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// List the rules and exit.
    #[arg(long)]
    list: bool,
}

/// A file above this has more than one idea in it.
const MAX_CODE_LINES: usize = 500;

/// How far above an unsafe operation its reason may begin.
const SAFETY_REACH: usize = 6;

/// Where unsafe code is: the core, the value behind a lock, and raw locks for `lock_api`.
const UNSAFE_HOMES: &[&str] = &[
    "crates/plock-core/",
    "crates/plock/src/tokio/sync/guarded",
    "crates/plock/src/parking_lot/raw_",
];

/// This file spells what it forbids.
const SELF: &str = "crates/xtask/src/tidy.rs";

struct Rule {
    name: &'static str,
    about: &'static str,
    check: fn(&Source, &mut Vec<Finding>),
}

#[rustfmt::skip]
const RULES: &[Rule] = &[
    Rule { name: "length", about: "a Rust file has at most 500 lines of code", check: length },
    Rule { name: "unsafe-home", about: "unsafe code is in plock-core, and behind the locks of plock", check: unsafe_home },
    Rule { name: "safety", about: "every unsafe operation has a SAFETY comment above it", check: safety },
    Rule { name: "machine", about: "nothing names a directory of one machine", check: machine },
    Rule { name: "unfinished", about: "no note about work left and no conflict marker", check: unfinished },
    Rule { name: "lints", about: "every crate takes the lints of the workspace", check: lints },
    Rule { name: "reasons", about: "every dependency says why it is there", check: reasons },
    Rule { name: "whitespace", about: "no blank at a line's end, one newline at a file's end", check: whitespace },
];

/// One file under version control, or about to be.
struct Source {
    path: String,
    text: String,
}

/// Where a rule is broken: line number and what is wrong.
type Finding = (usize, String);

#[expect(clippy::print_stdout, reason = "the list of rules is the result")]
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    if arguments.list {
        for rule in RULES {
            println!("{:12} {}", rule.name, rule.about);
        }
        return Ok(ExitCode::SUCCESS);
    }
    check().map(|()| ExitCode::SUCCESS)
}

/// Checks every rule on every file.
#[expect(clippy::print_stdout, reason = "findings are the result")]
pub(crate) fn check() -> Result<()> {
    let sources = sources()?;
    let mut count = 0;
    for source in &sources {
        for rule in RULES {
            let mut findings = Vec::new();
            (rule.check)(source, &mut findings);
            count += findings.len();
            for (line, what) in findings {
                println!("{}:{line}: {}: {what}", source.path, rule.name);
            }
        }
    }
    ensure!(count == 0, "{count} findings; `cargo xtask tidy --list` explains the rules");
    println!("{} files keep {} rules", sources.len(), RULES.len());
    Ok(())
}

fn sources() -> Result<Vec<Source>> {
    let listing = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(repository())
        .output()
        .context("cannot start git")?;
    ensure!(listing.status.success(), "git ls-files: {}", String::from_utf8_lossy(&listing.stderr));
    let paths = String::from_utf8(listing.stdout)?;
    let text_of = |path: &str| fs::read_to_string(repository().join(path)).ok();
    // What cannot be read as text is an image, or deleted and not yet committed.
    let source = |path: &str| Some(Source { path: path.to_owned(), text: text_of(path)? });
    Ok(paths.split_terminator('\0').filter_map(source).collect())
}

impl Source {
    fn is_rust(&self) -> bool {
        self.has_extension("rs")
    }

    fn has_extension(&self, extension: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|it| it == extension)
    }

    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }

    /// Lines that hold code: no blanks, no comments.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines()
            .map(|(number, line)| (number, line.trim()))
            .filter(|(_, line)| !line.is_empty() && !line.starts_with("//"))
    }

    /// Number of lines with code before the tests of this file.
    fn code_length(&self) -> usize {
        let is_test_module = |(number, _): &(usize, &str)| {
            let mut next = self.text.lines().skip(number - 1);
            next.next().is_some_and(|line| line == "#[cfg(test)]")
                && next.next().is_some_and(|line| line.starts_with("mod ") && line.ends_with('{'))
        };
        self.code().take_while(|line| !is_test_module(line)).count()
    }
}

fn length(source: &Source, findings: &mut Vec<Finding>) {
    if !source.is_rust() {
        return;
    }
    let length = source.code_length();
    if length > MAX_CODE_LINES {
        findings.push((1, format!("{length} lines of code, split it by idea")));
    }
}

fn unsafe_home(source: &Source, findings: &mut Vec<Finding>) {
    let is_home = UNSAFE_HOMES.iter().any(|home| source.path.starts_with(home));
    if !source.is_rust() || is_home || source.path == SELF {
        return;
    }
    let unsafe_lines = source.code().filter(|(_, line)| has_unsafe(line));
    findings
        .extend(unsafe_lines.map(|(number, _)| (number, "unsafe code outside its homes".into())));
}

fn safety(source: &Source, findings: &mut Vec<Finding>) {
    if !source.is_rust() || source.path == SELF {
        return;
    }
    let lines: Vec<_> = source.text.lines().collect();
    let operations = source.code().filter(|(_, line)| {
        has_unsafe(line) && (line.contains("unsafe {") || line.contains("unsafe impl"))
    });
    for (number, _) in operations {
        let above = &lines[number.saturating_sub(SAFETY_REACH + 1)..number];
        if !above.iter().any(|line| line.contains("SAFETY:")) {
            findings.push((number, "no `// SAFETY:` comment above".into()));
        }
    }
}

/// Whether the keyword occurs, rather than a lint's name or a word in a text.
fn has_unsafe(line: &str) -> bool {
    ["unsafe {", "unsafe fn", "unsafe impl", "unsafe trait", "unsafe extern"]
        .iter()
        .any(|form| line.contains(form))
}

fn machine(source: &Source, findings: &mut Vec<Finding>) {
    if source.path == SELF {
        return;
    }
    let here = format!("{}/", repository().display());
    let homes = ["/home/", "/Users/", "/root/", "C:\\Users\\", here.as_str()];
    for (number, line) in source.lines() {
        if let Some(home) = homes.iter().find(|home| line.contains(**home)) {
            findings.push((number, format!("names `{home}`")));
        }
    }
}

fn unfinished(source: &Source, findings: &mut Vec<Finding>) {
    if source.path == SELF {
        return;
    }
    for (number, line) in source.lines() {
        let marks = ["TODO", "FIXME", "XXX", "<<<<<<< ", ">>>>>>> "];
        if let Some(mark) = marks.iter().find(|mark| line.contains(**mark)) {
            findings.push((number, format!("`{}` is left", mark.trim())));
        }
    }
}

fn lints(source: &Source, findings: &mut Vec<Finding>) {
    let is_member = source.path.ends_with("/Cargo.toml");
    if is_member && !source.text.contains("[lints]\nworkspace = true") {
        findings.push((1, "needs `[lints] workspace = true`".into()));
    }
}

fn reasons(source: &Source, findings: &mut Vec<Finding>) {
    if source.path != "Cargo.toml" {
        return;
    }
    let section = |line: &&(usize, &str)| !line.1.starts_with("[workspace.dependencies]");
    let lines: Vec<_> = source.lines().collect();
    let dependencies = lines.iter().skip_while(section).skip(1);
    for (number, line) in dependencies.take_while(|line| !line.1.starts_with('[')) {
        let is_outside = line.contains(" = ") && !line.contains("path = ");
        if is_outside && !line.contains(" # ") {
            findings.push((*number, "says no reason".into()));
        }
    }
}

fn whitespace(source: &Source, findings: &mut Vec<Finding>) {
    if !["rs", "toml", "md", "yaml", "yml", "json"].iter().any(|it| source.has_extension(it)) {
        return;
    }
    let blanks = source.lines().filter(|(_, line)| line.ends_with([' ', '\t']));
    findings.extend(blanks.map(|(number, _)| (number, "blank at the end of the line".into())));
    if !source.text.ends_with('\n') || source.text.ends_with("\n\n") {
        findings.push((source.text.lines().count(), "the file must end with one newline".into()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_one(rule: fn(&Source, &mut Vec<Finding>), path: &str, text: &str, lines: &[usize]) {
        let mut findings = Vec::new();
        rule(&Source { path: path.to_owned(), text: text.to_owned() }, &mut findings);
        assert_eq!(findings.iter().map(|finding| finding.0).collect::<Vec<_>>(), lines);
    }

    #[test]
    fn length_counts_code_before_the_tests() {
        let code = "let x = 1;\n";
        check_one(length, "a.rs", &code.repeat(500), &[]);
        check_one(length, "a.rs", &code.repeat(501), &[1]);
        check_one(
            length,
            "a.rs",
            &format!("{}{}", code.repeat(400), "// why\n\n".repeat(200)),
            &[],
        );
        let tests =
            format!("{}#[cfg(test)]\nmod tests {{\n{}}}\n", code.repeat(400), code.repeat(200));
        check_one(length, "a.rs", &tests, &[]);
    }

    #[test]
    fn unsafe_code_needs_its_place_and_its_reason() {
        let bare = "fn f() {\n    unsafe { g() }\n}\n";
        let told = bare.replace("    unsafe", concat!("    // SAFE", "TY: none.\n    unsafe"));
        check_one(unsafe_home, "crates/plock/src/a.rs", &told, &[3]);
        check_one(unsafe_home, "crates/plock-core/src/a.rs", &told, &[]);
        check_one(unsafe_home, "crates/plock/src/tokio/sync/guarded.rs", &told, &[]);
        check_one(unsafe_home, "crates/plock/src/tokio/sync/mutex.rs", &told, &[3]);
        check_one(safety, "crates/plock-core/src/a.rs", bare, &[2]);
        check_one(safety, "crates/plock-core/src/a.rs", &told, &[]);
    }

    #[test]
    fn machine_finds_homes_and_this_checkout() {
        check_one(machine, "a.md", "see /home/me/x\n", &[1]);
        check_one(machine, "a.md", &format!("a\nsee {}/x\n", repository().display()), &[2]);
        check_one(machine, "a.md", "see ~/.cache/plock\n", &[]);
    }

    #[test]
    fn dependencies_need_a_reason() {
        let table = "[workspace.dependencies]\na = { path = \"a\" }\nb = \"1\" # why\nc = \"1\"\n[x]\nd = 1\n";
        check_one(reasons, "Cargo.toml", table, &[4]);
    }

    #[test]
    fn whitespace_is_found_at_ends() {
        check_one(whitespace, "a.md", "a \nb\n", &[1]);
        check_one(whitespace, "a.md", "a\nb", &[2]);
        check_one(whitespace, "a.md", "a\n\n", &[2]);
    }
}
