//! The step of an interface, inferred from its own rows.

use super::time::{Step, Timestamp};

/// Rows that settle the step, and that have to agree on another one before it changes.
pub const SETTLING_ROWS: usize = 24;

/// The step that `times` (ascending) show: the commonest distance between neighbours where it is
/// common enough, else the median distance (collectors that are a second early or late).
/// None for fewer than two different times.
pub fn infer(times: &[Timestamp]) -> Option<Step> {
    let mut distances: Vec<i64> = times.windows(2).map(|w| w[1].since(w[0])).filter(|d| *d > 0).collect();
    distances.sort_unstable();
    let commonest = distances.chunk_by(|a, b| a == b).max_by_key(|run| (run.len(), -run[0]))?;
    let step = if commonest.len() * 5 >= distances.len() * 2 {
        commonest[0]
    } else {
        let median = distances[distances.len() / 2];
        // A jittering collector means a round number of seconds; one within a twentieth is taken.
        ROUND.into_iter().find(|r| (median - r).abs() * 20 <= *r).unwrap_or(median)
    };
    Step::from_seconds(step)
}

/// Steps that collectors are set to, in seconds.
const ROUND: [i64; 16] = [1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 21_600, 86_400];

/// The step that nearly all of `times` agree on, where it is another than `now`: at least four
/// fifths of the distances. A few gaps do not change a step.
pub fn changed(times: &[Timestamp], now: Step) -> Option<Step> {
    let step = infer(times)?;
    let same = times.windows(2).filter(|w| w[1].since(w[0]) == step.seconds()).count();
    (step != now && same * 5 >= (times.len() - 1) * 4).then_some(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: &[i64]) -> Vec<Timestamp> {
        seconds.iter().map(|s| Timestamp::from_seconds(*s)).collect()
    }

    #[test]
    fn the_commonest_distance_is_the_step_whatever_the_gaps() {
        assert_eq!(infer(&at(&[0, 300, 600, 900, 9000, 9300])), Step::from_seconds(300));
        assert_eq!(infer(&at(&[0, 3600, 3 * 3600, 4 * 3600])), Step::from_seconds(3600));
        assert_eq!(infer(&at(&[5])), None);
    }

    #[test]
    fn jitter_gives_the_round_step_that_it_lies_around() {
        assert_eq!(infer(&at(&[0, 59, 120, 178, 241, 300, 361])), Step::from_seconds(60));
    }

    #[test]
    fn a_step_changes_only_when_nearly_all_rows_agree() {
        let hourly = Step::from_seconds(3600).unwrap();
        let five: Vec<i64> = (0..24).map(|i| i * 300).collect();
        assert_eq!(changed(&at(&five), hourly), Step::from_seconds(300));
        let mixed: Vec<i64> = (0..24).map(|i| if i < 12 { i * 300 } else { 3300 + (i - 11) * 3600 }).collect();
        assert_eq!(changed(&at(&mixed), hourly), None);
    }
}
