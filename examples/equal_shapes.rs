//! The recurrent kernel at the shapes of the usual Python pipeline, to be compared with it: an LSTM of 64
//! units over 24 slots of maximum and mean, its last state beside an embedding of the interface (4), a
//! dense layer of 32, two outputs; batches of 256, the mean square, Adam, one epoch; then every window
//! of other rows to its two forecasts. `benches/keras.py` runs both in turn.
//!
//! ```text
//! cargo run --release --example equal_shapes -- CASE
//! ```
//!
//! `CASE` holds the directories `train` and `test`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context as _, ensure};
use candle_core::{D, DType, Device, Tensor, Var};
use candle_nn::{Optimizer as _, ParamsAdamW};
use noctop::ingest::{ReadOptions, Root, Tailer};
use noctop::model::adam::Adam;
use noctop::model::body::{Asked, Body};
use noctop::model::dense::{Squash, dense};
use noctop::model::instructions::Instructions;
use noctop::model::lstm::{Gates, LANES, Lstm, TOGETHER};
use noctop::model::recurrent::Workshop;
use noctop::random::Random;
use noctop::series::InterfaceName;

const SLOTS: usize = 24;
const INPUTS: usize = 2;
const BLOCKS: usize = 4;
const UNITS: usize = Lstm::<INPUTS, BLOCKS>::UNITS;
const GATES: usize = Lstm::<INPUTS, BLOCKS>::GATES;
const EMBEDDING: usize = 4;
const DENSE: usize = 32;
const BATCH: usize = 256;
/// Windows that a thread scores at once.
const AT_ONCE: usize = 4096;

type Slot = [f32; INPUTS];

/// An interface's values in the order of their slots.
type Series = BTreeMap<InterfaceName, Vec<Slot>>;

/// The slots before a row, the row, and whose it is.
#[derive(Clone, Copy)]
struct Window<'a> {
    slots: &'a [Slot],
    answer: Slot,
    interface: u32,
}

fn main() -> anyhow::Result<()> {
    let case = std::env::args_os().nth(1).map(PathBuf::from).context("name a directory with train and test in it")?;
    let (mut train, mut test) = (read(&case.join("train"))?, read(&case.join("test"))?);
    scale(&mut train, &mut test);
    let names: Vec<&InterfaceName> = train.keys().collect();
    let (learnt, scored) = (windows(&train, &names), windows(&test, &names));
    ensure!(learnt.len() > 2 * BATCH && scored.len() > AT_ONCE, "too few rows to measure anything");

    let network = Network::new(names.len())?;
    let mut order: Vec<usize> = (0..learnt.len()).collect();
    let mut random = Random::new(1);
    let mut adam = Adam::new(network.variables(), ParamsAdamW { weight_decay: 0.0, ..Default::default() })?;
    let mut learn = |order: &[usize]| -> anyhow::Result<()> {
        for batch in order.chunks(BATCH) {
            let batch: Vec<Window<'_>> = batch.iter().map(|i| learnt[*i]).collect();
            adam.backward_step(&network.loss(&batch)?)?;
        }
        Ok(())
    };
    // Warm up, left out.
    learn(&order[..2 * BATCH])?;
    network.score(&scored[..AT_ONCE])?;

    let start = Instant::now();
    random.shuffle(&mut order);
    learn(&order)?;
    let training = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let forecasts = network.score(&scored)?;
    let scoring = start.elapsed().as_secs_f64();
    // Both ways compute the same, or there is nothing to compare.
    let candles = network.forward(&scored[..BATCH])?.to_vec2::<f32>()?;
    for (kernel, candle) in forecasts.iter().flatten().zip(candles.iter().flatten()) {
        ensure!((kernel - candle).abs() < 1e-3 * candle.abs().max(1.0), "the kernel says {kernel}, Candle {candle}");
    }
    println!(
        "train {:.0} windows/s   score {:.0} windows/s",
        learnt.len() as f64 / training,
        scored.len() as f64 / scoring
    );
    Ok(())
}

