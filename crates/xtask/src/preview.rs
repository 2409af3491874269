//! `cargo xtask preview`: draws the shipped dashboards with live data and takes pictures of them.
//!
//! Everything comes from the JSON as it is shipped: the place of each panel, its queries, which are
//! run on a real Prometheus, and what is done to the answers. [`panel`] turns that into what is drawn,
//! with units and colours applied; the page in `preview/page` only draws it, and Chromium takes the
//! picture. What is not known is an error on the way, and what is empty says so in the picture.
//!
//! The tests turn every panel that is shipped into what is drawn. They go no further: a browser and
//! npm are for whoever takes pictures.

mod answer;
mod browser;
mod graph;
mod heat;
mod layout;
mod library;
mod live;
mod look;
mod page;
mod palette;
mod panel;
mod series;
mod table;
mod unit;

use std::fs;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use integration_tests::Promql;
use integration_tests::dashboards::{self, Dashboard, Substitution};
use integration_tests::repository;

use self::answer::Window;
use self::live::{Live, RATE_INTERVAL};
use self::page::{Block, Drawing, Page};
use crate::demo::{Scenario, progress, service};
use crate::interrupt::Interrupt;

/// Draw the shipped dashboards with live data and take a picture of each.
///
/// Starts examples/orders under load, a collector and a Prometheus, runs every query of every panel
/// and draws the answers. This is not Grafana: the pictures show what the dashboards ask and how the
/// answers read, and each says so. Needs Chromium (`apt-get install chromium`), for the first run also
/// Go and npm.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How much data the graphs show.
    #[arg(long, default_value = "120")]
    seconds: NonZeroU64,
    /// Habit of a service; given several times, one service each. `pool` fills the board of pools.
    #[arg(long = "scenario", value_enum, default_value = "hold-across-await")]
    scenarios: Vec<Scenario>,
    /// Only the dashboard with this identifier, for example `plock-overview`.
    #[arg(long, value_name = "UID")]
    board: Option<String>,
    /// Where to write; otel-collector/grafana/previews unless told otherwise.
    #[arg(long, value_name = "FOLDER")]
    output: Option<PathBuf>,
    /// Also leave the pages there, as HTML.
    #[arg(long)]
    html: bool,
    /// The browser; the Chromium in PATH unless told otherwise.
    #[arg(long, value_name = "PROGRAM")]
    browser: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    // What may be missing is told before anything takes minutes.
    let boards = chosen(arguments.board.as_deref())?;
    let browser = browser::find(arguments.browser.as_deref())?;
    let library = library::ready()?;
    let program = service::build(true)?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let pictures = Pictures { arguments, browser, library };
    runtime.block_on(async {
        let mut interrupt = Interrupt::new()?;
        tokio::select! {
            taken = pictures.take(&boards, &program) => taken.map(|()| ExitCode::SUCCESS),
            // What is dropped here ends what it has started.
            () = interrupt.requested() => bail!("interrupted"),
        }
    })
}

fn chosen(uid: Option<&str>) -> Result<Vec<Dashboard>> {
    let boards: Vec<_> = dashboards::shipped()?.into_iter().map(|(_, board)| board).collect();
    let Some(uid) = uid else { return Ok(boards) };
    let known: Vec<_> = boards.iter().map(|board| board.uid.clone()).collect();
    let board = boards.into_iter().find(|board| board.uid == uid);
    match board {
        Some(board) => Ok(vec![board]),
        None => bail!("there is no dashboard `{uid}`; there are {}", known.join(", ")),
    }
}

/// What it takes to make pictures.
struct Pictures<'a> {
    arguments: &'a Arguments,
    browser: PathBuf,
    library: String,
}

impl Pictures<'_> {
    async fn take(&self, boards: &[Dashboard], program: &Path) -> Result<()> {
        let Arguments { seconds, scenarios, output, .. } = self.arguments;
        let default = || repository().join("otel-collector/grafana/previews");
        let folder = std::path::absolute(output.clone().unwrap_or_else(default))?;
        fs::create_dir_all(&folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
        let live = Live::start(program, scenarios, *seconds).await?;
        let (promql, window) = live.data(*seconds).await?;
        for board in boards {
            let page = page(&promql, board, &window, &self.label()?).await;
            self.picture(&folder, board, &page.with_context(|| board.title.clone())?).await?;
        }
        live.end().await
    }

    async fn picture(&self, folder: &Path, board: &Dashboard, page: &Page) -> Result<()> {
        let scratch = tempfile::tempdir()?;
        let pages = if self.arguments.html { folder } else { scratch.path() };
        let html = pages.join(format!("{}.html", board.uid));
        fs::write(&html, page.html(&self.library)?)?;
        let png = folder.join(format!("{}.png", board.uid));
        let taken = browser::picture(&self.browser, &html, page, &png).await;
        taken.with_context(|| board.title.clone())?;
        palette::shrink(&png)?;
        let empty = page.blocks.iter().filter(|it| matches!(it.drawing, Drawing::Nothing { .. }));
        let empty: Vec<_> = empty.map(|block| block.title.as_str()).collect();
        let empty = if empty.is_empty() { "no panel".to_owned() } else { empty.join(", ") };
        let kilobytes = fs::metadata(&png)?.len() / 1024;
        progress(&format!("{} ({kilobytes} KB), empty: {empty}", png.display()))
    }

    /// Says in each picture what it is.
    fn label(&self) -> Result<String> {
        let name =
            |it: &Scenario| Ok(it.to_possible_value().context("hidden")?.get_name().to_owned());
        let names = self.arguments.scenarios.iter().map(name).collect::<Result<Vec<_>>>()?;
        let services = names.join(", ");
        Ok(format!(
            "Preview, not Grafana: the shipped JSON and live answers, drawn by cargo xtask preview \
             ({services}, {} s)",
            self.arguments.seconds
        ))
    }
}

/// One dashboard with the answers to everything it asks.
async fn page(promql: &Promql, board: &Dashboard, window: &Window, label: &str) -> Result<Page> {
    let values = Substitution::everything(board, RATE_INTERVAL);
    let (places, height) = layout::places(&board.panels);
    let mut blocks = Vec::new();
    for (panel, place) in places {
        let answers = answer::ask(promql, panel, &values, window).await;
        let answers = answers.with_context(|| format!("panel `{}`", panel.title))?;
        let drawing = panel::drawing(panel, &answers, window)?;
        let (title, description) = (panel.title.clone(), panel.description.clone());
        blocks.push(Block { place, title, description, drawing });
    }
    let variables = board.variables().iter().map(|it| {
        // "All" is a list of one.
        let text = &it.current["text"];
        let text = text.as_str().or_else(|| text[0].as_str()).unwrap_or_default();
        (it.label.clone(), text.to_owned())
    });
    Ok(Page {
        title: board.title.clone(),
        description: board.description.clone(),
        label: label.to_owned(),
        width: layout::WIDTH,
        height,
        variables: variables.collect(),
        times: window.times(),
        marks: answer::marks(promql, board, &values, window).await?,
        blocks,
    })
}
