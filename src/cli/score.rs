//! `noctop score`: every row of a directory with its score, as CSV.

use std::collections::HashMap;
use std::io::{self, Write};
use std::ops::Range;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use super::load::ScoringArgs;
use super::output::{is_same, read_enough, whole};
use crate::config::Config;
use crate::detect::{IncidentId, StoryId};
use crate::engine::track::Track;
use crate::engine::{Belongs, Engine, Told};
use crate::series::{DAY, Timestamp};
use crate::special::is_special;

/// What `score` is told.
#[derive(Debug, Args)]
pub struct ScoreArgs {
    #[command(flatten)]
    scoring: ScoringArgs,
    /// File for the scores [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// File for the incidents, silences included [default: none is written]
    #[arg(long, value_name = "FILE")]
    pub incidents: Option<PathBuf>,
}

/// Columns of the scores.
pub const COLUMNS: [&str; 16] = [
    "timeslot",
    "hostname",
    "ifname",
    "max_metric_value",
    "mean_metric_value",
    "max_expected",
    "mean_expected",
    "max_error",
    "mean_error",
    "score",
    "notify",
    "verdict",
    "cluster",
    "anomaly",
    "incident",
    "story",
];

/// Columns of the incidents.
pub const INCIDENT_COLUMNS: [&str; 12] =
    ["hostname", "ifname", "id", "kind", "start", "end", "peak", "direction", "story", "verdict", "state", "rings"];

/// Runs it.
///
/// # Errors
/// When a directory cannot be read, the model is none, or an output cannot be written. [`super::Quiet`] where all is
/// written but for rows that could not be read.
pub fn run(args: &ScoreArgs, config: &Config) -> anyhow::Result<()> {
    for (flag, file) in [("--output", &args.output), ("--incidents", &args.incidents)] {
        args.scoring.refuse_output(flag, file.as_ref(), config)?;
    }
    if let (Some(scores), Some(incidents)) = (&args.output, &args.incidents) {
        anyhow::ensure!(
            !is_same(scores, incidents) || is_special(scores),
            "--incidents {}: is the file for the scores: name another one",
            incidents.display()
        );
    }
    let (engine, loaded) = args.scoring.engine(config)?;
    let incidents = engine.incidents();
    let done = match &args.output {
        Some(path) => whole(path, |out| write_scores(&engine, &incidents, out)),
        None => read_enough(write_scores(&engine, &incidents, &mut io::stdout().lock())).context("standard output"),
    };
    done?;
    if let Some(path) = &args.incidents {
        whole(path, |out| write_incidents(&engine, &incidents, out))?;
    }
    loaded.complete()
}

/// The stories of incidents, and whether each of these is told for its company only.
type Stories = HashMap<IncidentId, (StoryId, bool)>;

/// Rows that a thread writes at once: small enough that all have work, large enough that handing them over costs nothing.
const AT_ONCE: usize = 4096;

/// Writes one row for each row of the data directory, by interface and then by time. Threads make the
/// text; it comes out in order.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write_scores(engine: &Engine, incidents: &[Told], out: &mut dyn Write) -> Result<(), csv::Error> {
    let stories: Stories =
        incidents.iter().filter_map(|t| Some((t.incident.id, (t.story?.0, t.incident.usual)))).collect();
    out.write_all((COLUMNS.join(",") + "\n").as_bytes())?;
    let pieces: Vec<(&Track, Range<usize>)> = engine
        .by_name()
        .into_iter()
        .flat_map(|(_, track)| {
            let rows = track.scored().places();
            let end = rows.end;
            rows.step_by(AT_ONCE).map(move |from| (track, from..end.min(from + AT_ONCE)))
        })
        .collect();
    let threads = super::threads().min(pieces.len());
    std::thread::scope(|scope| {
        // Each makes every so manieth piece and waits where the one before is not taken yet: little is held in memory.
        let makers: Vec<_> = (0..threads)
            .map(|first| {
                let (give, made) = crossbeam_channel::bounded(1);
                let (pieces, stories) = (&pieces, &stories);
                scope.spawn(move || {
                    for (track, rows) in pieces.iter().skip(first).step_by(threads) {
                        // Nobody takes it any more where writing has failed.
                        if give.send(text(engine, track, rows.clone(), stories)).is_err() {
                            break;
                        }
                    }
                });
                made
            })
            .collect();
        for maker in (0..pieces.len()).map(|piece| &makers[piece % threads]) {
            match maker.recv() {
                Ok(text) => out.write_all(&text?)?,
                // It panicked, which ends the scope as well.
                Err(crossbeam_channel::RecvError) => break,
            }
        }
        drop(makers);
        Ok::<(), csv::Error>(())
    })?;
    Ok(out.flush()?)
}

