//! DBSCAN's verdict on an error vector (Ester, Kriegel, Sander, Xu, 1996).
//!
//! Each interface keeps a bounded sample of its quiet rows' error vectors and the vectors of its
//! past incidents, all in signed rarity, where every interface has the same scale, with how rare the
//! repeating of a value is and whether there was nothing at all. DBSCAN over
//! them finds the dense region of usual errors and the small clusters of things that came before.
//! An incident enters as its first and its worst row only, however long it lasts, and never as
//! quiet: it cannot become its own normal.

use std::collections::BTreeMap;

use super::cluster::cluster;
use crate::series::{DAY, Local, Step};

/// Quiet rows that are kept, spread over [`QUIET_DAYS`].
const QUIET: usize = 92;
const QUIET_DAYS: f64 = 28.0;
/// Quiet rows that may be new in the sample before the clusters are found again (a new incident is
/// taken at once).
const REFIT: usize = 24;
/// Vectors of past incidents that are kept.
const PAST: usize = 30;
/// Neighbourhood, in units of rarity: four bent rarities may each differ by a factor of about two.
const REACH: f64 = 1.6;
/// A cluster is large, and its core points are nominal, from this share of the quiet sample.
const LARGE: f64 = 0.05;
/// Share of the quiet sample that a core point has around it.
const CORE: f64 = 0.02;
/// Rarity from which only the ratio counts.
const BENT: f64 = 2.0;
/// Rarities are kept in tenths. Bent ones stay below half of what seven bits hold.
const TENTHS: f64 = 10.0;
/// The square of [`REACH`], in tenths.
const REACH_SQUARED: i32 = ((REACH * TENTHS) * (REACH * TENTHS)) as i32;
/// What the tenths of rarities, and of how rare a repeating is, are held to.
const RAREST: f64 = 63.0;
const FLATTEST: f64 = 31.0;

/// DBSCAN's verdict on an error vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Too few rows to say.
    Warming,
    /// In the dense region of usual errors.
    Nominal,
    /// In a small cluster that was seen before.
    Recurring,
    /// Like nothing before.
    Noise,
}

impl Verdict {
    /// The word for it, in files and on screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Warming => "warming",
            Self::Nominal => "nominal",
            Self::Recurring => "recurring",
            Self::Noise => "noise",
        }
    }
}

/// What earlier incidents say of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recognised {
    /// DBSCAN's verdict.
    pub verdict: Verdict,
    /// How many of their rows look like it; at most those that are kept.
    pub alike: u8,
}

/// What a row looks like: signed rarities of one-step errors and of deviations, of maximum and mean.
pub type Look = [f64; SIDES];
pub(super) const SIDES: usize = 6;
/// How far nothing is from something.
const NOTHING: f64 = 3.0;

/// What a row looks like. `flat` is how rare its repeating is, `nothing` whether it is near nothing
/// where there usually is something, `lasts` whether it belongs to what has gone on for long.
pub fn look(rarities: &[f64; 4], flat: f64, nothing: bool, lasts: bool) -> Look {
    if nothing {
        // An outage is one, wherever the load was before and however long nothing has repeated.
        return [0.0, 0.0, 0.0, 0.0, 0.0, NOTHING];
    }
    let rarest = rarities.iter().fold(0.0f64, |a, v| a.max(v.abs()));
    // A value that is stuck lies wherever it got stuck: how far off that is says nothing of it.
    let stuck = flat > rarest;
    let [a, b, c, d] = if stuck { [0.0; 4] } else { rarities.map(bend) };
    // Once the forecast has followed, the one-step errors are those of any row.
    let [a, b] = if lasts { [0.0; 2] } else { [a, b] };
    [a, b, c, d, bend(flat), 0.0]
}

type Point = [i8; SIDES];

/// A point with the number of its cluster, from 1; 0 where it does not speak for one. From the lowest bit:
/// four rarities in seven bits each, the repeating in five, whether there was nothing in one, the
/// number in six.
#[derive(Debug, Clone, Copy)]
struct Labelled([u8; 5]);

/// The largest number of a cluster.
const MOST_LABELS: u8 = 63;

