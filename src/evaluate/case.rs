//! The engine's rows, scores and incidents brought together with the labels.

use std::collections::HashMap;

use super::labels::{Label, LabelError, Labels};
use super::truth::{Span, Truth};
use crate::detect::StoryId;
use crate::engine::track::Track;
use crate::engine::{Belongs, Engine};
use crate::series::{Clock, InterfaceName, Step, Timestamp};

/// The rows of one interface that are judged, with what is known of them.
#[derive(Debug, Clone)]
pub struct Series {
    /// Whose.
    pub name: InterfaceName,
    /// Its step, where its rows show one.
    pub step: Option<Step>,
    /// The clock that its load follows.
    pub clock: Clock,
    /// Rows before those that are judged: their times and mean values.
    pub earlier: Vec<(Timestamp, f64)>,
    /// The times of the rows.
    pub times: Vec<Timestamp>,
    /// The mean values of the rows.
    pub values: Vec<f64>,
    /// Which rows are labelled.
    pub truth: Truth,
}

impl Series {
    /// Seconds from the first row to the last.
    pub fn seconds(&self) -> i64 {
        match (self.times.first(), self.times.last()) {
            (Some(first), Some(last)) => last.since(*first),
            _ => 0,
        }
    }
}

/// A labelled interval that reaches into the rows that are judged. It may cover none of them, as
/// that of a silence does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Place of its interface among the series.
    pub series: usize,
    /// First slot.
    pub start: Timestamp,
    /// Last slot.
    pub end: Timestamp,
    /// What truly happened, where the labels say so.
    pub kind: Option<String>,
    /// What it belongs to, where the labels say so.
    pub story: Option<String>,
}

/// An incident as the engine lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Place of its interface among the series.
    pub series: usize,
    /// The word of its kind, as files have it.
    pub kind: &'static str,
    /// First slot.
    pub start: Timestamp,
    /// Last slot so far.
    pub end: Timestamp,
    /// The slots whose rows were anomalies, in order. A silence has none.
    pub moments: Vec<Timestamp>,
    /// The told story that it belongs to.
    pub story: Option<StoryId>,
    /// Whether it rang.
    pub rings: bool,
}

/// All that there is to measure.
#[derive(Debug, Clone)]
pub struct Case {
    /// The interfaces that have rows to be judged, in the order of their names.
    pub series: Vec<Series>,
    /// The engine's score of each row, by series.
    pub scores: Vec<Vec<f64>>,
    /// The score once repeats of one incident are damped.
    pub notify: Vec<Vec<f64>>,
    /// The labelled intervals, in the order of the file.
    pub known: Vec<Known>,
    /// Labels that lie outside the rows and count for nothing.
    pub outside: usize,
    /// Lines of the file that say what an earlier one says.
    pub doubled: usize,
    /// The incidents that reach into the rows, in the order of their starts.
    pub listed: Vec<Listed>,
    /// False alarms that were asked for, for each interface and week.
    pub alarms_per_week: f64,
    /// Rings that were asked for, for the whole directory and day.
    pub rings_per_day: f64,
}

impl Case {
    /// What `engine`, which has scored all its rows, says of the rows of the data directory, beside `labels`.
    ///
    /// # Errors
    /// When a label is about an interface that has no rows at all.
    pub fn new(engine: &Engine, labels: &Labels) -> Result<Self, LabelError> {
        let mut case = Self {
            series: Vec::new(),
            scores: Vec::new(),
            notify: Vec::new(),
            known: Vec::new(),
            outside: 0,
            doubled: labels.doubled,
            listed: Vec::new(),
            alarms_per_week: engine.settings().alarms_per_week,
            rings_per_day: engine.settings().rings_per_day,
        };
        let mut place: HashMap<&InterfaceName, Option<usize>> = HashMap::new();
        for (_, track) in engine.by_name() {
            let rows: Vec<usize> = track.history().places().filter(|i| engine.is_data(track, *i)).collect();
            let known = (!rows.is_empty()).then(|| case.add(track, &rows, engine.model().clock()));
            place.insert(track.name(), known);
        }
        case.take_labels(engine, labels, &place)?;
        case.take_incidents(engine, &place);
        Ok(case)
    }

