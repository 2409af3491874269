//! What runbooks promise: one page an alert, each with everything somebody needs who was just woken.

use std::collections::BTreeSet;
use std::fs;

use plock_boards::alerts::groups;
use plock_boards::{Options, runbook};

use crate::{Rule, dashboards, folder};

/// A page by the name of its file.
#[derive(Clone)]
pub(crate) struct Page {
    name: String,
    text: String,
}

const SECTIONS: [&str; 6] =
    ["Meaning", "Impact", "Diagnosis", "Mitigation", "False positives", "Tuning"];

pub(crate) fn shipped() -> Vec<Page> {
    let page = |entry: std::io::Result<fs::DirEntry>| {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        Page { name, text: fs::read_to_string(&path).unwrap() }
    };
    let mut pages: Vec<_> = fs::read_dir(folder().join("runbooks")).unwrap().map(page).collect();
    pages.sort_by(|one, other| one.name.cmp(&other.name));
    pages
}

#[rustfmt::skip]
pub(crate) const RULES: &[Rule<Page>] = &[
    Rule { name: "A2", about: "every alert has a page, every page an alert", check: complete, spoil: |it| { it.pop(); } },
    Rule { name: "A2 sections", about: "six sections in order, none empty", check: sections, spoil: |it| it[0].text = it[0].text.replace("## Mitigation", "## Fix") },
    Rule { name: "A2 diagnosis", about: "the diagnosis has a panel to open or a query to run", check: diagnosis, spoil: |it| it[0].text = it[0].text.replace(['`', '*'], "") },
    Rule { name: "A2 titles", about: "what is in italics is the title of a board or a panel", check: titles, spoil: |it| it[0].text = it[0].text.replace("## Impact", "*Nowhere*\n\n## Impact") },
    Rule { name: "A2 generated", about: "the table of severities and options is as generated", check: generated, spoil: |it| it[0].text = it[0].text.replace(" warning ", " critical ") },
    Rule { name: "A2 tuning", about: "tuning names the options that the alert takes", check: tuning, spoil: |it| { for page in it { page.text = page.text.replace("_seconds`", "`"); } } },
];

fn complete(pages: &[Page], found: &mut Vec<String>) {
    let groups = groups(&Options::default());
    let alerts: BTreeSet<_> = groups.iter().flat_map(|it| &it.alerts).map(|it| it.name).collect();
    let pages: BTreeSet<_> = pages.iter().map(|it| it.name.as_str()).collect();
    found.extend(alerts.symmetric_difference(&pages).map(|it| (*it).to_owned()));
}

fn section<'a>(page: &'a Page, title: &str) -> Option<&'a str> {
    let rest = page.text.split_once(&format!("\n## {title}\n"))?.1;
    Some(rest.split("\n## ").next().unwrap_or(rest).trim())
}

fn sections(pages: &[Page], found: &mut Vec<String>) {
    for page in pages {
        let titles: Vec<_> = page.text.lines().filter_map(|it| it.strip_prefix("## ")).collect();
        let full = |title: &&str| section(page, title).is_some_and(|text| text.len() > 40);
        if titles != SECTIONS || !SECTIONS.iter().all(full) {
            found.push(page.name.clone());
        }
    }
}

fn diagnosis(pages: &[Page], found: &mut Vec<String>) {
    for page in pages {
        let text = section(page, "Diagnosis").unwrap_or_default();
        if !(text.contains('`') || text.contains('*')) {
            found.push(page.name.clone());
        }
    }
}

fn titles(pages: &[Page], found: &mut Vec<String>) {
    let boards = dashboards();
    let panels = boards.iter().flat_map(|it| it.panels()).map(|it| it.title.clone());
    let names = boards.iter().map(|it| it.title.trim_start_matches("Plock / ").to_owned());
    let known: BTreeSet<_> = panels.chain(names).collect();
    for page in pages {
        let unknown = page.text.split('*').skip(1).step_by(2).filter(|it| !known.contains(*it));
        found.extend(unknown.map(|it| format!("{}: {it}", page.name)));
    }
}

fn generated(pages: &[Page], found: &mut Vec<String>) {
    let options = Options::default();
    let stale = pages.iter().filter(|it| runbook(&it.name, Some(&it.text), &options) != it.text);
    found.extend(stale.map(|it| format!("{}; run `cargo xtask boards`", it.name)));
}

fn tuning(pages: &[Page], found: &mut Vec<String>) {
    for alert in groups(&Options::default()).iter().flat_map(|it| &it.alerts) {
        let page = pages.iter().find(|it| it.name == alert.name);
        let text = page.and_then(|it| section(it, "Tuning")).unwrap_or_default();
        let missing = alert.options.iter().filter(|it| !text.contains(&format!("`{it}`")));
        found.extend(missing.map(|it| format!("{}: {it}", alert.name)));
    }
}
