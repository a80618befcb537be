//! The curves as one SVG: precision against recall, and recall against false alarms.
//!
//! Each score has a colour and a pattern of dashes of its own, so that the picture can be read in
//! grey too.

use plotters::coord::Shift;
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::curves::Curve;

/// Width and height.
const SIZE: (u32, u32) = (1080, 520);
/// Width of one panel, and the height above the panels.
const PANEL: u32 = 540;
const HEAD: u32 = 44;
/// False alarms for each interface and week, from the left edge to the right one.
const FALSE_ALARMS: std::ops::Range<f64> = 0.01..100.0;
/// Marked rates: one a month of four weeks, and one a week.
const MARKED: [(f64, &str); 2] = [(0.25, "1 a month"), (1.0, "1 a week")];
/// Length of a dash and of the pause behind it, in pixels; the first score's line is whole.
const DASHES: [(u32, u32); 4] = [(100_000, 0), (12, 4), (6, 5), (2, 4)];
/// Colours that differ in lightness too, and that the colour-blind can tell apart (Okabe and Ito 2008).
const COLOURS: [RGBColor; 4] =
    [RGBColor(0, 0, 0), RGBColor(0, 114, 178), RGBColor(213, 94, 0), RGBColor(120, 120, 120)];
const GRID: RGBColor = RGBColor(225, 225, 225);
const TEXT: RGBColor = RGBColor(40, 40, 40);
const FONT: &str = "sans-serif";

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
#[error("the picture cannot be drawn: {0}")]
pub struct PictureError(String);

impl<E: std::error::Error + Send + Sync> From<DrawingAreaErrorKind<E>> for PictureError {
    fn from(e: DrawingAreaErrorKind<E>) -> Self {
        Self(e.to_string())
    }
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Draws the curves of up to four scores, and where the setting in force stands: false alarms for
/// each interface and week, and recall. Scores without a curve are left out.
///
/// # Errors
/// When the drawing library fails.
pub fn svg(curves: &[Curve], setting: Option<(f64, f64)>) -> Result<String, PictureError> {
    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
        root.fill(&WHITE)?;
        legend(&root, curves, setting.is_some())?;
        let (_, panels) = root.split_vertically(HEAD);
        let (left, right) = panels.split_horizontally(PANEL);
        precision_panel(&left, curves)?;
        recall_panel(&right, curves, setting)?;
        root.present()?;
    }
    Ok(text)
}

fn legend(root: &Area<'_>, curves: &[Curve], setting: bool) -> Result<(), PictureError> {
    let style = (FONT, 15).into_font().color(&TEXT).pos(Pos::new(HPos::Left, VPos::Center));
    let mut x = 64;
    for (i, curve) in curves.iter().enumerate() {
        root.draw(&dashes(vec![(x, 22), (x + 44, 22)], i))?;
        root.draw(&Text::new(curve.name.clone(), (x + 52, 22), style.clone()))?;
        x += 84 + 9 * curve.name.len() as i32;
    }
    if setting {
        root.draw(&Circle::new((x + 8, 22), 6, COLOURS[0].stroke_width(2)))?;
        root.draw(&Text::new("noctop's incidents at the setting in force", (x + 22, 22), style))?;
    }
    Ok(())
}

/// A line in the pattern of the score at place `i`.
fn dashes<C: Clone>(points: Vec<C>, i: usize) -> DashedPathElement<std::vec::IntoIter<C>, u32> {
    let (dash, pause) = DASHES[i % DASHES.len()];
    let style = COLOURS[i % COLOURS.len()].stroke_width(if i == 0 { 3 } else { 2 });
    DashedPathElement::new(points, dash, pause, style)
}

fn precision_panel(area: &Area<'_>, curves: &[Curve]) -> Result<(), PictureError> {
    let title = "Rows: precision and recall, one threshold for all interfaces";
    let area = area.titled(title, (FONT, 15).into_font().color(&TEXT))?;
    let mut chart = ChartBuilder::on(&area)
        .margin(14)
        .margin_top(26)
        .x_label_area_size(46)
        .y_label_area_size(50)
        .build_cartesian_2d(0.0..1.0, 0.0..1.0)?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .bold_line_style(GRID)
        .x_labels(6)
        .y_labels(6)
        .x_desc("recall: share of the labelled rows")
        .y_desc("precision")
        .label_style((FONT, 13).into_font().color(&TEXT))
        .draw()?;
    for (i, curve) in curves.iter().enumerate() {
        chart.draw_series([dashes(curve.precision.clone(), i)])?;
    }
    Ok(())
}

fn recall_panel(area: &Area<'_>, curves: &[Curve], setting: Option<(f64, f64)>) -> Result<(), PictureError> {
    let area = area.titled("Labelled intervals: recall and false alarms", (FONT, 15).into_font().color(&TEXT))?;
    let mut chart = ChartBuilder::on(&area)
        .margin(14)
        .margin_top(26)
        .x_label_area_size(46)
        .y_label_area_size(50)
        .build_cartesian_2d(FALSE_ALARMS.log_scale(), 0.0..1.0)?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .bold_line_style(GRID)
        .y_labels(6)
        .x_desc("false alarms for each interface and week (logarithmic)")
        .y_desc("recall: share of the labelled intervals")
        .x_label_formatter(&|x| format!("{x}"))
        .label_style((FONT, 13).into_font().color(&TEXT))
        .draw()?;
    // Above the panel, where no curve runs.
    let small = (FONT, 12).into_font().color(&TEXT).pos(Pos::new(HPos::Center, VPos::Bottom));
    for (rate, words) in MARKED {
        chart.draw_series([PathElement::new([(rate, 0.0), (rate, 1.0)], TEXT.stroke_width(1))])?;
        chart.draw_series([Text::new(words, (rate, 1.01), small.clone())])?;
    }
    for (i, curve) in curves.iter().enumerate() {
        chart.draw_series([dashes(within(&curve.recall), i)])?;
    }
    if let Some((rate, recall)) = setting {
        let at = (rate.clamp(FALSE_ALARMS.start, FALSE_ALARMS.end), recall);
        chart.draw_series([Circle::new(at, 6, COLOURS[0].stroke_width(2))])?;
    }
    Ok(())
}

/// The part of a curve between the edges. A logarithmic axis has no 0: what comes before the first
/// false alarm stands on the left edge.
fn within(curve: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let inside = curve.iter().take_while(|(rate, _)| *rate <= FALSE_ALARMS.end);
    inside.map(|(rate, recall)| (rate.max(FALSE_ALARMS.start), *recall)).collect()
}
