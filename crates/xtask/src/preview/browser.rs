//! Takes the picture: Chromium without a window opens the page, which says when it is drawn.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tokio::process::Command;
use tokio::time::timeout;

use super::page::Page;

/// Names under which distributions have it.
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// For one picture; it takes a second or two.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the page writes into its root element at its end.
const DRAWN: &str = "data-drawn=\"";
const FAILED: &str = "data-error=\"";

/// The browser to use: the one that was asked for, else the first that is installed.
pub(super) fn find(asked: Option<&Path>) -> Result<PathBuf> {
    if let Some(asked) = asked {
        ensure!(asked.is_file(), "there is no browser at {}", asked.display());
        return Ok(asked.to_owned());
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let places = NAMES.iter().flat_map(|name| env::split_paths(&path).map(move |it| it.join(name)));
    places.into_iter().find(|it| it.is_file()).context(
        "no Chromium is installed: `apt-get install chromium`, or name a browser with --browser",
    )
}

/// Writes the picture of the page in the file `html`; fails if the page does not draw all of it.
pub(super) async fn picture(browser: &Path, html: &Path, page: &Page, png: &Path) -> Result<()> {
    let profile = tempfile::tempdir()?;
    let mut command = Command::new(browser);
    command
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--hide-scrollbars", "--force-device-scale-factor=1", "--dump-dom"])
        // Letters in shades of grey take half the space of coloured ones.
        .arg("--disable-lcd-text")
        .arg(format!("--window-size={},{}", page.width, page.height))
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("--screenshot={}", png.display()))
        .arg(format!("file://{}", html.display()))
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = timeout(PATIENCE, command.output()).await.context("the browser does not end")?;
    let output = output.with_context(|| format!("cannot start {}", browser.display()))?;
    let (document, log) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "the browser ended with {}\n{log}", output.status);
    if let Some(reason) = attribute(&document, FAILED) {
        bail!("the page cannot draw: {reason}");
    }
    let drawn = attribute(&document, DRAWN).with_context(|| format!("not drawn\n{log}"))?;
    ensure!(drawn == page.blocks.len().to_string(), "{drawn} of {} are drawn", page.blocks.len());
    let size = fs::metadata(png).with_context(|| format!("no picture was taken\n{log}"))?.len();
    ensure!(size > 0, "the picture is empty");
    Ok(())
}

/// The value of an attribute of the root element.
fn attribute<'a>(document: &'a str, begin: &str) -> Option<&'a str> {
    let root = document.split_once("<html")?.1.split_once('>')?.0;
    Some(root.split_once(begin)?.1.split_once('"')?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_root_element_tells_how_it_went() {
        let page = "<!DOCTYPE html><html data-drawn=\"3\"><p data-error=\"no\">x</p></html>";
        assert_eq!(attribute(page, DRAWN), Some("3"));
        assert_eq!(attribute(page, FAILED), None);
    }

    #[test]
    fn a_browser_that_is_not_there_is_an_error() {
        let error = find(Some(Path::new("/nowhere/chromium"))).unwrap_err();
        assert_eq!(error.to_string(), "there is no browser at /nowhere/chromium");
    }
}
