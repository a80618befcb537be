//! The network's two hot paths: scoring one window, and one step of training.
//!
//! `cargo bench --bench kernel`; what was seen and how stands in `benches/README.md`.
#![allow(clippy::unwrap_used, reason = "a bench that cannot be set up has nothing to measure")]

use std::hint::black_box;

use candle_nn::{AdamW, Optimizer, ParamsAdamW};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use noctop::model::adam::Adam;
use noctop::model::instructions::Instructions;
use noctop::model::kernel::{Given, INPUTS, SIDE};
use noctop::model::network::{Network, Sample, Shown};
use noctop::random::Random;
use noctop::series::WindowLength;

/// As in training.
const BATCH: usize = 256;
/// Names in the embeddings: a small fleet, and one in which the embeddings' tables are large.
const FLEETS: [(usize, usize); 2] = [(5, 50), (500, 10_000)];

fn sample(random: &mut Random, hosts: usize, interfaces: usize) -> Sample {
    let mut sequence = vec![[0.0; INPUTS]; WindowLength::default().slots()].into_boxed_slice();
    sequence.iter_mut().flatten().for_each(|v| *v = random.normal() as f32);
    let mut side = [0.0; SIDE];
    side.iter_mut().for_each(|v| *v = random.normal() as f32);
    let target = [random.normal() as f32, random.normal() as f32];
    let (host, interface) = (random.below(hosts + 1) as u32, random.below(interfaces + 1) as u32);
    Sample { sequence, side, target, host, interface }
}

/// One window to its four outputs, with each set of instructions that the processor has.
fn scoring(c: &mut Criterion) {
    let mut random = Random::new(1);
    let network = Network::new(2, 2, WindowLength::default(), &mut random).unwrap();
    let (weights, embeddings) = (network.weights().unwrap(), network.embeddings().unwrap());
    let one = sample(&mut random, 2, 2);
    let mut group = c.benchmark_group("score one window");
    group.throughput(Throughput::Elements(1));
    for instructions in Instructions::available() {
        let kernel = weights.kernel_for(instructions);
        let bias = kernel.gate_bias(&embeddings.of(1, 1));
        group.bench_function(instructions.label(), |b| {
            let given = Given { bias: &bias, sequence: &one.sequence, side: &one.side, output: None };
            b.iter(|| kernel.forward(black_box(&given)));
        });
    }
    group.finish();
}

/// Forward, backward and Adam for one batch; and the forward pass alone, as between epochs.
fn training(c: &mut Criterion) {
    let mut group = c.benchmark_group("train on 256 windows");
    group.throughput(Throughput::Elements(BATCH as u64));
    for (hosts, interfaces) in FLEETS {
        let mut random = Random::new(2);
        let network = Network::new(hosts, interfaces, WindowLength::default(), &mut random).unwrap();
        let mut adam = Adam::new(network.variables(), ParamsAdamW::default()).unwrap();
        let mut candles = AdamW::new(network.variables(), ParamsAdamW::default()).unwrap();
        let samples: Vec<Sample> = (0..BATCH).map(|_| sample(&mut random, hosts, interfaces)).collect();
        let batch: Vec<Shown<'_>> = samples.iter().map(Shown::from).collect();
        group.bench_function(format!("step, {interfaces} interfaces"), |b| {
            b.iter(|| adam.backward_step(&network.loss(black_box(&batch)).unwrap()).unwrap());
        });
        group.bench_function(format!("step with Candle's AdamW, {interfaces} interfaces"), |b| {
            b.iter(|| candles.backward_step(&network.loss(black_box(&batch)).unwrap()).unwrap());
        });
        group.bench_function(format!("loss, {interfaces} interfaces"), |b| {
            b.iter(|| network.loss(black_box(&batch)).unwrap().to_scalar::<f32>().unwrap());
        });
    }
    group.finish();
}

criterion_group!(benches, scoring, training);
criterion_main!(benches);
