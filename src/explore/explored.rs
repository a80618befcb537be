//! A whole directory's figures.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use realfft::RealFftPlanner;
use serde::Serialize;

use super::alike::{self, Alike};
use super::figures::Figures;
use super::findings::{Finding, Usual};
use super::gather::Gathered;
use super::grid::{Gap, Grid, as_text};
use super::together::{Pair, Residue};
use crate::ingest::Refusal;
use crate::series::Timestamp;
use crate::series::scale::median;

/// Interfaces of a device that are looked at two by two: the busiest ones. So pairs grow with the number
/// of interfaces and not with its square.
pub const BESIDE_EACH_OTHER: usize = 24;
/// Rows below which an interface is left out of what is said of pairs.
const LEAST_ROWS: usize = 48;
/// A correlation from which on two interfaces are said to move together.
pub const TOGETHER: f64 = 0.5;

/// Everything about a directory.
#[derive(Debug)]
pub struct Explored {
    /// What was read.
    pub read: Read,
    /// The rows, kept for pictures; in the order of names.
    pub data: Gathered,
    /// Figures of each interface, in the order of names.
    pub interfaces: Vec<Figures>,
    /// What is odd about each of them.
    pub findings: Vec<Vec<Finding>>,
    /// Gaps that several interfaces share.
    pub shared_gaps: Vec<SharedGap>,
    /// Distributions beside each other.
    pub alike: Alike,
    /// Pairs of a device that move together, the closest first.
    pub together: Vec<Pair>,
    /// Pairs that were looked at for that.
    pub pairs: usize,
}

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Read {
    /// Files that rows came from.
    pub files: usize,
    /// Interfaces.
    pub interfaces: usize,
    /// Devices.
    pub devices: usize,
    /// Rows, one for each moment of an interface.
    pub rows: usize,
    /// Rows for a moment for which another row stands.
    pub duplicates: usize,
    /// Lines that were refused.
    pub refused: u64,
    /// The first of them.
    pub refusals: Vec<Refused>,
    /// The oldest row's moment.
    #[serde(serialize_with = "as_text")]
    pub first: Timestamp,
    /// The newest row's moment.
    #[serde(serialize_with = "as_text")]
    pub last: Timestamp,
    /// Steps in seconds, each with how many interfaces have it; the commonest first.
    pub steps: Vec<(i64, usize)>,
    /// Slots of all interfaces, and how many of them have no row.
    pub slots: i64,
    /// Slots without a row.
    pub missing: i64,
}

/// A line that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// The file.
    pub file: String,
    /// Its line, from 1.
    pub line: u32,
    /// Why.
    pub reason: String,
}

/// A gap, and how many interfaces have exactly this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SharedGap {
    /// The gap.
    #[serde(flatten)]
    pub gap: Gap,
    /// Interfaces that have it.
    pub interfaces: usize,
}

impl Explored {
    /// Reckons everything on so many threads. `progress` is told how many of the steps are done.
    pub fn of(data: Gathered, threads: usize, progress: &(dyn Fn(usize, usize) + Sync)) -> Self {
        let devices = devices(&data);
        let all = data.interfaces.len() + devices.len();
        let done = AtomicUsize::new(0);
        let step = || progress(done.fetch_add(1, Ordering::Relaxed) + 1, all);
        let interfaces = on_threads(data.interfaces.len(), threads, RealFftPlanner::new, |planner, i| {
            let (name, columns) = &data.interfaces[i];
            let figures = Figures::of(name, columns, planner);
            step();
            figures
        });
        let beside = on_threads(
            devices.len(),
            threads,
            || (),
            |(), device| {
                let pairs = beside_each_other(&data, &interfaces, &devices[device]);
                step();
                pairs
            },
        );
        let pairs = beside.iter().map(|(_, looked)| looked).sum();
        let mut together: Vec<Pair> = beside.into_iter().flat_map(|(pairs, _)| pairs).collect();
        together.sort_by(|x, y| y.correlation.abs().total_cmp(&x.correlation.abs()).then((x.a, x.b).cmp(&(y.a, y.b))));
        let known = interfaces.iter().map(|f| (f.rows >= LEAST_ROWS).then_some(f.quantiles.median));
        let alike = Alike::of(alike::chosen(known), |i| data.interfaces[i].1.mean().to_vec());
        let read = Read::of(&data, &interfaces, devices.len());
        let mut shares: Vec<f64> = interfaces.iter().map(|f| f.gaps.share()).collect();
        let usual = Usual { step: read.steps.first().map(|(step, _)| *step), missing: median(&mut shares) };
        let findings = interfaces.iter().map(|f| Finding::of(f, usual)).collect();
        Self { read, findings, shared_gaps: shared_gaps(&interfaces), interfaces, alike, together, pairs, data }
    }

    /// The interfaces that move together with the one at a place, the closest first: their places, the
    /// correlation, and by how many slots they run behind it.
    pub fn relatives(&self, interface: usize) -> Vec<(usize, f64, i64)> {
        let of = |pair: &Pair| match (pair.a == interface, pair.b == interface) {
            (true, _) => Some((pair.b, pair.correlation, pair.lag)),
            (_, true) => Some((pair.a, pair.correlation, -pair.lag)),
            _ => None,
        };
        self.together.iter().filter_map(of).collect()
    }
}

