//! `cargo xtask boards`: writes the dashboards, rules and alerts, or tells whether they are as written.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};
use integration_tests::repository;
use plock_boards::{File, Options, files, runbook, runbooks};

/// Write the dashboards, recording rules, alerts and the heads of the runbooks.
///
/// They are made from the table of metric names and from thresholds, and are checked in below
/// otel-collector/. Give a file of options and a folder to make a set of your own.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Change nothing; fail if a file differs from what would be written.
    #[arg(long)]
    check: bool,
    /// Thresholds, selection and addresses, in TOML; what it leaves out stays as it is.
    #[arg(long, value_name = "FILE.toml", requires = "output")]
    options: Option<PathBuf>,
    /// Where to write; otel-collector/ unless told otherwise.
    #[arg(long, value_name = "FOLDER", conflicts_with = "check")]
    output: Option<PathBuf>,
}

#[expect(clippy::print_stdout, reason = "what was written is the result")]
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    if arguments.check {
        return check().map(|()| ExitCode::SUCCESS);
    }
    let options = match &arguments.options {
        Some(file) => toml::from_str(&fs::read_to_string(file)?)
            .with_context(|| format!("{} is not a file of options", file.display()))?,
        None => Options::default(),
    };
    let folder = arguments.output.clone().unwrap_or_else(shipped);
    for (path, text) in outputs(&options)? {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().context("a file is in a folder")?)?;
        if fs::read_to_string(&path).ok().as_ref() != Some(&text) {
            fs::write(&path, &text)?;
            println!("wrote {}", path.display());
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Everything that is written: the prose of a runbook stays as it is checked in.
fn outputs(options: &Options) -> Result<Vec<(String, String)>> {
    let whole = files(options)?.into_iter().map(|File { path, text, .. }| (path, text));
    let pages = runbooks(options).into_iter().map(|name| {
        let path = format!("runbooks/{name}.md");
        let prose = fs::read_to_string(shipped().join(&path)).ok();
        let page = runbook(name, prose.as_deref(), options);
        (path, page)
    });
    // Kustomize reads no file outside of its folder.
    let config = fs::read_to_string(shipped().join("config.yaml"))?;
    let copy = ("kubernetes/base/config.yaml".to_owned(), config);
    Ok(whole.chain(pages).chain([copy]).collect())
}

/// Compares every generated file with the one that is checked in, and shows the differences.
pub(crate) fn check() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let is_shipped = |(path, text): &&(String, String)| {
        fs::read_to_string(shipped().join(path)).is_ok_and(|shipped| shipped == *text)
    };
    let outputs = outputs(&Options::default())?;
    let differing: Vec<_> = outputs.iter().filter(|output| !is_shipped(output)).collect();
    for (path, text) in &differing {
        let written = scratch.path().join(path.replace('/', "-"));
        fs::write(&written, text)?;
        // The difference is for the reader; that there is one is known.
        let mut diff = Command::new("diff");
        drop(diff.arg("-u").arg(shipped().join(path)).arg(&written).status());
    }
    let names: Vec<_> = differing.iter().map(|(path, _)| path.as_str()).collect();
    ensure!(
        names.is_empty(),
        "not as generated: {}; run `cargo xtask boards`, or undo the change by hand",
        names.join(", ")
    );
    Ok(())
}

fn shipped() -> PathBuf {
    repository().join("otel-collector")
}
