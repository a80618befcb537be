//! The length of the window that VUS is measured with: the lag at which a series is most like
//! itself, as the TSB-AD benchmark estimates it (Liu and Paparrizos 2024).

/// Rows that are looked at, from the first one.
const ROWS: usize = 20_000;
/// The longest lag.
const LAGS: usize = 400;
/// The shortest lag: neighbours are always alike.
const FIRST: usize = 3;
/// The window where no usable peak shows.
const USUAL: usize = 125;
/// Peaks nearer to the first lag than this, and farther than [`FARTHEST`], are not used.
const NEAREST: usize = 3;
const FARTHEST: usize = 300;

/// The window of a series in rows: the highest local maximum of its autocorrelation, from 6 to
/// 303 rows, or 125 where there is none.
pub fn window(values: &[f64]) -> usize {
    let correlation = autocorrelation(&values[..values.len().min(ROWS)]);
    let from_first = correlation.get(FIRST..).unwrap_or_default();
    let is_peak = |i: usize| from_first[i] > from_first[i - 1] && from_first[i] > from_first[i + 1];
    let peaks = (1..from_first.len().saturating_sub(1)).filter(|i| is_peak(*i));
    match peaks.max_by(|a, b| from_first[*a].total_cmp(&from_first[*b])) {
        Some(peak) if (NEAREST..=FARTHEST).contains(&peak) => peak + FIRST,
        _ => USUAL,
    }
}

/// Autocorrelation at lags 0, 1, 2 … up to 400; nothing for a series that never changes.
fn autocorrelation(values: &[f64]) -> Vec<f64> {
    if values.windows(2).all(|w| w[0] == w[1]) {
        return Vec::new();
    }
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let centred: Vec<f64> = values.iter().map(|v| v - mean).collect();
    let product = |lag: usize| -> f64 { centred.iter().zip(&centred[lag..]).map(|(a, b)| a * b).sum() };
    let whole = product(0);
    (0..values.len().min(LAGS + 1)).map(|lag| product(lag) / whole).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rhythm_gives_its_own_length() {
        let day = |i: i32| (f64::from(i) * std::f64::consts::TAU / 24.0).sin();
        assert_eq!(window(&(0..500).map(day).collect::<Vec<_>>()), 24);
    }

    #[test]
    fn what_has_none_gives_the_usual() {
        for values in [vec![], vec![1.0], vec![1.0; 1000], vec![1.0, 2.0, 1.0], (0..50).map(f64::from).collect()] {
            assert_eq!(window(&values), USUAL, "{} values", values.len());
        }
        // A rhythm of five rows is too short: its peak lies right behind the first lag.
        assert_eq!(window(&(0..500).map(|i| f64::from(i % 5)).collect::<Vec<_>>()), USUAL);
    }
}
