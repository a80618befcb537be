//! Forecast skill on held-out rows as they would be scored: incidents are learnt as incidents.

use crate::detect::tracker::{Change, Tracker};
use crate::detect::{Settings, Standing};
use crate::model::skill::{HeldOut, Meter, Skill};
use crate::series::WARM_UP;

use super::chain::Chain;

/// How forecasts do on rows that are scored with default settings: what a long incident teaches is forgotten behind
/// it, and a level that was taken over is followed. Nothing that is known of the interface's errors is used, since
/// the held-out rows may have made it.
pub(super) fn as_scored(held: &HeldOut<'_>) -> Skill {
    let (name, history) = (held.series.name, held.series.history);
    let rules = Settings::default().rules(held.step);
    let forecaster = held.forecaster();
    let mut meter = Meter::new(held, *forecaster.scale());
    let (mut chain, mut tracker) = (Chain::new(forecaster), Tracker::default());
    for i in 0..history.len() {
        if i == 0 {
            chain.start(history, i);
            continue;
        }
        let outcome = chain.look(history, i, held.network);
        meter.see(i, outcome.forecast());
        if i < WARM_UP {
            chain.learn(&outcome, Standing::Usual);
            continue;
        }
        let time = history.time(i);
        let seen = chain.seen(&outcome, &rules, time.since(history.time(0)));
        let change = tracker.see(name, &seen, held.step, &rules);
        chain.learn(&outcome, tracker.standing(held.step));
        if let Change::Closed(closed) = change {
            chain.close(&closed, time);
        }
    }
    meter.skill()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::Expert;
    use crate::model::forecast::Outlook;
    use crate::model::kernel::{EMBEDDING, Weights};
    use crate::model::linear::FEATURES;
    use crate::model::skill::measure;
    use crate::model::train::Series;
    use crate::random::Random;
    use crate::series::{Clock, FileId, History, InterfaceName, Origin, Step, Timestamp};

    /// Both measures on six weeks of hourly rows, the last 202 of which are held out.
    fn skills(value: impl Fn(i64) -> f64) -> [Skill; 2] {
        let (mut history, mut random) = (History::default(), Random::new(5));
        for h in 0..24 * 42 {
            let mean = value(h) * (1.0 + 0.02 * random.normal());
            let origin = Origin { file: FileId::from_index(0), line: 1 };
            history.insert(Timestamp::from_seconds(1_767_571_200 + h * 3600), mean, mean, origin, |_, _| true);
        }
        let (name, blank) = (InterfaceName::new("a", "1"), Weights::zero().kernel());
        let outlook = Arc::new(Outlook::new([[0.0; FEATURES]; 2], blank.gate_bias(&[0.0; EMBEDDING]), Clock::UTC));
        let series = Series { name: &name, history: &history };
        let step = Step::from_seconds(3600).unwrap();
        let held = HeldOut { network: None, outlook, series, first: 24 * 42 - 202, step };
        [measure(&held), as_scored(&held)]
    }

    fn office(h: i64) -> f64 {
        if (9..18).contains(&(h % 24)) && h / 24 % 7 < 5 { 1600.0 } else { 700.0 }
    }

    #[test]
    fn without_incidents_both_measures_say_the_same() {
        let [alike, scored] = skills(office);
        assert_eq!(scored.rows, 202);
        assert!((scored.mix / alike.mix - 1.0).abs() < 0.1, "{} and {}", scored.mix, alike.mix);
    }

    #[test]
    fn an_outage_of_two_days_is_forgotten_behind_it_where_incidents_are_known() {
        let [alike, scored] = skills(|h| if (36..38).contains(&(h / 24)) { 20.0 } else { office(h) });
        assert!(scored.mix < 0.8 * alike.mix, "{} instead of {}", scored.mix, alike.mix);
    }

    #[test]
    fn a_step_of_what_is_nearly_constant_costs_little_more_than_the_last_value_does() {
        let [_, scored] = skills(|h| if h < 24 * 36 { 700.0 } else { 900.0 });
        let last = scored.experts[Expert::LastValue as usize];
        assert!(scored.mix < 1.1 * last, "{} instead of {last}", scored.mix);
    }
}