fn read(dir: &Path) -> anyhow::Result<Series> {
    let mut tailer = Tailer::new(vec![(Root::Data, dir.to_owned())], ReadOptions::default())?;
    let (mut names, mut rows) = (Vec::new(), Vec::new());
    loop {
        let batch = tailer.finish();
        names.extend(batch.names);
        rows.extend(batch.rows);
        if batch.caught_up {
            break;
        }
    }
    rows.sort_by_key(|row| row.time);
    let mut series = Series::new();
    for row in rows {
        series.entry(names[row.interface.index()].clone()).or_default().push([row.max as f32, row.mean as f32]);
    }
    Ok(series)
}

/// Each interface's values over the spread of those to learn from, around their median.
fn scale(train: &mut Series, test: &mut Series) {
    for (name, learnt) in train {
        let mut of = Vec::from([&mut *learnt]);
        of.extend(test.get_mut(name));
        for c in 0..INPUTS {
            let mut sorted: Vec<f32> = of[0].iter().map(|slot| slot[c]).collect();
            sorted.sort_by(f32::total_cmp);
            let quantile = |p: f64| sorted[((sorted.len() - 1) as f64 * p) as usize];
            let (middle, spread) = (quantile(0.5), quantile(0.75) - quantile(0.25) + 1e-6);
            of.iter_mut().flat_map(|slots| slots.iter_mut()).for_each(|slot| slot[c] = (slot[c] - middle) / spread);
        }
    }
}

fn windows<'a>(series: &'a Series, names: &[&InterfaceName]) -> Vec<Window<'a>> {
    let mut all = Vec::new();
    for (name, slots) in series {
        let Ok(interface) = names.binary_search(&name) else { continue };
        let answered = slots.windows(SLOTS).zip(&slots[SLOTS.min(slots.len())..]);
        all.extend(answered.map(|(slots, answer)| Window { slots, answer: *answer, interface: interface as u32 }));
    }
    all
}

struct Network {
    input: Var,
    recurrent: Var,
    bias: Var,
    embedding: Var,
    dense: Var,
    dense_bias: Var,
    output: Var,
    output_bias: Var,
    workshop: Arc<Workshop<INPUTS, BLOCKS>>,
}

impl Network {
    fn new(interfaces: usize) -> candle_core::Result<Self> {
        let mut random = Random::new(2);
        let mut draw = |rows: usize, columns: usize| {
            let bound = libm::sqrt(6.0 / (rows + columns) as f64);
            let values: Vec<f32> = (0..rows * columns).map(|_| random.between(-bound, bound) as f32).collect();
            Var::from_vec(values, (rows, columns), &Device::Cpu)
        };
        let zeros = |n: usize| Var::zeros((1, n), DType::F32, &Device::Cpu);
        let mut bias = vec![0.0f32; GATES];
        bias[UNITS..2 * UNITS].fill(1.0);
        Ok(Self {
            input: draw(INPUTS, GATES)?,
            recurrent: draw(UNITS, GATES)?,
            bias: Var::from_vec(bias, (1, GATES), &Device::Cpu)?,
            embedding: draw(interfaces, EMBEDDING)?,
            dense: draw(UNITS + EMBEDDING, DENSE)?,
            dense_bias: zeros(DENSE)?,
            output: draw(DENSE, INPUTS)?,
            output_bias: zeros(INPUTS)?,
            workshop: Arc::new(Workshop::new(SLOTS)),
        })
    }

    fn variables(&self) -> Vec<Var> {
        let Self { input, recurrent, bias, embedding, dense, dense_bias, output, output_bias, .. } = self;
        [input, recurrent, bias, embedding, dense, dense_bias, output, output_bias].map(Clone::clone).to_vec()
    }