impl Labelled {
    fn new(point: &Point, label: u8) -> Self {
        let [rarities @ .., flat, nothing] = point;
        let rarities = rarities.iter().rev().fold(0u64, |bits, v| bits << 7 | u64::from((v + 64) as u8 & 127));
        let rest = u64::from(label) << 6 | u64::from(*nothing != 0) << 5 | u64::from(*flat as u8 & 31);
        let [a, b, c, d, e, ..] = (rest << 28 | rarities).to_le_bytes();
        Self([a, b, c, d, e])
    }

    fn bits(&self) -> u64 {
        let [a, b, c, d, e] = self.0;
        u64::from_le_bytes([a, b, c, d, e, 0, 0, 0])
    }

    fn point(&self) -> Point {
        let bits = self.bits();
        let [a, b, c, d] = [0, 7, 14, 21].map(|shift| (bits >> shift & 127) as i8 - 64);
        let nothing = if bits >> 33 & 1 == 1 { (NOTHING * TENTHS) as i8 } else { 0 };
        [a, b, c, d, (bits >> 28 & 31) as i8, nothing]
    }

    fn relabel(&mut self, labels: &BTreeMap<Point, u8>) {
        let point = self.point();
        *self = Self::new(&point, labels.get(&point).copied().unwrap_or(0));
    }

    fn label(&self) -> u8 {
        (self.bits() >> 34) as u8
    }
}

/// A row of a past incident.
#[derive(Debug, Clone, Copy)]
struct Past {
    point: Labelled,
    /// The half-hour of the day in which the incident started; from [`HALF_HOURS`] on where it comes at that
    /// hour as a job does.
    hour: u8,
}

const HALF_HOURS: u8 = 48;

impl Past {
    /// Whether it speaks for what starts in that half-hour. What comes at its hour is known by it, and
    /// is news at any other.
    fn speaks(&self, hour: u8) -> bool {
        self.hour < HALF_HOURS || near_hour(self.hour - HALF_HOURS, hour)
    }
}

/// Whether two half-hours of the day are the same or side by side.
fn near_hour(a: u8, b: u8) -> bool {
    let apart = a.abs_diff(b);
    apart.min(HALF_HOURS - apart) <= 1
}

fn half_hour(time: Local) -> u8 {
    (time.second_of_day() / (DAY / i64::from(HALF_HOURS))) as u8
}

/// An interface's error space.
#[derive(Debug, Clone)]
pub struct ErrorSpace {
    /// Quiet rows; `next` is the place of the one that is replaced next. Core points of large clusters
    /// have a label.
    quiet: Vec<Labelled>,
    next: u16,
    /// Rows of past incidents, oldest first.
    past: Vec<Past>,
    every: u32,
    wait: u32,
    fitted: bool,
    /// Quiet rows kept since the clusters were found.
    since_fit: u16,
}

impl ErrorSpace {
    /// An empty space for rows that are a `step` apart.
    pub fn new(step: Step) -> Self {
        let every = (QUIET_DAYS * step.slots_in(DAY) / QUIET as f64).max(1.0) as u32;
        Self { quiet: Vec::new(), next: 0, past: Vec::new(), every, wait: 0, fitted: false, since_fit: 0 }
    }

