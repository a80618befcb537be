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

use super::crew::Crew;
use super::instructions::Instructions;
use super::lanes::{Gates, LANES};
use super::lstm::Lstm;
use super::shard::{Backward, Forward, SAMPLES, Shard, Turned};

/// Threads, instructions, and memory that one batch leaves to the next: a batch's activations are
/// megabytes, which the allocator would give back to the system and take again for every step.
#[derive(Debug)]
pub struct Workshop<const INPUTS: usize, const BLOCKS: usize> {
    slots: usize,
    crew: Crew,
    instructions: Instructions,
    spare: Mutex<Vec<Shard<INPUTS, BLOCKS>>>,
}

impl<const INPUTS: usize, const BLOCKS: usize> Workshop<INPUTS, BLOCKS> {
    const UNITS: usize = Lstm::<INPUTS, BLOCKS>::UNITS;
    const GATES: usize = Lstm::<INPUTS, BLOCKS>::GATES;

    /// For windows of that many slots, with all of the machine's processors.
    pub fn new(slots: usize) -> Self {
        Self::with(slots, thread::available_parallelism().map_or(1, usize::from), Instructions::widest())
    }

    /// With that many threads. What is computed depends on neither.
    pub fn with(slots: usize, threads: usize, instructions: Instructions) -> Self {
        Self { slots, crew: Crew::of(threads), instructions, spare: Mutex::default() }
    }

    /// The last states of these windows: `[batch][UNITS]`. `input` is `[INPUTS][GATES]`, `recurrent`
    /// `[UNITS][GATES]`, `constant` `[batch][GATES]`, or `[1][GATES]` for all of them.
    ///
    /// # Errors
    /// When a tensor has another shape, is on another device, or does not lie in one piece.
    pub fn last_state<'a>(
        self: &Arc<Self>,
        input: &Tensor,
        recurrent: &Tensor,
        constant: &Tensor,
        windows: impl ExactSizeIterator<Item = &'a [[f32; INPUTS]]>,
    ) -> Result<Tensor> {
        let count = windows.len().div_ceil(SAMPLES);
        let mut shards = {
            let mut spare = lock(&self.spare);
            let kept = spare.len().saturating_sub(count);
            spare.split_off(kept)
        };
        shards.resize_with(count, || Shard::new(self.slots));
        let mut windows = windows;
        shards.iter_mut().for_each(|shard| shard.fill(windows.by_ref()));
        let tape = Mutex::new(Tape { shards, ready: false });
        let shared = constant.dims().first() == Some(&1);
        input.apply_op3(recurrent, constant, Recurrent { workshop: Arc::clone(self), shared, tape })
    }
}

/// One batch's way through the LSTM: one forward pass and at most one backward pass.
struct Recurrent<const INPUTS: usize, const BLOCKS: usize> {
    workshop: Arc<Workshop<INPUTS, BLOCKS>>,
    /// Whether all samples have one constant.
    shared: bool,
    tape: Mutex<Tape<INPUTS, BLOCKS>>,
}

struct Tape<const INPUTS: usize, const BLOCKS: usize> {
    shards: Vec<Shard<INPUTS, BLOCKS>>,
    /// Whether the activations of a forward pass are there and not yet used up.
    ready: bool,
}

impl<const INPUTS: usize, const BLOCKS: usize> Drop for Recurrent<INPUTS, BLOCKS> {
    fn drop(&mut self) {
        let shards = std::mem::take(&mut lock(&self.tape).shards);
        lock(&self.workshop.spare).extend(shards);
    }
}

