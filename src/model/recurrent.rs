//! The LSTM over a whole sequence as one Candle operation.
//!
//! Made of Candle's own operations, a sequence is some 700 small tensors whose making costs far
//! more than their arithmetic. Here it is one: from input weights, recurrent weights and a
//! constant for each sample to the last state. The sequences are data without a gradient, so they
//! belong to the operation, and so does what the forward pass keeps for the backward one. All
//! else (embeddings, head, loss, optimiser) stays Candle's.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use candle_core::{CpuStorage, CustomOp3, Device, Error, Layout, Result, Shape, Tensor, bail};

use super::instructions::Instructions;
use super::kernel::{GATES, HIDDEN, INPUTS, Sequence, folded};
use super::lanes::{GIVEN, LANES, Lanes, UnitRow, fold, lanes};
use super::shard::{Backward, Forward, SAMPLES, Shard};

/// Threads, instructions, and memory that one batch leaves to the next: a batch's activations are
/// megabytes, which the allocator would give back to the system and take again for every step.
#[derive(Debug)]
pub(super) struct Workshop {
    slots: usize,
    threads: usize,
    instructions: Instructions,
    spare: Mutex<Vec<Shard>>,
}

impl Workshop {
    /// For sequences of that many slots, with all of the machine's processors.
    pub(super) fn new(slots: usize) -> Self {
        Self::with(slots, thread::available_parallelism().map_or(1, usize::from), Instructions::widest())
    }

    /// With that many threads. What is computed depends on neither.
    pub(super) fn with(slots: usize, threads: usize, instructions: Instructions) -> Self {
        Self { slots, threads, instructions, spare: Mutex::default() }
    }

    /// The last states of these sequences: [batch][HIDDEN]. `input` is [INPUTS][GATES], `recurrent`
    /// [HIDDEN][GATES], `constant` [batch][GATES].
    pub(super) fn last_state<'a>(
        self: &Arc<Self>,
        input: &Tensor,
        recurrent: &Tensor,
        constant: &Tensor,
        sequences: impl ExactSizeIterator<Item = &'a Sequence>,
    ) -> Result<Tensor> {
        let count = sequences.len().div_ceil(SAMPLES);
        let mut shards = {
            let mut spare = lock(&self.spare);
            let kept = spare.len().saturating_sub(count);
            spare.split_off(kept)
        };
        shards.resize_with(count, || Shard::new(self.slots));
        let mut sequences = sequences;
        shards.iter_mut().for_each(|shard| shard.fill(sequences.by_ref()));
        let tape = Mutex::new(Tape { shards, ready: false });
        input.apply_op3(recurrent, constant, Recurrent { workshop: Arc::clone(self), tape })
    }

    /// Does `work` on every shard. The threads take the next one as they get to it.
    fn each<T: Send>(&self, jobs: impl Iterator<Item = T> + Send, work: impl Fn(Instructions, T) + Sync) {
        let jobs = Mutex::new(jobs);
        let toil = || {
            loop {
                // A statement of its own, so that the lock is not held while working.
                let job = lock(&jobs).next();
                let Some(job) = job else { break };
                work(self.instructions, job);
            }
        };
        thread::scope(|scope| {
            for _ in 1..self.threads.min(8) {
                // Where there can be no thread, this one does it all.
                let _ = thread::Builder::new().name("lstm".into()).spawn_scoped(scope, toil);
            }
            toil();
        });
    }
}

/// One batch's way through the LSTM: one forward pass and at most one backward pass.
struct Recurrent {
    workshop: Arc<Workshop>,
    tape: Mutex<Tape>,
}

struct Tape {
    shards: Vec<Shard>,
    /// Whether the activations of a forward pass are there and not yet used up.
    ready: bool,
}

impl Drop for Recurrent {
    fn drop(&mut self) {
        let shards = std::mem::take(&mut lock(&self.tape).shards);
        lock(&self.workshop.spare).extend(shards);
    }
}