    fn add(&mut self, track: &Track, rows: &[usize], clock: &Clock) -> usize {
        let history = track.history();
        let mean = |i: usize| history.values(i)[1];
        self.series.push(Series {
            name: track.name().clone(),
            step: track.step_so_far(),
            clock: clock.clone(),
            earlier: (0..rows[0]).map(|i| (history.time(i), mean(i))).collect(),
            times: rows.iter().map(|i| history.time(*i)).collect(),
            values: rows.iter().map(|i| mean(*i)).collect(),
            truth: Truth::new(rows.len(), Vec::new()),
        });
        self.scores.push(rows.iter().map(|i| track.scored()[*i].score).collect());
        self.notify.push(rows.iter().map(|i| track.scored()[*i].notify).collect());
        self.series.len() - 1
    }

    fn take_labels(
        &mut self,
        engine: &Engine,
        labels: &Labels,
        place: &HashMap<&InterfaceName, Option<usize>>,
    ) -> Result<(), LabelError> {
        let mut spans: Vec<Vec<Span>> = vec![Vec::new(); self.series.len()];
        for label in &labels.all {
            let Some(series) = place.get(&label.name) else {
                return Err(labels.refuse(label, unknown(label, place)));
            };
            let Some(series) = series.filter(|i| reaches_into(label, &self.series[*i], engine.now())) else {
                self.outside += 1;
                continue;
            };
            let times = &self.series[series].times;
            let first = times.partition_point(|t| *t < label.start);
            let behind = times.partition_point(|t| *t <= label.end);
            if first < behind {
                spans[series].push(Span { first, last: behind - 1 });
            }
            self.known.push(Known {
                series,
                start: label.start,
                end: label.end,
                kind: label.kind.clone(),
                story: label.story.clone(),
            });
        }
        for (series, spans) in self.series.iter_mut().zip(spans) {
            series.truth = Truth::new(series.times.len(), spans);
        }
        Ok(())
    }

    fn take_incidents(&mut self, engine: &Engine, place: &HashMap<&InterfaceName, Option<usize>>) {
        let mut moments = HashMap::new();
        for track in engine.tracks() {
            for (time, (_, scored)) in track.history().times().zip(track.scored().from(0)) {
                if let (Belongs::To(id), true) = (scored.incident, scored.anomaly) {
                    moments.entry(id).or_insert_with(Vec::new).push(time);
                }
            }
        }
        for told in engine.incidents() {
            let incident = told.incident;
            let name = engine.tracks()[told.interface.index()].name();
            let Some(series) = place.get(name).copied().flatten() else { continue };
            if incident.latest < self.series[series].times[0] {
                continue;
            }
            self.listed.push(Listed {
                series,
                kind: incident.kind.name(),
                start: incident.start,
                end: incident.end.unwrap_or(incident.latest),
                moments: moments.remove(&incident.id).unwrap_or_default(),
                story: told.story.map(|(story, _)| story),
                rings: told.rings,
            });
        }
    }
}

/// Whether a label has a slot between the first row that is judged and the directory's newest slot.
fn reaches_into(label: &Label, series: &Series, now: Option<Timestamp>) -> bool {
    let first = series.times.first();
    let last = series.times.last().copied().max(now);
    first.is_some_and(|first| label.end >= *first) && last.is_some_and(|last| label.start <= last)
}

fn unknown(label: &Label, place: &HashMap<&InterfaceName, Option<usize>>) -> String {
    let hosts = place.keys().any(|name| name.host == label.name.host);
    let what = if hosts { "that host has other interfaces only" } else { "no row has that host" };
    format!(
        "there are no rows of interface {:?} on host {:?} ({what}): correct the name, or take the line out",
        &*label.name.ifname, &*label.name.host
    )
}