    /// Bytes that it takes.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.quiet.capacity() * size_of::<Labelled>() + self.past.capacity() * size_of::<Past>()
    }

    /// Learns the look of a row outside any incident; every so many rows one is kept.
    pub fn learn_quiet(&mut self, look: &Look) {
        // An empty space fills quickly, so that a verdict is possible within a day.
        let young = self.quiet.len() < 24;
        if self.wait > 0 && !young {
            self.wait -= 1;
            return;
        }
        self.wait = self.every - 1;
        let new = Labelled::new(&point(look), 0);
        if self.quiet.len() == QUIET {
            self.quiet[usize::from(self.next)] = new;
        } else {
            self.quiet.reserve_exact(if young { 1 } else { QUIET - self.quiet.len() });
            self.quiet.push(new);
        }
        self.next = (self.next + 1) % QUIET as u16;
        self.since_fit += 1;
    }

    /// Learns an incident that started at `start` and has ended, by the looks of its first and its worst row.
    /// Where it comes at that hour as a job does (`of_hour`), what came then says nothing of other hours.
    pub fn learn_incident(&mut self, start: Local, looks: &[Look; 2], of_hour: bool) {
        let hour = half_hour(start);
        let marked = if of_hour { hour + HALF_HOURS } else { hour };
        if of_hour {
            let here = self.past.iter_mut().filter(|p| near_hour(p.hour % HALF_HOURS, hour));
            here.for_each(|p| p.hour = p.hour % HALF_HOURS + HALF_HOURS);
        }
        for look in looks {
            let point = point(look);
            if self.past.last().is_none_or(|last| last.point.point() != point || last.hour != marked) {
                if self.past.len() == PAST {
                    self.past.remove(0);
                }
                self.past.reserve_exact(1);
                self.past.push(Past { point: Labelled::new(&point, 0), hour: marked });
            }
        }
        self.fitted = false;
    }

    /// The verdict on a row of what started at `start`, and DBSCAN's label of the cluster that it falls
    /// into: 0 for the largest, −1 for none. A row of an incident is never nominal: rarity raises the alarm, and DBSCAN
    /// does not take it back.
    pub fn verdict(&mut self, start: Local, look: &Look, incident: bool) -> (Verdict, i32) {
        let here = point(look);
        if !self.fitted || usize::from(self.since_fit) > REFIT.min(self.quiet.len() / 4) {
            self.fit();
            (self.fitted, self.since_fit) = (true, 0);
        }
        let hour = half_hour(start);
        let quiet = if incident { None } else { nearest(self.quiet.iter(), &here) };
        let past = || nearest(self.past.iter().filter(|p| p.speaks(hour)).map(|p| &p.point), &here);
        let nominal = quiet.map(|label| (Verdict::Nominal, label));
        nominal.or_else(|| past().map(|label| (Verdict::Recurring, label))).unwrap_or((Verdict::Noise, -1))
    }

    /// How many rows of past incidents, of those that speak for what started at `start`, look like this one.
    pub fn alike(&self, start: Local, look: &Look) -> u8 {
        let (here, hour) = (point(look), half_hour(start));
        let near = |past: &&Past| past.speaks(hour) && square(&past.point.point(), &here) <= REACH_SQUARED;
        self.past.iter().filter(near).map(|_| 1).sum()
    }

    fn fit(&mut self) {
        // Identical points are DBSCAN's worst case: each stands once, with how often it came.
        let mut counts: BTreeMap<Point, (usize, usize)> = BTreeMap::new();
        self.quiet.iter().for_each(|p| counts.entry(p.point()).or_default().0 += 1);
        self.past.iter().for_each(|p| counts.entry(p.point.point()).or_default().1 += 1);
        let points: Vec<(Point, usize, usize)> = counts.iter().map(|(p, (q, past))| (*p, *q, *past)).collect();
        // A value that came more than once is its own neighbour: it goes in twice.
        let coordinates = |p: &Point| p.map(|v| f64::from(v) / TENTHS);
        let again = points.iter().filter(|(_, quiet, past)| quiet + past > 1);
        let all: Vec<[f64; SIDES]> = points.iter().chain(again).map(|(p, ..)| coordinates(p)).collect();
        let labels = cluster(&all, 2, REACH);

        let mut sizes: BTreeMap<usize, usize> = BTreeMap::new();
        for ((_, quiet, _), label) in points.iter().zip(&labels) {
            if let Some(label) = label {
                *sizes.entry(*label).or_default() += quiet;
            }
        }
        let mut ranked: Vec<usize> = sizes.keys().copied().collect();
        ranked.sort_by_key(|label| (std::cmp::Reverse(sizes[label]), *label));
        let number = |place: usize| u8::try_from(place + 1).map_or(MOST_LABELS, |n| n.min(MOST_LABELS));
        let rank = |label: usize| number(ranked.iter().position(|l| *l == label).unwrap_or(0));
        let large = (LARGE * self.quiet.len() as f64).max(3.0);
        let enough = (CORE * self.quiet.len() as f64).max(3.0);

        let (mut core, mut past) = (BTreeMap::new(), BTreeMap::new());
        let mut alone = ranked.len();
        for ((p, quiet, incidents), label) in points.iter().zip(&labels) {
            if let Some(label) = label.filter(|l| *quiet > 0 && sizes[l] as f64 >= large) {
                let around: usize =
                    points.iter().filter(|(q, ..)| square(p, q) <= REACH_SQUARED).map(|(_, n, _)| n).sum();
                if around as f64 >= enough {
                    core.insert(*p, rank(label));
                }
            }
            if *incidents > 0 {
                let label = label.map_or_else(
                    || {
                        alone += 1;
                        number(alone - 1)
                    },
                    rank,
                );
                past.insert(*p, label);
            }
        }
        self.quiet.iter_mut().for_each(|kept| kept.relabel(&core));
        self.past.iter_mut().for_each(|kept| kept.point.relabel(&past));
    }
}