/// A thread that panicked ends the scope with that panic, so what a poisoned lock holds is never used.
fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl CustomOp3 for Recurrent {
    fn name(&self) -> &'static str {
        "lstm"
    }

    fn cpu_fwd(
        &self,
        input: &CpuStorage,
        input_layout: &Layout,
        recurrent: &CpuStorage,
        recurrent_layout: &Layout,
        constant: &CpuStorage,
        constant_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let mut tape = lock(&self.tape);
        let samples = tape.shards.iter().map(Shard::len).sum();
        let input = values(input, input_layout, (INPUTS, GATES))?;
        let recurrent = values(recurrent, recurrent_layout, (HIDDEN, GATES))?;
        let constant = values(constant, constant_layout, (samples, GATES))?;
        let weights = folded::<GIVEN>(input, recurrent);
        let mut states = vec![0.0f32; samples * HIDDEN];
        let jobs =
            tape.shards.iter_mut().zip(constant.chunks(SAMPLES * GATES)).zip(states.chunks_mut(SAMPLES * HIDDEN));
        self.workshop.each(jobs, |instructions, ((shard, constant), states)| {
            for (to, row) in shard.constant_mut().iter_mut().zip(constant.chunks_exact(GATES)) {
                *to = fold(lanes(row));
            }
            instructions.run(Forward { shard, weights: &weights });
            copy_out(states, shard.state());
        });
        tape.ready = true;
        Ok((CpuStorage::F32(states), Shape::from((samples, HIDDEN))))
    }

    fn bwd(
        &self,
        _input: &Tensor,
        recurrent: &Tensor,
        _constant: &Tensor,
        _states: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let mut tape = lock(&self.tape);
        if !std::mem::take(&mut tape.ready) {
            bail!("lstm: a second backward pass for one forward pass");
        }
        let turned = turned(&recurrent.flatten_all()?.to_vec1::<f32>()?);
        let gradient = gradient.flatten_all()?.to_vec1::<f32>()?;
        let mut constant = vec![0.0f32; gradient.len() / HIDDEN * GATES];
        let jobs =
            tape.shards.iter_mut().zip(gradient.chunks(SAMPLES * HIDDEN)).zip(constant.chunks_mut(SAMPLES * GATES));
        self.workshop.each(jobs, |instructions, ((shard, gradient), constant)| {
            for (to, row) in shard.state_mut().iter_mut().zip(gradient.chunks_exact(HIDDEN)) {
                *to = lanes(row);
            }
            instructions.run(Backward { shard, turned: &turned });
            copy_out(constant, shard.constant());
        });
        // In the order of the shards, whoever worked on them.
        let mut weights = vec![0.0f32; GIVEN * GATES];
        for shard in &tape.shards {
            let parts = shard.weights().as_flattened();
            for (sums, part) in weights.chunks_exact_mut(LANES).zip(parts) {
                sums.iter_mut().zip(&part.0).for_each(|(sum, v)| *sum += v);
            }
        }
        let recurrent = weights.split_off(INPUTS * GATES);
        let samples = constant.len() / GATES;
        Ok((
            Some(Tensor::from_vec(weights, (INPUTS, GATES), &Device::Cpu)?),
            Some(Tensor::from_vec(recurrent, (HIDDEN, GATES), &Device::Cpu)?),
            Some(Tensor::from_vec(constant, (samples, GATES), &Device::Cpu)?),
        ))
    }
}

/// A tensor's numbers, where it has this shape and lies in one piece.
fn values<'a>(storage: &'a CpuStorage, layout: &Layout, shape: (usize, usize)) -> Result<&'a [f32]> {
    if layout.dims() != [shape.0, shape.1] {
        bail!("lstm: shape {:?} where {shape:?} is wanted", layout.dims());
    }
    let (start, end) = layout.contiguous_offsets().ok_or(Error::RequiresContiguous { op: "lstm" })?;
    Ok(&storage.as_slice::<f32>()?[start..end])
}

fn copy_out<const N: usize>(to: &mut [f32], rows: &[[Lanes; N]]) {
    for (to, lanes) in to.chunks_exact_mut(LANES).zip(rows.as_flattened()) {
        to.copy_from_slice(&lanes.0);
    }
}

