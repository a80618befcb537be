//! A network but for its last layer, of any shape, for scoring: an LSTM over a window, and one hidden
//! layer over its last state and over numbers beside the window.

use super::instructions::{Arithmetic, Instructions, Work};
use super::lanes::{Gates, LANES, Lanes, Units, add_rows, lanes, load, rows, tanh};
use super::lstm::{Lstm, TOGETHER};

/// The weights of a network that is given `INPUTS` numbers in each slot and `SIDE` beside them, with
/// 16·`BLOCKS` units in the LSTM and 16·`HIDDEN` in the layer behind it.
#[derive(Debug, Clone, PartialEq)]
pub struct Body<const INPUTS: usize, const BLOCKS: usize, const SIDE: usize, const HIDDEN: usize> {
    lstm: Lstm<INPUTS, BLOCKS>,
    of_state: Box<[[[Lanes; HIDDEN]; LANES]; BLOCKS]>,
    of_side: Box<[[Lanes; HIDDEN]; SIDE]>,
    bias: [Lanes; HIDDEN],
}

/// What a network is asked: one window.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a, const INPUTS: usize, const BLOCKS: usize, const SIDE: usize> {
    /// What is added to every gate in every slot ([`Lstm::constant`]).
    pub constant: &'a Gates<BLOCKS>,
    /// The slots, oldest first.
    pub window: &'a [[f32; INPUTS]],
    /// The numbers beside them.
    pub side: &'a [f32; SIDE],
}

impl<const INPUTS: usize, const BLOCKS: usize, const SIDE: usize, const HIDDEN: usize>
    Body<INPUTS, BLOCKS, SIDE, HIDDEN>
{
    /// From the LSTM, the layer's weights (`[UNITS + SIDE][16·HIDDEN]`, row by row) and its biases. What is
    /// missing is 0.
    pub fn new(lstm: Lstm<INPUTS, BLOCKS>, weights: &[f32], bias: &[f32]) -> Self {
        let zero = [Lanes::ZERO; HIDDEN];
        let mut layer = weights.chunks_exact(HIDDEN * LANES).map(lanes);
        let mut of_state = rows(std::iter::empty(), [zero; LANES]);
        of_state.as_flattened_mut().iter_mut().zip(layer.by_ref()).for_each(|(to, row)| *to = row);
        Self { lstm, of_state, of_side: rows(layer, zero), bias: lanes(bias) }
    }

    /// What the last layer is given for each of some windows. [`TOGETHER`] windows of as many slots share
    /// one pass over the weights, where the processor has registers for that. Each gets what it gets alone.
    pub fn says<const W: usize>(
        &self,
        instructions: Instructions,
        asked: [Asked<'_, INPUTS, BLOCKS, SIDE>; W],
    ) -> [Units<HIDDEN>; W] {
        instructions.run(Says { body: self, asked })
    }

    /// From last states and the numbers beside the windows to what the last layer is given.
    #[inline(always)]
    fn hidden<A: Arithmetic, const W: usize>(
        &self,
        states: [Units<BLOCKS>; W],
        sides: [&[f32; SIDE]; W],
        out: &mut [Units<HIDDEN>; W],
    ) {
        // What the state says and what the side says are summed apart: two chains that do not wait for each other.
        let mut of_side = [[[A::splat(0.0); HIDDEN]]; W];
        add_rows::<A, HIDDEN, 1, W>(&mut of_side, [&self.of_side[..]], sides.map(|side| &side[..]));
        let mut of_state = [[[A::splat(0.0); HIDDEN]]; W];
        for [of_state] in &mut of_state {
            load::<A, HIDDEN>(of_state, &self.bias);
        }
        let states = states.each_ref().map(|state| state.as_flattened());
        add_rows::<A, HIDDEN, 1, W>(&mut of_state, [self.of_state.as_flattened()], states);
        for w in 0..W {
            for n in 0..HIDDEN {
                out[w][n] = A::store(tanh::<A>(A::add(of_state[w][0][n], of_side[w][0][n]))).0;
            }
        }
    }
}

struct Says<'a, const INPUTS: usize, const BLOCKS: usize, const SIDE: usize, const HIDDEN: usize, const W: usize> {
    body: &'a Body<INPUTS, BLOCKS, SIDE, HIDDEN>,
    asked: [Asked<'a, INPUTS, BLOCKS, SIDE>; W],
}

impl<const INPUTS: usize, const BLOCKS: usize, const SIDE: usize, const HIDDEN: usize, const W: usize> Work
    for Says<'_, INPUTS, BLOCKS, SIDE, HIDDEN, W>
{
    type Output = [Units<HIDDEN>; W];

    #[inline(always)]
    fn run<A: Arithmetic>(self) -> Self::Output {
        let (body, asked) = (self.body, self.asked);
        let mut out = [[[0.0; LANES]; HIDDEN]; W];
        if A::WIDE && W == TOGETHER && asked.iter().all(|one| one.window.len() == asked[0].window.len()) {
            let (constants, windows) = (asked.map(|one| one.constant), asked.map(|one| one.window));
            let states = body.lstm.states::<A, 1, W>(constants, windows);
            body.hidden::<A, W>(states, asked.map(|one| one.side), &mut out);
        } else {
            for (out, one) in out.iter_mut().zip(asked) {
                let state = body.lstm.state::<A>(one.constant, one.window);
                body.hidden::<A, 1>([state], [one.side], std::array::from_mut(out));
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn windows_that_are_scored_together_get_the_same_bits_as_alone_with_every_set_of_instructions() {
        let mut random = Random::new(6);
        let mut draw = |n: usize, size: f64| (0..n).map(|_| (random.normal() * size) as f32).collect::<Vec<f32>>();
        let lstm = Lstm::<2, 4>::new(&draw(2 * 256, 0.5), &draw(64 * 256, 0.2));
        let body = Body::<2, 4, 3, 2>::new(lstm, &draw(67 * 32, 0.3), &draw(32, 0.3));
        let constant = Lstm::<2, 4>::constant(&draw(256, 0.5));
        let windows: Vec<[f32; 2]> = draw(4 * 24 * 2, 2.0).chunks_exact(2).map(|v| [v[0], v[1]]).collect();
        let sides: [[f32; 3]; 4] = [0; 4].map(|_| [0; 3].map(|_| random.normal() as f32));
        // All as long, and one shorter.
        for missing in [0, 3] {
            let asked: [_; 4] = std::array::from_fn(|w| {
                let window = &windows[w * 24..][..24];
                let window = if w == 2 { &window[missing..] } else { window };
                Asked { constant: &constant, window, side: &sides[w] }
            });
            let want = body.says(Instructions::PORTABLE, asked);
            for instructions in Instructions::available() {
                assert!(body.says(instructions, asked) == want, "{}", instructions.label());
                for (asked, want) in asked.into_iter().zip(&want) {
                    assert!(body.says(instructions, [asked])[0] == *want, "{}", instructions.label());
                }
            }
        }
    }
}
