//! The stages of a row's way that the other benches do not measure alone: the window as the network
//! takes it, DBSCAN over an interface's errors, and over the incidents of all.
//!
//! `cargo bench --bench stages`; what was seen and how stands in `benches/README.md`.
#![allow(clippy::unwrap_used, reason = "a bench that cannot be set up has nothing to measure")]

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use noctop::detect::story::{Crowd, Part, stories};
use noctop::detect::verdict::{ErrorSpace, look};
use noctop::detect::{Incident, IncidentId, IncidentKind};
use noctop::model::kernel::sequence;
use noctop::random::Random;
use noctop::series::{Clock, InterfaceName, Local, Step, Timestamp, Window};

const STEP: Step = Step::from_seconds(300).unwrap();
/// Interfaces on which something starts at once, and the devices that they are on.
const STORM: usize = 500;
const DEVICES: usize = 50;

fn local(i: i64) -> Local {
    Clock::UTC.at(slot(i))
}

fn slot(i: i64) -> Timestamp {
    Timestamp::from_seconds(1_767_571_200 + STEP.seconds() * i)
}

fn window(c: &mut Criterion) {
    let (mut window, mut into, mut i) = (Window::default(), Vec::new(), 0);
    let mut group = c.benchmark_group("window");
    group.throughput(Throughput::Elements(1));
    group.bench_function("a row into it, and as the network takes it", |b| {
        b.iter(|| {
            i += 1;
            window.push(0, local(i), [0.25, 0.5], [0.125, -0.5], [1.5, 0.75]);
            sequence(&window, &mut into);
            black_box(&into);
        });
    });
    group.finish();
}

fn clusters(c: &mut Criterion) {
    let mut random = Random::new(1);
    let mut draw = |size: f64| look(&std::array::from_fn(|_| random.normal() * size), 0.0, false, false);
    let mut space = ErrorSpace::new(STEP);
    (0..28 * 288).for_each(|_| space.learn_quiet(&draw(0.5)));
    (0..15).for_each(|i| space.learn_incident(local(i * 500), &[draw(4.0), draw(6.0)], false));
    let looks = [draw(4.0), draw(6.0)];
    c.bench_function("clusters of an interface's errors, found again after an incident", |b| {
        let again = |space: &mut ErrorSpace| {
            space.learn_incident(local(9000), &looks, false);
            space.verdict(local(9001), &looks[0], true)
        };
        b.iter_batched_ref(|| space.clone(), again, BatchSize::SmallInput);
    });
}

fn storm(c: &mut Criterion) {
    let mut random = Random::new(2);
    let names: Vec<InterfaceName> =
        (0..STORM).map(|i| InterfaceName::new(&format!("host-{:02}", i % DEVICES), &format!("xe-{i:03}"))).collect();
    let mut incidents: Vec<(Incident, &InterfaceName)> = names
        .iter()
        .map(|name| {
            let start = slot(random.below(3) as i64);
            let score = 4.0 + random.unit();
            let (id, onset) = (IncidentId::new(name, start, false), [score, score + random.normal()]);
            let incident = Incident { peak: score, onset, ..Incident::new(id, IncidentKind::Spike, start) };
            (incident, name)
        })
        .collect();
    incidents.sort_by(|a, b| (a.0.start, a.1).cmp(&(b.0.start, b.1)));
    let parts: Vec<Part<'_>> = incidents.iter().map(|(incident, name)| Part { incident, name, step: STEP }).collect();
    let mut group = c.benchmark_group("stories");
    group.throughput(Throughput::Elements(STORM as u64));
    group.bench_function("incidents that start at once on 50 devices", |b| {
        b.iter(|| stories(black_box(&parts), &mut Crowd::new(slot(0))));
    });
    group.finish();
}

criterion_group!(benches, window, clusters, storm);
criterion_main!(benches);