/// The lines of some of an interface's rows.
fn text(engine: &Engine, track: &Track, rows: Range<usize>, stories: &Stories) -> Result<Vec<u8>, csv::Error> {
    let mut name = csv::WriterBuilder::new().terminator(csv::Terminator::Any(b',')).from_writer(Vec::new());
    name.write_record([&track.name().host, &track.name().ifname].map(|part| part.as_bytes()))?;
    let name = name.into_inner().map_err(|e| e.into_error())?;
    let mut out = Vec::with_capacity(160 * rows.len());
    let mut slots = Slots::default();
    for i in rows.filter(|i| engine.is_data(track, *i)) {
        let (s, history) = (&track.scored()[i], track.history());
        let (time, values) = (history.time(i), history.values(i));
        let expected = s.expected.map(|e| history.above_zero(time, e));
        slots.write(time, &mut out)?;
        out.push(b',');
        out.extend_from_slice(&name);
        for number in values.into_iter().chain(expected).chain(s.error).chain([s.score, s.notify]) {
            decimal(number, &mut out)?;
            out.push(b',');
        }
        write!(out, "{},{},{},", s.verdict.word(), s.cluster, u8::from(s.anomaly))?;
        let (incident, story) = match s.incident {
            Belongs::No => (None, None),
            Belongs::To(id) => (Some(id), stories.get(&id)),
            // What was listed for itself in the end was not, so far.
            Belongs::Aside(id) => {
                let story = stories.get(&id).filter(|(_, usual)| *usual);
                (story.map(|_| id), story)
            }
        };
        if let Some(incident) = incident {
            write!(out, "{incident}")?;
        }
        out.push(b',');
        if let Some((story, _)) = story {
            write!(out, "{story}")?;
        }
        out.push(b'\n');
    }
    Ok(out)
}

/// Bits at the end of a fraction that are zero where seventeen digits and a half are all of it: below 10^12 it has
/// at most 46 bits then.
const SHORT: u32 = 6;

/// Writes a number as it is shown: in the fewest digits that give it back, without an exponent. The usual
/// sizes go a faster way than [`std::fmt`]'s.
fn decimal(number: f64, out: &mut Vec<u8>) -> io::Result<()> {
    // Between two texts that are as near, which only short fractions have, the two ways take different ones.
    let is_short = number.to_bits().trailing_zeros() >= SHORT;
    if is_short || !(1e-5..1e12).contains(&number.abs()) {
        return write!(out, "{number}");
    }
    let mut digits = ryu::Buffer::new();
    let text = digits.format_finite(number);
    out.extend_from_slice(text.strip_suffix(".0").unwrap_or(text).as_bytes());
    Ok(())
}

/// Writes moments as they are shown. The date, which takes far longer than the rest, is made once a day.
#[derive(Default)]
struct Slots {
    day: Option<i64>,
    date: String,
}

impl Slots {
    fn write(&mut self, time: Timestamp, out: &mut Vec<u8>) -> io::Result<()> {
        let day = time.seconds().div_euclid(DAY);
        if self.day != Some(day) {
            let shown = Timestamp::from_seconds(day * DAY).to_string();
            // A moment beyond all calendars has no date.
            let Some(date) = shown.strip_suffix("00:00:00") else { return write!(out, "{time}") };
            (self.day, self.date) = (Some(day), date.to_owned());
        }
        out.extend_from_slice(self.date.as_bytes());
        let second = time.second_of_utc_day();
        let [hour, minute, second] = [second / 3600, second / 60 % 60, second % 60].map(|part| {
            let part = part as u8;
            [b'0' + part / 10, b'0' + part % 10]
        });
        out.extend_from_slice(&[hour[0], hour[1], b':', minute[0], minute[1], b':', second[0], second[1]]);
        Ok(())
    }
}

/// Writes one row for each incident that reaches into the data directory's rows, in the order of starts.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write_incidents(engine: &Engine, incidents: &[Told], out: &mut dyn Write) -> Result<(), csv::Error> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(INCIDENT_COLUMNS)?;
    for told in incidents {
        let (track, incident) = (&engine.tracks()[told.interface.index()], &told.incident);
        let first = track.history().places().find(|i| engine.is_data(track, *i)).map(|i| track.history().time(i));
        if first.is_none_or(|first| incident.latest < first) {
            continue;
        }
        csv.write_record([
            &*track.name().host,
            &track.name().ifname,
            &incident.id.to_string(),
            incident.kind.name(),
            &incident.start.to_string(),
            &incident.end.map(|e| e.to_string()).unwrap_or_default(),
            &incident.peak.to_string(),
            incident.direction.map_or("", |d| d.word()),
            &told.story.map(|(s, _)| s.to_string()).unwrap_or_default(),
            incident.verdict.word(),
            incident.state_name(),
            if told.rings { "1" } else { "0" },
        ])?;
    }
    csv.flush()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_they_are_shown() {
        let mut random = crate::random::Random::new(2);
        let ends = [
            0.0,
            -0.0,
            1.0,
            -38.0,
            0.1,
            1e-5,
            9.99e-6,
            1e15,
            1e16,
            9_007_199_254_740_993.0,
            f64::MAX,
            f64::NAN,
            f64::INFINITY,
        ];
        let sized = |r: &mut crate::random::Random| r.normal() * libm::exp10(r.between(-8.0, 20.0));
        let any = (0..200_000).map(|i| match i % 3 {
            0 => f64::from_bits(random.bits()),
            1 => sized(&mut random),
            _ => f64::from(sized(&mut random) as f32),
        });
        for number in ends.into_iter().chain(any) {
            let mut out = Vec::new();
            decimal(number, &mut out).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), number.to_string());
        }
    }

    #[test]
    fn moments_are_written_as_they_are_shown() {
        let (mut slots, mut random) = (Slots::default(), crate::random::Random::new(1));
        let mut seconds = -3 * DAY;
        for i in 0..3000 {
            seconds += random.below(100_000) as i64 + i % 7 * 86_400 * 500;
            let (time, mut out) = (Timestamp::from_seconds(seconds), Vec::new());
            slots.write(time, &mut out).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), time.to_string());
        }
    }
}