/// The label of the nearest point within reach that speaks for a cluster.
fn nearest<'a>(points: impl Iterator<Item = &'a Labelled>, here: &Point) -> Option<i32> {
    points
        .filter(|p| p.label() > 0)
        .map(|p| (square(&p.point(), here), i32::from(p.label()) - 1))
        .filter(|(square, _)| *square <= REACH_SQUARED)
        .min_by_key(|(square, _)| *square)
        .map(|(_, label)| label)
}

/// What is kept of a look. What is no number counts as 0.
fn point(look: &Look) -> Point {
    let [rarities @ .., flat, nothing] = look.map(|v| (v * TENTHS).round());
    let [a, b, c, d] = rarities.map(|v| v.clamp(-RAREST, RAREST) as i8);
    [a, b, c, d, flat.clamp(0.0, FLATTEST) as i8, nothing as i8]
}

/// A rarity as it is compared: as it is while it is not rare, by its ratio from there on. Once in 10^15
/// rows and once in 10^12 look alike; once in 10^3 and once in 10^12 do not.
pub(super) fn bend(rarity: f64) -> f64 {
    let size = rarity.abs();
    if size > BENT { (BENT * (1.0 + 0.5 * libm::log(size / BENT))).copysign(rarity) } else { rarity }
}

/// The square of the distance between two points, in tenths.
fn square(a: &Point, b: &Point) -> i32 {
    a.iter().zip(b).map(|(a, b)| (i32::from(*a) - i32::from(*b)).pow(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;
    use crate::series::{Clock, Timestamp};

    fn space() -> ErrorSpace {
        let mut space = ErrorSpace::new(Step::from_seconds(3600).unwrap());
        let mut random = Random::new(8);
        for _ in 0..600 {
            space.learn_quiet(&look(&std::array::from_fn(|_| 0.4 * random.normal()), 0.0, false, false));
        }
        space
    }

    fn at(hour: i64) -> Local {
        Clock::UTC.at(Timestamp::from_seconds(1_767_571_200 + 3600 * hour))
    }

    /// The verdict on a row of no incident.
    fn said(space: &mut ErrorSpace, look: &Look) -> (Verdict, i32) {
        space.verdict(at(9), look, false)
    }

    fn learn(space: &mut ErrorSpace, onset: &Look, worst: &Look) {
        space.learn_incident(at(9), &[*onset, *worst], false);
    }

    fn plain(rarities: [f64; 4]) -> Look {
        look(&rarities, 0.0, false, false)
    }

    #[test]
    fn a_point_and_its_label_are_kept_as_they_are() {
        for (look, label) in [
            (look(&[0.3, -1.7, 2.0, -0.1], 0.0, false, false), 0),
            (look(&[-35.0, 35.0, -9.0, 9.0], 0.0, false, false), 63),
            (look(&[1.0, 0.0, 0.0, -1.0], 6.0, false, true), 7),
            (look(&[-35.0; 4], 6.0, true, false), 8),
        ] {
            let (point, kept) = (point(&look), Labelled::new(&point(&look), label));
            assert_eq!((kept.point(), kept.label()), (point, label));
            let far = look.iter().zip(point).map(|(v, p)| (v - f64::from(p) / TENTHS).abs()).fold(0.0, f64::max);
            assert!(far <= 0.0501, "{look:?} became {point:?}");
        }
    }

    #[test]
    fn usual_errors_are_nominal_and_what_is_new_is_noise() {
        let mut space = space();
        assert_eq!(said(&mut space, &plain([0.1, -0.2, 0.3, 0.0])), (Verdict::Nominal, 0));
        assert_eq!(said(&mut space, &plain([4.0, 4.0, 3.0, 3.0])), (Verdict::Noise, -1));
    }

    #[test]
    fn what_came_before_is_recurring_and_its_opposite_is_not() {
        let mut space = space();
        learn(&mut space, &plain([4.0, 4.0, 3.0, 3.0]), &plain([9.0, 9.0, 8.0, 8.0]));
        let (verdict, label) = said(&mut space, &plain([4.2, 3.9, 3.1, 3.2]));
        assert_eq!(verdict, Verdict::Recurring);
        assert!(label > 0, "its label {label} is not that of the usual errors");
        assert_eq!(said(&mut space, &plain([12.0, 11.0, 10.0, 9.0])).0, Verdict::Recurring, "about as rare");
        assert_eq!(said(&mut space, &plain([-4.2, -3.9, -3.1, -3.2])).0, Verdict::Noise);
        assert_eq!(said(&mut space, &plain([9.0, 0.0, 8.0, 0.0])).0, Verdict::Noise, "the maximum alone");
    }

    #[test]
    fn a_flat_run_and_an_outage_are_things_of_their_own() {
        let mut space = space();
        let (flat, out) = (look(&[0.2, 0.1, 0.4, 0.3], 5.0, false, false), look(&[-9.0; 4], 0.0, true, false));
        learn(&mut space, &plain([-9.0; 4]), &plain([-9.0; 4]));
        assert_eq!((said(&mut space, &flat).0, said(&mut space, &out).0), (Verdict::Noise, Verdict::Noise));
        learn(&mut space, &flat, &flat);
        learn(&mut space, &out, &out);
        assert_eq!((said(&mut space, &flat).0, said(&mut space, &out).0), (Verdict::Recurring, Verdict::Recurring));
    }

    #[test]
    fn an_outage_is_an_outage_and_what_lasts_is_known_by_what_lasts() {
        let mut space = space();
        learn(&mut space, &look(&[-9.0; 4], 5.0, true, false), &look(&[0.1, 0.2, -9.0, -9.0], 1.0, true, true));
        assert_eq!(said(&mut space, &look(&[-3.0, -3.0, -1.0, -1.0], 0.0, true, false)).0, Verdict::Recurring);
        let shift = |errors: f64, lasts| look(&[errors, -errors, 6.0, 6.0], 0.0, false, lasts);
        learn(&mut space, &shift(2.0, true), &shift(2.0, true));
        assert_eq!(said(&mut space, &shift(-2.5, true)).0, Verdict::Recurring);
        assert_eq!(said(&mut space, &plain([6.0; 4])).0, Verdict::Noise, "a spike is no shift");
    }

    #[test]
    fn a_nightly_job_is_known_at_its_hour_and_says_nothing_of_others() {
        let mut space = space();
        let job = plain([5.0; 4]);
        space.learn_incident(at(2), &[job; 2], false);
        assert_eq!(space.verdict(at(18), &job, true).0, Verdict::Recurring, "it came once");
        space.learn_incident(at(26), &[plain([1.0, 5.0, 0.0, 1.0]); 2], true);
        assert_eq!(space.verdict(at(50), &job, true).0, Verdict::Recurring);
        assert_eq!(space.verdict(at(42), &job, true).0, Verdict::Noise);
        learn(&mut space, &job, &job);
        assert_eq!(space.verdict(at(42), &job, true).0, Verdict::Recurring, "it came at another hour, too");
        let usual = plain([0.1; 4]);
        assert_eq!(space.verdict(at(9), &usual, false).0, Verdict::Nominal);
        assert_eq!(space.verdict(at(9), &usual, true).0, Verdict::Noise, "an incident's row is never nominal");
    }

    #[test]
    fn many_incidents_do_not_become_nominal_and_the_space_stays_small() {
        let mut space = space();
        for i in 0..600 {
            let worst = plain([4.0, 4.0, 3.0, 3.0 + f64::from(i % 2)]);
            learn(&mut space, &plain([4.0, 4.0, 3.0, 3.0]), &worst);
        }
        assert_eq!(said(&mut space, &plain([4.0, 4.0, 3.0, 3.0])).0, Verdict::Recurring);
        assert!(space.bytes() <= 960, "{}", space.bytes());
    }

    #[test]
    fn identical_points_and_an_empty_space_are_no_trouble() {
        let mut space = ErrorSpace::new(Step::from_seconds(10).unwrap());
        assert_eq!(said(&mut space, &[0.0; SIDES]).0, Verdict::Noise);
        (0..100_000).for_each(|_| space.learn_quiet(&[0.0; SIDES]));
        assert_eq!(said(&mut space, &[0.0; SIDES]).0, Verdict::Nominal);
        assert_eq!(said(&mut space, &plain([f64::NAN, 0.0, 0.0, 0.0])).0, Verdict::Nominal);
    }
}