    fn forward(&self, batch: &[Window<'_>]) -> candle_core::Result<Tensor> {
        let slots = batch.iter().map(|w| w.slots);
        let states = self.workshop.last_state(&self.input, &self.recurrent, &self.bias, slots)?;
        let ids: Vec<u32> = batch.iter().map(|w| w.interface).collect();
        let embedding = self.embedding.index_select(&Tensor::from_vec(ids, batch.len(), &Device::Cpu)?, 0)?;
        let features = Tensor::cat(&[states, embedding], D::Minus1)?;
        let hidden = dense(&features, &self.dense, &self.dense_bias, Squash::Tanh)?;
        dense(&hidden, &self.output, &self.output_bias, Squash::None)
    }

    fn loss(&self, batch: &[Window<'_>]) -> candle_core::Result<Tensor> {
        let answers: Vec<f32> = batch.iter().flat_map(|w| w.answer).collect();
        let answers = Tensor::from_vec(answers, (batch.len(), INPUTS), &Device::Cpu)?;
        (self.forward(batch)? - answers)?.sqr()?.mean_all()
    }

    /// The forecasts for all windows, by all processors.
    fn score(&self, windows: &[Window<'_>]) -> anyhow::Result<Vec<Slot>> {
        let values = |of: &Var| of.flatten_all()?.to_vec1::<f32>();
        let lstm = Lstm::<INPUTS, BLOCKS>::new(&values(&self.input)?, &values(&self.recurrent)?);
        let scorer = Scorer {
            body: Body::new(lstm, &values(&self.dense)?, &values(&self.dense_bias)?),
            constant: Lstm::<INPUTS, BLOCKS>::constant(&values(&self.bias)?),
            embedding: self.embedding.to_vec2()?,
            output: self.output.to_vec2()?,
            output_bias: values(&self.output_bias)?,
            instructions: Instructions::widest(),
        };
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let mut forecasts = vec![[0.0; INPUTS]; windows.len()];
        let pieces = Mutex::new(windows.chunks(AT_ONCE).zip(forecasts.chunks_mut(AT_ONCE)));
        let work = || {
            loop {
                let piece = pieces.lock().unwrap_or_else(PoisonError::into_inner).next();
                let Some((windows, forecasts)) = piece else { break };
                scorer.score(windows, forecasts);
            }
        };
        std::thread::scope(|scope| (0..threads).for_each(|_| _ = scope.spawn(work)));
        Ok(forecasts)
    }
}

/// The network's weights in the form that scoring takes.
struct Scorer {
    body: Body<INPUTS, BLOCKS, EMBEDDING, { DENSE / LANES }>,
    constant: Gates<BLOCKS>,
    embedding: Vec<Vec<f32>>,
    output: Vec<Vec<f32>>,
    output_bias: Vec<f32>,
    instructions: Instructions,
}

impl Scorer {
    fn score(&self, windows: &[Window<'_>], forecasts: &mut [Slot]) {
        for (windows, forecasts) in windows.chunks(TOGETHER).zip(forecasts.chunks_mut(TOGETHER)) {
            let mut sides = [[0.0; EMBEDDING]; TOGETHER];
            for (side, window) in sides.iter_mut().zip(windows) {
                side.copy_from_slice(&self.embedding[window.interface as usize]);
            }
            // The last ones may be fewer: some then go along for nothing.
            let asked = std::array::from_fn(|w| {
                let window = windows[w.min(windows.len() - 1)].slots;
                Asked { constant: &self.constant, window, side: &sides[w] }
            });
            let dense = self.body.says::<TOGETHER>(self.instructions, asked);
            for (forecast, dense) in forecasts.iter_mut().zip(&dense) {
                forecast.copy_from_slice(&self.output_bias);
                for (x, weights) in dense.as_flattened().iter().zip(&self.output) {
                    forecast.iter_mut().zip(weights).for_each(|(sum, w)| *sum += x * w);
                }
            }
        }
    }
}