impl Read {
    fn of(data: &Gathered, interfaces: &[Figures], devices: usize) -> Self {
        let mut steps: HashMap<i64, usize> = HashMap::new();
        interfaces.iter().filter_map(|f| f.step).for_each(|step| *steps.entry(step).or_default() += 1);
        let mut steps: Vec<(i64, usize)> = steps.into_iter().collect();
        steps.sort_by_key(|(step, count)| (std::cmp::Reverse(*count), *step));
        let refused =
            |r: &Refusal| Refused { file: r.path.display().to_string(), line: r.line, reason: r.reason.clone() };
        let nothing = Timestamp::from_seconds(0);
        Self {
            files: data.files,
            interfaces: interfaces.len(),
            devices,
            rows: interfaces.iter().map(|f| f.rows).sum(),
            duplicates: interfaces.iter().map(|f| f.duplicates).sum(),
            refused: data.refused,
            refusals: data.refusals.iter().map(refused).collect(),
            first: interfaces.iter().map(|f| f.first).min().unwrap_or(nothing),
            last: interfaces.iter().map(|f| f.last).max().unwrap_or(nothing),
            steps,
            slots: interfaces.iter().map(|f| f.gaps.slots).sum(),
            missing: interfaces.iter().map(|f| f.gaps.missing).sum(),
        }
    }
}

/// The places of each device's interfaces.
fn devices(data: &Gathered) -> Vec<Vec<usize>> {
    let places: Vec<usize> = (0..data.interfaces.len()).collect();
    let same = |a: &usize, b: &usize| data.interfaces[*a].0.host == data.interfaces[*b].0.host;
    places.chunk_by(same).map(<[usize]>::to_vec).collect()
}

/// Does `work` for each of `count` on several threads, each with a state of its own; what comes out
/// stands in the order of the tasks.
fn on_threads<S, T: Send>(
    count: usize,
    threads: usize,
    state: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, usize) -> T + Sync,
) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let all = Mutex::new(Vec::with_capacity(count));
    std::thread::scope(|scope| {
        for _ in 0..threads.clamp(1, count.max(1)) {
            scope.spawn(|| {
                let mut own = state();
                let mut found = Vec::new();
                loop {
                    let task = next.fetch_add(1, Ordering::Relaxed);
                    if task >= count {
                        break;
                    }
                    found.push((task, work(&mut own, task)));
                }
                // A thread that panicked has nothing in it, and the scope panics on.
                all.lock().unwrap_or_else(|e| e.into_inner()).extend(found);
            });
        }
    });
    let mut all = all.into_inner().unwrap_or_else(|e| e.into_inner());
    all.sort_by_key(|(task, _)| *task);
    all.into_iter().map(|(_, found)| found).collect()
}

/// Which interfaces of a device move together, and how many pairs were looked at.
fn beside_each_other(data: &Gathered, figures: &[Figures], device: &[usize]) -> (Vec<Pair>, usize) {
    let mut busiest: Vec<usize> = device.iter().copied().filter(|i| figures[*i].rows >= LEAST_ROWS).collect();
    let load = |i: &usize| figures[*i].quantiles.median.abs();
    busiest.sort_by(|a, b| load(b).total_cmp(&load(a)).then(a.cmp(b)));
    busiest.truncate(BESIDE_EACH_OTHER);
    busiest.sort_unstable();
    let residue = |i: usize| {
        let columns = &data.interfaces[i].1;
        Some((i, Residue::of(columns, &Grid::of(columns)?)?))
    };
    let residues: Vec<(usize, Residue)> =
        if busiest.len() > 1 { busiest.into_iter().filter_map(residue).collect() } else { Vec::new() };
    let (mut pairs, mut looked) = (Vec::new(), 0);
    for (at, (a, mine)) in residues.iter().enumerate() {
        for (b, its) in &residues[at + 1..] {
            looked += 1;
            let Some((correlation, lag)) = mine.beside(its) else { continue };
            if correlation.abs() >= TOGETHER {
                pairs.push(Pair { a: *a, b: *b, correlation, lag });
            }
        }
    }
    (pairs, looked)
}

/// Gaps by how many interfaces have them: the most shared ones, in the order of time.
fn shared_gaps(interfaces: &[Figures]) -> Vec<SharedGap> {
    let mut counts: HashMap<Gap, usize> = HashMap::new();
    for gap in interfaces.iter().flat_map(|f| &f.gaps.named) {
        *counts.entry(*gap).or_default() += 1;
    }
    let mut shared: Vec<SharedGap> =
        counts.into_iter().map(|(gap, interfaces)| SharedGap { gap, interfaces }).collect();
    let weight = |s: &SharedGap| std::cmp::Reverse(s.gap.slots.saturating_mul(s.interfaces as i64));
    shared.sort_by_key(|s| (weight(s), s.gap));
    shared.truncate(super::grid::GAPS_NAMED);
    shared.sort_by_key(|s| s.gap);
    shared
}