/// [HIDDEN][GATES] turned to [GATES][HIDDEN].
fn turned(recurrent: &[f32]) -> Box<[UnitRow; GATES]> {
    let mut out = Box::new([[Lanes::ZERO; HIDDEN / LANES]; GATES]);
    for (u, row) in recurrent.chunks_exact(GATES).enumerate() {
        for (to, w) in out.iter_mut().zip(row) {
            to[u / LANES].0[u % LANES] = *w;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;
    use candle_core::{D, Var};
    use candle_nn::ops::sigmoid;

    const SLOTS: usize = 17;

    struct Problem {
        input: Var,
        recurrent: Var,
        constant: Var,
        sequences: Vec<Box<Sequence>>,
        /// What each state counts in the loss.
        pull: Tensor,
    }

    impl Problem {
        fn new(samples: usize, seed: u64) -> Self {
            let mut random = Random::new(seed);
            let mut draw = |rows: usize, columns: usize, size: f64| {
                let values: Vec<f32> = (0..rows * columns).map(|_| (random.normal() * size) as f32).collect();
                Tensor::from_vec(values, (rows, columns), &Device::Cpu).unwrap()
            };
            let var = |t: Tensor| Var::from_tensor(&t).unwrap();
            let (input, recurrent) = (var(draw(INPUTS, GATES, 0.3)), var(draw(HIDDEN, GATES, 0.2)));
            let (constant, pull) = (var(draw(samples, GATES, 0.5)), draw(samples, HIDDEN, 1.0));
            let sequences = (0..samples)
                .map(|_| {
                    let mut sequence = vec![[0.0; INPUTS]; SLOTS].into_boxed_slice();
                    sequence.iter_mut().flatten().for_each(|v| *v = random.normal() as f32);
                    sequence
                })
                .collect();
            Self { input, recurrent, constant, sequences, pull }
        }

        fn state(&self, workshop: &Arc<Workshop>) -> Tensor {
            workshop
                .last_state(&self.input, &self.recurrent, &self.constant, self.sequences.iter().map(|s| &**s))
                .unwrap()
        }

        fn loss(&self, state: &Tensor) -> Tensor {
            (state * &self.pull).unwrap().sum_all().unwrap()
        }

        fn gradients(&self, state: &Tensor) -> [Vec<f32>; 3] {
            let gradients = self.loss(state).backward().unwrap();
            [&self.input, &self.recurrent, &self.constant]
                .map(|v| gradients.get(v).unwrap().flatten_all().unwrap().to_vec1().unwrap())
        }

        /// The same made of Candle's own operations.
        fn plain(&self) -> Result<Tensor> {
            let n = self.sequences.len();
            let (mut hidden, mut cell) = (self.pull.zeros_like()?, self.pull.zeros_like()?);
            for t in 0..SLOTS {
                let slot: Vec<f32> = self.sequences.iter().flat_map(|s| s[t]).collect();
                let slot = Tensor::from_vec(slot, (n, INPUTS), &Device::Cpu)?;
                let gates = ((slot.matmul(&self.input)? + hidden.matmul(&self.recurrent)?)? + &*self.constant)?;
                let gate = |g: usize| gates.narrow(D::Minus1, g * HIDDEN, HIDDEN);
                cell = ((sigmoid(&gate(1)?)? * cell)? + (sigmoid(&gate(0)?)? * gate(2)?.tanh()?)?)?;
                hidden = (sigmoid(&gate(3)?)? * cell.tanh()?)?;
            }
            Ok(hidden)
        }
    }

    fn values(of: &Tensor) -> Vec<f32> {
        of.flatten_all().unwrap().to_vec1().unwrap()
    }

    #[test]
    fn states_and_gradients_are_those_of_candles_own_operations() {
        // One shard that is not full, one that is, and several.
        for samples in [1, 6, 32, 75] {
            let problem = Problem::new(samples, samples as u64);
            let (state, plain) = (problem.state(&Arc::new(Workshop::new(SLOTS))), problem.plain().unwrap());
            for (got, want) in values(&state).iter().zip(values(&plain)) {
                assert!((got - want).abs() < 2e-6, "state {got}, plain {want}");
            }
            let (got, want) = (problem.gradients(&state), problem.gradients(&plain));
            for (name, (got, want)) in ["input", "recurrent", "constant"].iter().zip(got.iter().zip(&want)) {
                assert_eq!(got.len(), want.len(), "{name}");
                let size = want.iter().fold(0.0f32, |m, v| m.max(v.abs()));
                let worst = got.iter().zip(want).fold(0.0f32, |m, (a, b)| m.max((a - b).abs()));
                assert!(size > 0.1 && worst <= 1e-5 * size, "{name}: off by {worst}, the largest is {size}");
            }
        }
    }

    #[test]
    fn gradients_are_those_of_finite_differences() {
        let problem = Problem::new(5, 7);
        let workshop = Arc::new(Workshop::new(SLOTS));
        let gradients = problem.gradients(&problem.state(&workshop));
        let loss = || {
            // In double precision: a sum of floats would round away what is looked for.
            let (state, pull) = (values(&problem.state(&workshop)), values(&problem.pull));
            state.iter().zip(&pull).map(|(s, p)| f64::from(*s) * f64::from(*p)).sum::<f64>()
        };
        for (variable, gradient) in [&problem.input, &problem.recurrent, &problem.constant].iter().zip(&gradients) {
            let start = values(variable);
            for i in (0..start.len()).step_by(97) {
                let at = |by: f32| {
                    let mut moved = start.clone();
                    moved[i] += by;
                    variable.set(&Tensor::from_vec(moved, variable.shape(), &Device::Cpu).unwrap()).unwrap();
                    loss()
                };
                let slope = (at(5e-3) - at(-5e-3)) / 1e-2;
                at(0.0);
                let error = (slope - f64::from(gradient[i])).abs();
                assert!(error < 2e-3 * slope.abs().max(1.0), "{i}: {slope} against {}", gradient[i]);
            }
        }
    }

    #[test]
    fn neither_threads_nor_instructions_nor_what_was_computed_before_change_a_bit() {
        let problem = Problem::new(75, 3);
        let bits = |workshop: &Arc<Workshop>| {
            let state = problem.state(workshop);
            let gradients = problem.gradients(&state).concat();
            values(&state).into_iter().chain(gradients).map(f32::to_bits).collect::<Vec<u32>>()
        };
        let want = bits(&Arc::new(Workshop::with(SLOTS, 1, Instructions::PORTABLE)));
        for instructions in Instructions::available() {
            for threads in [1, 2, 5] {
                let workshop = Arc::new(Workshop::with(SLOTS, threads, instructions));
                assert!(bits(&workshop) == want, "{} with {threads} threads", instructions.label());
                Problem::new(90, 4).state(&workshop);
                assert!(bits(&workshop) == want, "{} with memory of another batch", instructions.label());
            }
        }
    }

    #[test]
    fn a_samples_state_does_not_depend_on_its_batch() {
        let mut problem = Problem::new(40, 5);
        let workshop = Arc::new(Workshop::new(SLOTS));
        let whole = values(&problem.state(&workshop));
        problem.sequences.drain(..39);
        problem.constant = Var::from_tensor(&problem.constant.narrow(0, 39, 1).unwrap()).unwrap();
        assert_eq!(values(&problem.state(&workshop)), whole[39 * HIDDEN..]);
    }

    #[test]
    fn activations_are_used_once_and_their_memory_again() {
        let problem = Problem::new(40, 6);
        let workshop = Arc::new(Workshop::new(SLOTS));
        let state = problem.state(&workshop);
        problem.gradients(&state);
        assert!(problem.loss(&state).backward().is_err());
        drop(state);
        assert_eq!(lock(&workshop.spare).len(), 2);
        let _second = problem.state(&workshop);
        assert_eq!(lock(&workshop.spare).len(), 0);
    }

    #[test]
    fn a_wrong_shape_is_an_error() {
        let problem = Problem::new(2, 8);
        let workshop = Arc::new(Workshop::new(SLOTS));
        let said = workshop.last_state(&problem.input, &problem.recurrent, &problem.constant, std::iter::empty());
        assert!(said.unwrap_err().to_string().contains("lstm: shape"));
    }
}
