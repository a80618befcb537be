//! Sparklines and bars: a few numbers as a few characters.

/// Characters for eight levels, lowest first.
const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const PLAIN: [char; 8] = ['_', '.', ':', '-', '=', '+', '*', '#'];
/// Characters for a cell that is filled to an eighth, from the left.
const EIGHTHS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/// One character for each value, oldest first; a blank where there is none (NaN).
///
/// The scale is the line's own: from zero (or the lowest value, where that is below zero) to its
/// highest, so that a steady load looks steady and a load that fell to nothing looks like nothing.
pub fn spark(values: &[f32], ascii: bool, out: &mut String) {
    let finite = || values.iter().copied().filter(|v| v.is_finite());
    let low = finite().fold(0.0_f32, f32::min);
    let high = finite().fold(0.0_f32, f32::max);
    let levels = if ascii { PLAIN } else { BLOCKS };
    for v in values {
        out.push(if v.is_finite() {
            // halved, so that the distance of the two ends stays finite
            let share = (v * 0.5 - low * 0.5) / (high * 0.5 - low * 0.5);
            let level = if share.is_finite() { (share * 7.0).round() as usize } else { 0 };
            levels[level.min(7)]
        } else {
            ' '
        });
    }
}

/// A bar of `width` cells that is filled to `share` (0 to 1).
pub fn bar(share: f64, width: usize, ascii: bool, out: &mut String) {
    let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
    let eighths = (share * width as f64 * 8.0).round() as usize;
    for cell in 0..width {
        let filled = eighths.saturating_sub(cell * 8);
        out.push(match (filled, ascii) {
            (8.., false) => '█',
            (n, false) => EIGHTHS[n],
            (4.., true) => '#',
            (_, true) => ' ',
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(values: &[f32]) -> String {
        let mut out = String::new();
        spark(values, false, &mut out);
        out
    }

    #[test]
    fn a_line_has_its_own_scale_and_gaps_stay_blank() {
        assert_eq!(line(&[0.0, 1.0, 2.0, 4.0, 7.0, f32::NAN, 0.0]), "▁▂▃▅█ ▁");
        assert_eq!(line(&[5.0, 5.0]), "██");
        assert_eq!(line(&[0.0, 0.0]), "▁▁");
        assert_eq!(line(&[-7.0, 0.0]), "▁█");
        assert_eq!(line(&[f32::MAX, f32::MIN]), "█▁");
        assert_eq!(line(&[f32::NAN; 3]), "   ");
    }

    #[test]
    fn plain_characters_where_asked_for() {
        let mut out = String::new();
        spark(&[0.0, 7.0, f32::NAN, 3.0], true, &mut out);
        bar(0.5, 4, true, &mut out);
        assert!(out.is_ascii());
        assert_eq!(out, "_# -##  ");
    }

    #[test]
    fn a_bar_is_filled_by_eighths() {
        let mut out = String::new();
        bar(0.55, 5, false, &mut out);
        assert_eq!(out, "██▊  ");
        out.clear();
        bar(f64::NAN, 2, false, &mut out);
        bar(7.0, 2, false, &mut out);
        assert_eq!(out, "  ██");
    }
}
