//! What a row costs on its way: reading, scoring, and the snapshot that a face draws.
//!
//! ```text
//! cargo bench --bench engine
//! ```
//!
//! Figures that were seen stand in `benches/README.md`.

use std::collections::HashSet;
use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use csv::ByteRecord;
use noctop::detect::Settings;
use noctop::engine::Engine;
use noctop::engine::view::{Surroundings, Viewer};
use noctop::ingest::{Batch, ReadOptions, Root, Tailer};
use noctop::model::Model;
use noctop::series::{InterfaceId, Step};
use noctop::simulate::files::write_history;
use noctop::simulate::{Fleet, Plan, Target};

/// A generated fleet's files, gone when it is dropped.
struct Rows {
    _place: tempfile::TempDir,
    dir: PathBuf,
    bytes: u64,
    rows: u64,
}

impl Rows {
    fn new(devices: u32, interfaces: u32, days: u32, step: i64) -> Self {
        let place = tempfile::tempdir().expect("room for temporary files");
        let dir = place.path().join("rows");
        let step = Step::from_seconds(step).expect("a positive step");
        let plan = Plan { devices, interfaces, days, step, quiet_days: days.min(2), ..Plan::default() };
        let target = Target { rows: dir.clone(), labels: None, force: false };
        let mut fleet = Fleet::new(&plan).expect("a sound plan");
        let summary = write_history(&mut fleet, &target, &mut |_, _| {}).expect("rows can be written");
        Self { _place: place, dir, bytes: summary.bytes, rows: summary.rows }
    }

    /// Reads all of it; gives the number of rows.
    fn read(&self, mut take: impl FnMut(Batch)) -> u64 {
        let roots = vec![(Root::Data, self.dir.clone())];
        let mut tailer = Tailer::new(roots, ReadOptions::default()).expect("the directory exists");
        let mut rows = 0;
        loop {
            let batch = tailer.finish();
            rows += batch.rows.len() as u64;
            let done = batch.caught_up;
            take(batch);
            if done {
                return rows;
            }
        }
    }

    /// An engine that has all of it and has scored nothing yet.
    fn engine(&self, model: &Arc<Model>, threads: usize) -> Engine {
        let mut engine = Engine::new(model.clone(), Settings::default(), threads);
        self.read(|batch| {
            engine.absorb(&batch);
        });
        engine
    }
}

/// The csv crate alone over the same files: records are found and nothing is made of them.
fn plain_csv(dir: &Path) -> u64 {
    let mut rows = 0;
    let mut record = ByteRecord::new();
    for entry in fs::read_dir(dir).expect("the directory exists") {
        let path = entry.expect("an entry").path();
        let mut reader = csv::Reader::from_path(path).expect("a readable file");
        while reader.read_byte_record(&mut record).expect("sound records") {
            rows += 1;
        }
    }
    rows
}

fn ingest(c: &mut Criterion) {
    let rows = Rows::new(20, 10, 7, 300);
    assert_eq!(plain_csv(&rows.dir), rows.rows);
    assert_eq!(rows.read(drop), rows.rows);
    let mut group = c.benchmark_group("ingest");
    group.sample_size(20).throughput(Throughput::Bytes(rows.bytes));
    group.bench_function("tailer", |b| b.iter(|| rows.read(|batch| drop(black_box(batch)))));
    group.bench_function("csv byte records", |b| b.iter(|| black_box(plain_csv(&rows.dir))));
    group.finish();
}

fn score(c: &mut Criterion) {
    let rows = Rows::new(5, 6, 14, 3600);
    let model = Arc::new(Model::built_in().expect("the built-in model is sound"));
    let mut group = c.benchmark_group("score");
    group.sample_size(10).throughput(Throughput::Elements(rows.rows));
    for threads in [1, 2] {
        group.bench_function(BenchmarkId::new("threads", threads), |b| {
            let settle = |engine: &mut Engine| engine.settle();
            b.iter_batched_ref(|| rows.engine(&model, threads), settle, BatchSize::PerIteration);
        });
    }
    group.finish();
}

fn snapshot(c: &mut Criterion) {
    let model = Arc::new(Model::built_in().expect("the built-in model is sound"));
    let mut group = c.benchmark_group("snapshot");
    group.sample_size(20);
    for interfaces in [1_000, 10_000] {
        let rows = Rows::new(interfaces / 10, 10, 3, 3600);
        let mut engine = rows.engine(&model, 2);
        engine.settle();
        let all: HashSet<InterfaceId> = engine.by_name().into_iter().map(|(id, _)| id).collect();
        let around = Surroundings::default();
        let mut viewer = Viewer::default();
        group.bench_function(BenchmarkId::new("every interface changed", interfaces), |b| {
            b.iter(|| black_box(viewer.snapshot(&engine, &around, &all)));
        });
        let none = HashSet::new();
        group.bench_function(BenchmarkId::new("nothing changed", interfaces), |b| {
            b.iter(|| black_box(viewer.snapshot(&engine, &around, &none)));
        });
    }
    group.finish();
}

criterion_group!(benches, ingest, score, snapshot);
criterion_main!(benches);