/// Where a thread panicked the panic goes on, so what a poisoned lock holds is never used.
fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<const INPUTS: usize, const BLOCKS: usize> CustomOp3 for Recurrent<INPUTS, BLOCKS> {
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
        let (units, gates) = (Workshop::<INPUTS, BLOCKS>::UNITS, Workshop::<INPUTS, BLOCKS>::GATES);
        let samples = tape.shards.iter().map(Shard::len).sum();
        let input = values("lstm", input, input_layout, (INPUTS, gates))?;
        let recurrent = values("lstm", recurrent, recurrent_layout, (units, gates))?;
        let shared = self.shared;
        let constant = values("lstm", constant, constant_layout, (if shared { 1 } else { samples }, gates))?;
        let (lstm, constant, instructions) =
            (Lstm::new(input, recurrent), constant.to_vec(), self.workshop.instructions);
        let shards = std::mem::take(&mut tape.shards);
        tape.shards = self.workshop.crew.each(shards, move |place, shard| {
            let constants = if shared { &constant } else { &constant[place * SAMPLES * gates..] };
            let rows = constants.chunks_exact(gates).map(Lstm::<INPUTS, BLOCKS>::constant);
            if shared {
                shard.set_constants(rows.cycle())
            } else {
                shard.set_constants(rows)
            };
            instructions.run(Forward { shard, lstm: &lstm });
        });
        tape.ready = true;
        let mut states = Vec::with_capacity(samples * units);
        for shard in &tape.shards {
            states.extend_from_slice(shard.last_states().as_flattened().as_flattened());
        }
        Ok((CpuStorage::F32(states), Shape::from((samples, units))))
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
        let (units, gates) = (Workshop::<INPUTS, BLOCKS>::UNITS, Workshop::<INPUTS, BLOCKS>::GATES);
        let turned = Turned::new(&recurrent.flatten_all()?.to_vec1::<f32>()?, units);
        let gradient = gradient.flatten_all()?.to_vec1::<f32>()?;
        let (shared, instructions) = (self.shared, self.workshop.instructions);
        let shards = std::mem::take(&mut tape.shards).into_iter().map(|shard| (shard, Vec::new())).collect();
        let shards = self.workshop.crew.each(shards, move |place, (shard, constants)| {
            shard.set_state_gradients(gradient[place * SAMPLES * units..].chunks_exact(units));
            instructions.run(Backward { shard, turned: &turned });
            constants.resize(if shared { 1 } else { shard.len() } * gates, 0.0f32);
            for s in 0..shard.len() {
                let to = if shared { 0 } else { s * gates };
                add_row(&mut constants[to..][..gates], &shard.constant_gradient(s));
            }
        });
        // In the order of the shards, whoever worked on them.
        let mut weights = vec![0.0f32; (INPUTS + units) * gates];
        let mut constant = if shared { vec![0.0; gates] } else { Vec::new() };
        for (shard, constants) in shards {
            weights.chunks_exact_mut(gates).zip(shard.weight_gradients()).for_each(|(to, row)| add_row(to, &row));
            if shared {
                constant.iter_mut().zip(&constants).for_each(|(to, v)| *to += v);
            } else {
                constant.extend(constants);
            }
            tape.shards.push(shard);
        }
        let recurrent = weights.split_off(INPUTS * gates);
        let samples = constant.len() / gates;
        Ok((
            Some(Tensor::from_vec(weights, (INPUTS, gates), &Device::Cpu)?),
            Some(Tensor::from_vec(recurrent, (units, gates), &Device::Cpu)?),
            Some(Tensor::from_vec(constant, (samples, gates), &Device::Cpu)?),
        ))
    }
}

/// A tensor's numbers for an operation, where it has this shape and lies in one piece.
pub(super) fn values<'a>(
    name: &'static str,
    storage: &'a CpuStorage,
    layout: &Layout,
    shape: (usize, usize),
) -> Result<&'a [f32]> {
    if layout.dims() != [shape.0, shape.1] {
        bail!("{name}: shape {:?} where {shape:?} is wanted", layout.dims());
    }
    let (start, end) = layout.contiguous_offsets().ok_or(Error::RequiresContiguous { op: name })?;
    Ok(&storage.as_slice::<f32>()?[start..end])
}

