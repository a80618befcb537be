//! An interface's portrait: its newest rows, and those of others of its device, handed to [`crate::explore`].

use std::time::{Duration, Instant};

use super::core::Engine;
use super::snapshot::{Look, PortraitView};
use super::track::Track;
use crate::explore::explored::BESIDE_EACH_OTHER;
use crate::explore::{Columns, Portrait};
use crate::series::InterfaceId;

/// Rows of each interface that count, the newest: ten thousand and some, seven days of minutes.
const ROWS: usize = 10_080;

/// Time between two portraits of one interface.
const APART: Duration = Duration::from_secs(5);

/// Rows of an interface, and its corrections and late rows.
type State = (usize, u64);

fn state_of(track: &Track) -> State {
    (track.history().len(), track.revision())
}

/// Of what and when the last portrait was made.
#[derive(Debug, Default)]
pub(super) struct Sitting {
    made: Option<(InterfaceId, State, Instant)>,
}

impl Sitting {
    /// In how long a portrait is to be made; none where none is wanted, or no row has come since the last.
    pub(super) fn due_in(&self, engine: &Engine, look: Option<&Look>, now: Instant) -> Option<Duration> {
        let wanted = look.filter(|look| look.portrait)?.interface;
        let track = engine.tracks().get(wanted.index())?;
        match self.made {
            Some((id, state, at)) if id == wanted => {
                (state != state_of(track)).then(|| (at + APART).saturating_duration_since(now))
            }
            _ => Some(Duration::ZERO),
        }
    }

    /// Makes it.
    pub(super) fn make(&mut self, engine: &Engine, id: InterfaceId, now: Instant) -> Option<PortraitView> {
        self.made = engine.tracks().get(id.index()).map(|track| (id, state_of(track), now));
        portrait(engine, id)
    }
}

/// That of an interface beside the busiest others of its device, by their newest values. None where
/// there is no such interface or no row.
fn portrait(engine: &Engine, id: InterfaceId) -> Option<PortraitView> {
    let track = engine.tracks().get(id.index())?;
    let is_beside = |other: &&Track| other.name().host == track.name().host && other.name() != track.name();
    let mut beside: Vec<&Track> = engine.tracks().iter().filter(is_beside).collect();
    let device = beside.len() + 1;
    beside.sort_by(|a, b| newest(b).total_cmp(&newest(a)));
    beside.truncate(BESIDE_EACH_OTHER - 1);
    let others: Vec<_> = beside.into_iter().map(|other| (other.name().clone(), columns(engine, other))).collect();
    let portrait = Portrait::of(track.name(), &columns(engine, track), &others)?;
    Some(PortraitView { id, portrait, compared: others.len(), device })
}

fn newest(track: &Track) -> f64 {
    let history = track.history();
    history.len().checked_sub(1).map_or(0.0, |last| history.values(last)[1].abs())
}

fn columns(engine: &Engine, track: &Track) -> Columns {
    let history = track.history();
    let places = history.places();
    let rows = places.end.saturating_sub(ROWS).max(places.start)..places.end;
    let seconds: Vec<i64> = rows.clone().map(|i| history.time(i).seconds()).collect();
    let (max, mean) = rows.map(|i| history.values(i).into()).unzip();
    Columns::in_order(&seconds, max, mean).by(engine.model().clock().clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::Settings;
    use crate::ingest::{Batch, FileSource, Root, Row};
    use crate::model::Model;
    use crate::series::{Clock, FileId, InterfaceName, Origin, Timestamp};
    use std::sync::Arc;

    fn row(hour: u32) -> Row {
        let time = Timestamp::from_seconds(1_767_571_200 + i64::from(hour) * 3600);
        let origin = Origin { file: FileId::from_index(0), line: hour + 2 };
        Row { time, interface: InterfaceId::from_index(0), max: f64::from(hour % 24), mean: 1.0, origin }
    }

    #[test]
    fn its_hours_are_those_of_the_clock_that_scores_follow() {
        let hours = |zone: &str| {
            let clock = Clock::of(&jiff::tz::TimeZone::get(zone).unwrap());
            let mut engine = Engine::new(Model::built_in().unwrap().following(clock), Settings::default(), 1);
            let names = vec![InterfaceName::new("core-1", "xe-0/0/0")];
            let files = vec![FileSource::new(Root::Data, Arc::new("rows.csv".into()))];
            let rows = (0..48).map(|hour| Row { mean: f64::from(hour % 24), ..row(hour) }).collect();
            engine.absorb(&Batch { names, files, rows, ..Batch::default() });
            let profile = portrait(&engine, InterfaceId::from_index(0)).unwrap().portrait.figures.profile;
            (profile.clock, profile.hours[0])
        };
        assert_eq!(hours("UTC"), ("UTC".to_owned(), Some(0.0)));
        assert_eq!(hours("Asia/Tokyo"), ("Asia/Tokyo".to_owned(), Some(15.0)));
    }

    #[test]
    fn one_that_rows_have_changed_is_made_again_no_sooner_than_after_its_time() {
        let mut engine = Engine::new(Arc::new(Model::built_in().unwrap()), Settings::default(), 1);
        let names = vec![InterfaceName::new("core-1", "xe-0/0/0")];
        let files = vec![FileSource::new(Root::Data, Arc::new("rows.csv".into()))];
        engine.absorb(&Batch { names, files, rows: (0..100).map(row).collect(), ..Batch::default() });
        let id = InterfaceId::from_index(0);
        let look = Look { interface: id, span: None, until: None, points: 10, with: Vec::new(), portrait: true };
        let (mut sitting, start) = (Sitting::default(), Instant::now());
        let later = |seconds| start + Duration::from_secs(seconds);
        let due = |sitting: &Sitting, engine: &Engine, now| sitting.due_in(engine, Some(&look), now);
        assert_eq!(due(&sitting, &engine, start), Some(Duration::ZERO), "the first at once");
        assert!(sitting.make(&engine, id, start).is_some());
        assert_eq!(due(&sitting, &engine, later(60)), None, "not again while no row comes");
        engine.absorb(&Batch { rows: vec![row(100)], ..Batch::default() });
        assert_eq!(due(&sitting, &engine, later(2)), Some(Duration::from_secs(3)));
        assert_eq!(due(&sitting, &engine, later(9)), Some(Duration::ZERO));
        let unwanted = Look { portrait: false, ..look.clone() };
        assert_eq!(sitting.due_in(&engine, Some(&unwanted), later(9)), None);
    }
}
