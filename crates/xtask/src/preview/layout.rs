//! Where panels are on the page: Grafana's grid of 24 columns, with closed rows opened.

use integration_tests::dashboards::Panel;

use super::page::Place;

/// Width of every page.
pub(super) const WIDTH: u32 = 1400;

/// The title, the label and the choices.
const HEAD: u32 = 112;
const MARGIN: u32 = 12;
const GAP: u32 = 8;
const COLUMNS: u32 = 24;
/// Height of a line of the grid, as Grafana has it.
const LINE: u32 = 30;

/// Every row and panel with its place, and the height of the page.
pub(super) fn places(panels: &[Panel]) -> (Vec<(&Panel, Place)>, u32) {
    let mut places = Vec::new();
    let mut opened = 0;
    for panel in panels {
        places.push((panel, place(panel, opened)));
        let inside = panel.panels.iter().flatten();
        let below = panel.grid_pos.y + panel.grid_pos.h;
        // What opens moves everything after it down.
        let height = inside.clone().map(|it| it.grid_pos.y + it.grid_pos.h - below).max();
        places.extend(inside.map(|it| (it, place(it, opened))));
        opened += height.unwrap_or_default();
    }
    let bottom = places.iter().map(|(_, place)| place.top + place.height).max();
    (places, bottom.unwrap_or(HEAD) + MARGIN)
}

fn place(panel: &Panel, opened: u32) -> Place {
    let grid = panel.grid_pos;
    // Each column takes its gap along, the last one's lies in the margin.
    let from_left = |columns: u32| columns * (WIDTH - 2 * MARGIN + GAP) / COLUMNS;
    Place {
        left: MARGIN + from_left(grid.x),
        top: HEAD + (grid.y + opened) * (LINE + GAP),
        width: from_left(grid.x + grid.w) - from_left(grid.x) - GAP,
        height: grid.h * (LINE + GAP) - GAP,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_overlaps_or_leaves_the_page_on_any_shipped_board() {
        for (path, board) in integration_tests::dashboards::shipped().unwrap() {
            let (places, height) = places(&board.panels);
            let rows = board.panels.iter().filter(|it| it.kind == "row").count();
            assert_eq!(places.len(), board.panels().count() + rows);
            for (index, (panel, one)) in places.iter().enumerate() {
                let within =
                    one.left + one.width <= WIDTH - MARGIN && one.top + one.height < height;
                assert!(within, "{}: {} is out of the page", path.display(), panel.title);
                for (other_panel, other) in &places[index + 1..] {
                    let apart = one.left + one.width < other.left
                        || other.left + other.width < one.left
                        || one.top + one.height < other.top
                        || other.top + other.height < one.top;
                    let (a, b) = (&panel.title, &other_panel.title);
                    assert!(apart, "{}: {a} and {b} overlap", path.display());
                }
            }
        }
    }
}