/// Adds a row of gates to one as matrices have it: the reverse of what [`Lstm::new`] does.
fn add_row<const BLOCKS: usize>(to: &mut [f32], row: &Gates<BLOCKS>) {
    let units = BLOCKS * LANES;
    for (block, quad) in row.iter().enumerate() {
        for (gate, lanes) in quad.iter().enumerate() {
            let to = &mut to[gate * units + block * LANES..][..LANES];
            to.iter_mut().zip(&lanes.0).for_each(|(to, v)| *to += v);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;
    use candle_core::{D, DType, Var};
    use candle_nn::ops::sigmoid;
    use candle_nn::{LSTMConfig, RNN as _, VarBuilder};

    const SLOTS: usize = 17;

    /// Of the shape that is scored with. Another, whose weights do not fit into the first-level cache, is
    /// that of two inputs and 64 units.
    type Small = Problem<9, 2>;

    struct Problem<const INPUTS: usize, const BLOCKS: usize> {
        input: Var,
        recurrent: Var,
        constant: Var,
        windows: Vec<Vec<[f32; INPUTS]>>,
        /// What each state counts in the loss.
        pull: Tensor,
    }

    impl<const INPUTS: usize, const BLOCKS: usize> Problem<INPUTS, BLOCKS> {
        const HIDDEN: usize = Lstm::<INPUTS, BLOCKS>::UNITS;
        const GATES: usize = Lstm::<INPUTS, BLOCKS>::GATES;

        fn workshop(instructions: Instructions, threads: usize) -> Arc<Workshop<INPUTS, BLOCKS>> {
            Arc::new(Workshop::with(SLOTS, threads, instructions))
        }

        fn new(samples: usize, seed: u64) -> Self {
            let mut random = Random::new(seed);
            let mut draw = |rows: usize, columns: usize, size: f64| {
                let values: Vec<f32> = (0..rows * columns).map(|_| (random.normal() * size) as f32).collect();
                Tensor::from_vec(values, (rows, columns), &Device::Cpu).unwrap()
            };
            let var = |t: Tensor| Var::from_tensor(&t).unwrap();
            let (input, recurrent) = (var(draw(INPUTS, Self::GATES, 0.3)), var(draw(Self::HIDDEN, Self::GATES, 0.2)));
            let (constant, pull) = (var(draw(samples, Self::GATES, 0.5)), draw(samples, Self::HIDDEN, 1.0));
            let mut window = || (0..SLOTS).map(|_| [0; INPUTS].map(|_| random.normal() as f32)).collect();
            let windows = (0..samples).map(|_| window()).collect();
            Self { input, recurrent, constant, windows, pull }
        }

        fn state(&self, workshop: &Arc<Workshop<INPUTS, BLOCKS>>) -> Tensor {
            workshop
                .last_state(&self.input, &self.recurrent, &self.constant, self.windows.iter().map(|w| &w[..]))
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

        /// The same by candle-nn's own LSTM.
        fn by_candle_nn(&self) -> Result<Tensor> {
            let given = [
                ("weight_ih_l0", self.input.t()?),
                ("weight_hh_l0", self.recurrent.t()?),
                ("bias_ih_l0", self.constant.narrow(0, 0, 1)?.squeeze(0)?),
                ("bias_hh_l0", Tensor::zeros(Self::GATES, DType::F32, &Device::Cpu)?),
            ];
            let given = given.map(|(name, tensor)| (name.to_string(), tensor)).into();
            let given = VarBuilder::from_tensors(given, DType::F32, &Device::Cpu);
            let lstm = candle_nn::lstm(INPUTS, Self::HIDDEN, LSTMConfig::default(), given)?;
            let windows: Vec<f32> = self.windows.iter().flatten().flatten().copied().collect();
            let windows = Tensor::from_vec(windows, (self.windows.len(), SLOTS, INPUTS), &Device::Cpu)?;
            Ok(lstm.seq(&windows)?.pop().unwrap().h().clone())
        }

        /// The same made of Candle's own operations.
        fn plain(&self) -> Result<Tensor> {
            let n = self.windows.len();
            let (mut hidden, mut cell) = (self.pull.zeros_like()?, self.pull.zeros_like()?);
            for t in 0..SLOTS {
                let slot: Vec<f32> = self.windows.iter().flat_map(|w| w[t]).collect();
                let slot = Tensor::from_vec(slot, (n, INPUTS), &Device::Cpu)?;
                let gates = ((slot.matmul(&self.input)? + hidden.matmul(&self.recurrent)?)? + &*self.constant)?;
                let gate = |g: usize| gates.narrow(D::Minus1, g * Self::HIDDEN, Self::HIDDEN);
                cell = ((sigmoid(&gate(1)?)? * cell)? + (sigmoid(&gate(0)?)? * gate(2)?.tanh()?)?)?;
                hidden = (sigmoid(&gate(3)?)? * cell.tanh()?)?;
            }
            Ok(hidden)
        }
    }

    fn values(of: &Tensor) -> Vec<f32> {
        of.flatten_all().unwrap().to_vec1().unwrap()
    }

    /// Whether states are the same but for rounding, and gradients to a hundred-thousandth of the largest.
    fn assert_alike<const I: usize, const B: usize>(problem: &Problem<I, B>, state: &Tensor, plain: &Tensor) {
        for (got, want) in values(state).iter().zip(values(plain)) {
            assert!((got - want).abs() < 2e-6, "state {got}, plain {want}");
        }
        let (got, want) = (problem.gradients(state), problem.gradients(plain));
        for (name, (got, want)) in ["input", "recurrent", "constant"].iter().zip(got.iter().zip(&want)) {
            assert_eq!(got.len(), want.len(), "{name}");
            let size = want.iter().fold(0.0f32, |m, v| m.max(v.abs()));
            let worst = got.iter().zip(want).fold(0.0f32, |m, (a, b)| m.max((a - b).abs()));
            assert!(size > 0.1 && worst <= 1e-5 * size, "{name}: off by {worst}, the largest is {size}");
        }
    }

    fn check_against_candle<const I: usize, const B: usize>() {
        for instructions in Instructions::available() {
            // One shard that is not full, one that is, and several.
            for samples in [1, 6, 32, 75] {
                let problem = Problem::<I, B>::new(samples, samples as u64);
                let state = problem.state(&Problem::workshop(instructions, 2));
                assert_alike(&problem, &state, &problem.plain().unwrap());
            }
            // Candle-nn's has one bias for all samples.
            let problem = Problem::<I, B>::new(1, 9);
            let state = problem.state(&Problem::workshop(instructions, 1));
            assert_alike(&problem, &state, &problem.by_candle_nn().unwrap());
        }
    }

    #[test]
    fn states_and_gradients_are_those_of_candles_own() {
        check_against_candle::<9, 2>();
        check_against_candle::<2, 4>();
    }

    #[test]
    fn one_constant_for_all_samples_is_that_of_each() {
        let mut problem = Small::new(75, 12);
        problem.constant = Var::from_tensor(&problem.constant.narrow(0, 0, 1).unwrap()).unwrap();
        let one = problem.constant.clone();
        let workshop = Arc::new(Workshop::new(SLOTS));
        let state = problem.state(&workshop);
        let gradients = problem.gradients(&state);
        problem.constant = Var::from_tensor(&one.broadcast_as((75, Small::GATES)).unwrap()).unwrap();
        let each = problem.state(&workshop);
        assert_eq!(values(&state), values(&each));
        let of_each = problem.gradients(&each);
        assert_eq!(gradients[..2], of_each[..2]);
        for (column, got) in gradients[2].iter().enumerate() {
            let want: f32 = of_each[2].iter().skip(column).step_by(Small::GATES).sum();
            assert!((got - want).abs() < 1e-4 * want.abs().max(1.0), "{column}: {got}, summed {want}");
        }
    }

    fn check_by_differences<const I: usize, const B: usize>(instructions: Instructions, step: usize) {
        let problem = Problem::<I, B>::new(5, 7);
        let workshop = Problem::workshop(instructions, 1);
        let gradients = problem.gradients(&problem.state(&workshop));
        let loss = || {
            // In double precision: a sum of floats would round away what is looked for.
            let (state, pull) = (values(&problem.state(&workshop)), values(&problem.pull));
            state.iter().zip(&pull).map(|(s, p)| f64::from(*s) * f64::from(*p)).sum::<f64>()
        };
        for (variable, gradient) in [&problem.input, &problem.recurrent, &problem.constant].iter().zip(&gradients) {
            let start = values(variable);
            for i in (0..start.len()).step_by(step) {
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
    fn gradients_are_those_of_finite_differences() {
        for instructions in Instructions::available() {
            check_by_differences::<9, 2>(instructions, 97);
            check_by_differences::<2, 4>(instructions, 997);
        }
    }

    fn check_bits<const I: usize, const B: usize>() {
        let problem = Problem::<I, B>::new(75, 3);
        let bits = |workshop: &Arc<Workshop<I, B>>| {
            let state = problem.state(workshop);
            let gradients = problem.gradients(&state).concat();
            values(&state).into_iter().chain(gradients).map(f32::to_bits).collect::<Vec<u32>>()
        };
        let want = bits(&Problem::workshop(Instructions::PORTABLE, 1));
        for instructions in Instructions::available() {
            for threads in [1, 2, 5] {
                let workshop = Problem::workshop(instructions, threads);
                assert!(bits(&workshop) == want, "{} with {threads} threads", instructions.label());
                Problem::<I, B>::new(90, 4).state(&workshop);
                assert!(bits(&workshop) == want, "{} with memory of another batch", instructions.label());
            }
        }
    }

    #[test]
    fn neither_threads_nor_instructions_nor_what_was_computed_before_change_a_bit() {
        check_bits::<9, 2>();
        check_bits::<2, 4>();
    }

    #[test]
    fn a_samples_state_does_not_depend_on_its_batch() {
        let mut problem = Small::new(40, 5);
        let workshop = Arc::new(Workshop::new(SLOTS));
        let whole = values(&problem.state(&workshop));
        problem.windows.drain(..39);
        problem.constant = Var::from_tensor(&problem.constant.narrow(0, 39, 1).unwrap()).unwrap();
        assert_eq!(values(&problem.state(&workshop)), whole[39 * Small::HIDDEN..]);
    }

    #[test]
    fn activations_are_used_once_and_their_memory_again() {
        let problem = Small::new(40, 6);
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
        let problem = Small::new(2, 8);
        let workshop = Arc::new(Workshop::<9, 2>::new(SLOTS));
        let said = workshop.last_state(&problem.input, &problem.recurrent, &problem.constant, std::iter::empty());
        assert!(said.unwrap_err().to_string().contains("lstm: shape"));
    }
}
