//! How cost grows, as a picture: one panel per dimension, nanoseconds per operation on the vertical
//! axis. The rows are those of `crates/plock/benches/locks/growth.rs`.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use plotters::prelude::*;

use super::Row;

const SIZE: (u32, u32) = (1200, 400);
const FONT: &str = "sans-serif";

/// A panel shows the rows `growth/<dimension>/<situation>/<number>/<mode>` of its situations.
struct Panel {
    title: &'static str,
    axis: &'static str,
    dimension: &'static str,
    situations: &'static [&'static str],
}

const PANELS: [Panel; 3] = [
    Panel {
        title: "a lock per thread, one class",
        axis: "threads",
        dimension: "threads",
        situations: &["own-locks"],
    },
    Panel {
        title: "one lock, held for 1 us",
        axis: "threads",
        dimension: "threads",
        situations: &["one-lock"],
    },
    Panel {
        title: "many locks in turn",
        axis: "locks",
        dimension: "locks",
        situations: &["one-class", "own-class"],
    },
];

/// A line of a panel.
struct Curve {
    label: String,
    /// Number and median nanoseconds.
    points: Vec<(f64, f64)>,
}

/// Draws the growth rows into an SVG file.
pub(crate) fn plot(rows: &[Row], file: &Path) -> Result<()> {
    let curves = PANELS.map(|panel| curves(rows, &panel));
    ensure!(curves.iter().any(|it| !it.is_empty()), "none of the rows shows growth");
    let picture = SVGBackend::new(file, SIZE).into_drawing_area();
    draw(&picture, &curves).with_context(|| format!("cannot draw {}", file.display()))
}

fn curves(rows: &[Row], panel: &Panel) -> Vec<Curve> {
    let mut curves = Vec::new();
    for situation in panel.situations {
        for mode in ["bare", "full"] {
            let prefix = format!("growth/{}/{situation}/", panel.dimension);
            let point = |row: &Row| {
                let (number, of) = row.name.strip_prefix(&prefix)?.split_once('/')?;
                (of == mode).then_some((number.parse().ok()?, row.ns_median))
            };
            let points: Vec<_> = rows.iter().filter_map(point).collect();
            let label = format!("{mode}, {situation}");
            if !points.is_empty() {
                curves.push(Curve { label, points });
            }
        }
    }
    curves
}

fn draw(
    picture: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    curves: &[Vec<Curve>; 3],
) -> Result<()> {
    picture.fill(&WHITE)?;
    for ((area, panel), curves) in picture.split_evenly((1, 3)).iter().zip(&PANELS).zip(curves) {
        let points = || curves.iter().flat_map(|curve| &curve.points);
        let last = points().map(|point| point.0).fold(2.0, f64::max);
        let highest = points().map(|point| point.1).fold(1.0, f64::max);
        let mut chart = ChartBuilder::on(area)
            .caption(panel.title, (FONT, 18))
            .margin(12)
            .margin_right(28)
            .x_label_area_size(36)
            .y_label_area_size(56)
            .build_cartesian_2d((1.0..last).log_scale().base(2.0), 0.0..highest * 1.25)?;
        chart
            .configure_mesh()
            .x_desc(panel.axis)
            .y_desc("ns per operation")
            .x_label_formatter(&|number| format!("{number:.0}"))
            .y_label_formatter(&|ns| format!("{ns:.0}"))
            .light_line_style(TRANSPARENT)
            .draw()?;
        for (number, curve) in curves.iter().enumerate() {
            let color = Palette99::pick(number).stroke_width(2);
            let series = LineSeries::new(curve.points.iter().copied(), color).point_size(3);
            chart
                .draw_series(series)?
                .label(curve.label.as_str())
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], color));
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE.mix(0.8))
            .draw()?;
    }
    picture.present()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, ns_median: f64) -> Row {
        let row = serde_json::json!({
            "name": name, "ns_min": ns_median, "ns_median": ns_median, "countable": false
        });
        serde_json::from_value(row).unwrap()
    }

    #[test]
    fn every_mode_is_a_curve_of_its_panel() {
        let rows = [
            row("growth/threads/own-locks/1/bare", 20.0),
            row("growth/threads/own-locks/1/full", 60.0),
            row("growth/threads/own-locks/8/full", 61.0),
            row("growth/threads/one-lock/8/full", 900.0),
        ];
        let curves = curves(&rows, &PANELS[0]);
        let points: Vec<_> = curves.iter().map(|curve| curve.points.clone()).collect();
        assert_eq!(points, [vec![(1.0, 20.0)], vec![(1.0, 60.0), (8.0, 61.0)]]);
    }

    #[test]
    fn a_picture_has_its_labels() {
        let file = tempfile::NamedTempFile::new().unwrap();
        plot(&[row("growth/threads/one-lock/8/full", 900.0)], file.path()).unwrap();
        let picture = std::fs::read_to_string(file.path()).unwrap();
        assert!(picture.starts_with("<svg") && picture.contains("full, one-lock"));
        assert!(plot(&[row("tokio::Mutex/uncontended/full", 60.0)], file.path()).is_err());
    }
}
