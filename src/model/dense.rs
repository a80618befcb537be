//! A layer as one Candle operation: tanh(x·W + b), or without the tanh.
//!
//! Candle's own product of matrices asks the system how many processors there are, by reading a file,
//! each time it is called. For layers as small as these that takes longer than the layer. And its sums
//! have another order on each kind of processor; here they have one.

use candle_core::{CpuStorage, CustomOp3, Device, Layout, Result, Shape, Tensor, bail};

use super::instructions::{Arithmetic, Instructions, Work};
use super::lanes::{LANES, Lanes, add_rows, load, tanh};
use super::lstm::TOGETHER;
use super::recurrent::values;

/// What is done with a layer's sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Squash {
    /// They stay as they are.
    None,
    /// The hyperbolic tangent of each.
    Tanh,
}

/// What a layer says of some samples, `[batch][OUTPUTS]`: `inputs` is `[batch][INPUTS]`, `weights`
/// `[INPUTS][OUTPUTS]`, `bias` `[1][OUTPUTS]`.
///
/// # Errors
/// When a tensor has another shape, is on another device, or does not lie in one piece.
pub fn dense(inputs: &Tensor, weights: &Tensor, bias: &Tensor, squash: Squash) -> Result<Tensor> {
    with(inputs, weights, bias, squash, Instructions::widest())
}

fn with(
    inputs: &Tensor,
    weights: &Tensor,
    bias: &Tensor,
    squash: Squash,
    instructions: Instructions,
) -> Result<Tensor> {
    if inputs.elem_count() == 0 || weights.elem_count() == 0 {
        bail!("dense: an empty tensor");
    }
    let shape = Dims { samples: inputs.dim(0)?, inputs: weights.dim(0)?, outputs: weights.dim(1)? };
    inputs.apply_op3(weights, bias, Dense { shape, squash, instructions })
}

#[derive(Debug, Clone, Copy)]
struct Dims {
    samples: usize,
    inputs: usize,
    outputs: usize,
}

struct Dense {
    shape: Dims,
    squash: Squash,
    instructions: Instructions,
}

impl CustomOp3 for Dense {
    fn name(&self) -> &'static str {
        "dense"
    }

    fn cpu_fwd(
        &self,
        inputs: &CpuStorage,
        inputs_layout: &Layout,
        weights: &CpuStorage,
        weights_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let Dims { samples, inputs: of, outputs } = self.shape;
        let left = values("dense", inputs, inputs_layout, (samples, of))?;
        let right = values("dense", weights, weights_layout, (of, outputs))?;
        let start = values("dense", bias, bias_layout, (1, outputs))?;
        let out = self.product(left, right, start, self.squash);
        Ok((CpuStorage::F32(out), Shape::from((samples, outputs))))
    }

    fn bwd(
        &self,
        inputs: &Tensor,
        weights: &Tensor,
        _bias: &Tensor,
        out: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let Dims { samples, inputs: of, outputs } = self.shape;
        let numbers = |of: &Tensor| of.flatten_all()?.to_vec1::<f32>();
        let mut gradient = numbers(gradient)?;
        if self.squash == Squash::Tanh {
            gradient.iter_mut().zip(numbers(out)?).for_each(|(g, y)| *g *= 1.0 - y * y);
        }
        let mut of_bias = vec![0.0f32; outputs];
        for row in gradient.chunks_exact(outputs) {
            of_bias.iter_mut().zip(row).for_each(|(sum, g)| *sum += g);
        }
        let zeros = vec![0.0; of.max(outputs)];
        let weights = turned(&numbers(weights)?, outputs);
        let of_inputs = self.product(&gradient, &weights, &zeros[..of], Squash::None);
        let inputs = turned(&numbers(inputs)?, of);
        let of_weights = self.product(&inputs, &gradient, &zeros[..outputs], Squash::None);
        Ok((
            Some(Tensor::from_vec(of_inputs, (samples, of), &Device::Cpu)?),
            Some(Tensor::from_vec(of_weights, (of, outputs), &Device::Cpu)?),
            Some(Tensor::from_vec(of_bias, (1, outputs), &Device::Cpu)?),
        ))
    }
}

impl Dense {
    /// left · right + start for each row of `left`, squashed. `start` is as long as a row of `right`.
    fn product(&self, left: &[f32], right: &[f32], start: &[f32], squash: Squash) -> Vec<f32> {
        let columns = start.len();
        let inner = right.len() / columns;
        let mut out = vec![0.0; left.len() / inner * columns];
        let mut block = vec![[Lanes::ZERO]; inner];
        // Sixteen columns at a time; what the last ones lack is 0.
        for first in (0..columns).step_by(LANES) {
            let width = LANES.min(columns - first);
            let lanes = |row: &[f32]| {
                let mut lanes = Lanes::ZERO;
                lanes.0[..width].copy_from_slice(&row[first..first + width]);
                [lanes]
            };
            for (to, row) in block.iter_mut().zip(right.chunks_exact(columns)) {
                *to = lanes(row);
            }
            let (start, out) = (lanes(start), Columns { out: &mut out, columns, first, width });
            self.instructions.run(Product { left, right: &block, start, squash, out });
        }
        out
    }
}

/// Some columns of a product, and where they go.
struct Columns<'a> {
    out: &'a mut [f32],
    columns: usize,
    first: usize,
    width: usize,
}

struct Product<'a> {
    left: &'a [f32],
    right: &'a [[Lanes; 1]],
    start: [Lanes; 1],
    squash: Squash,
    out: Columns<'a>,
}

impl Work for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn run<A: Arithmetic>(mut self) {
        let rows = self.left.len() / self.right.len();
        let mut row = 0;
        while row + TOGETHER <= rows {
            self.some::<A, TOGETHER>(row);
            row += TOGETHER;
        }
        while row < rows {
            self.some::<A, 1>(row);
            row += 1;
        }
    }
}

impl Product<'_> {
    /// `W` rows from the `first` on. Each gets what it gets alone.
    #[inline(always)]
    fn some<A: Arithmetic, const W: usize>(&mut self, first: usize) {
        let inner = self.right.len();
        let mut sums = [[[A::splat(0.0)]; 1]; W];
        for [sums] in &mut sums {
            load::<A, 1>(sums, &self.start);
        }
        add_rows::<A, 1, 1, W>(
            &mut sums,
            [self.right],
            std::array::from_fn(|w| &self.left[(first + w) * inner..][..inner]),
        );
        let Columns { out, columns, first: column, width } = &mut self.out;
        for (w, [[sums]]) in sums.into_iter().enumerate() {
            let lanes = A::store(if self.squash == Squash::Tanh { tanh::<A>(sums) } else { sums });
            out[(first + w) * *columns + *column..][..*width].copy_from_slice(&lanes.0[..*width]);
        }
    }
}

/// A matrix of rows that long, turned.
fn turned(matrix: &[f32], columns: usize) -> Vec<f32> {
    let rows = matrix.len() / columns;
    let mut out = vec![0.0; matrix.len()];
    for (r, row) in matrix.chunks_exact(columns).enumerate() {
        for (c, value) in row.iter().enumerate() {
            out[c * rows + r] = *value;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;
    use candle_core::Var;

    /// Inputs, weights, bias, and what each output counts in the loss.
    fn problem(samples: usize, inputs: usize, outputs: usize) -> ([Var; 3], Tensor) {
        let mut random = Random::new(samples as u64);
        let mut draw = |rows: usize, columns: usize| {
            let values: Vec<f32> = (0..rows * columns).map(|_| random.normal() as f32 * 0.4).collect();
            Var::from_vec(values, (rows, columns), &Device::Cpu).unwrap()
        };
        let variables = [draw(samples, inputs), draw(inputs, outputs), draw(1, outputs)];
        (variables, draw(samples, outputs).as_tensor().clone())
    }

    fn numbers(of: &Tensor) -> Vec<f32> {
        of.flatten_all().unwrap().to_vec1().unwrap()
    }

    /// What comes out, and the gradients.
    fn all(variables: &[Var; 3], pull: &Tensor, out: &Tensor) -> [Vec<f32>; 4] {
        let gradients = (out * pull).unwrap().sum_all().unwrap().backward().unwrap();
        let [x, w, b] = variables.each_ref().map(|v| numbers(gradients.get(v).unwrap()));
        [numbers(out), x, w, b]
    }

    #[test]
    fn it_says_and_teaches_what_candles_own_operations_do_and_the_same_bits_everywhere() {
        for (samples, inputs, outputs) in [(1, 1, 1), (7, 60, 32), (32, 12, 128), (5, 32, 4), (9, 17, 33)] {
            for squash in [Squash::None, Squash::Tanh] {
                let (variables, pull) = problem(samples, inputs, outputs);
                let [x, w, b] = &variables;
                let sums = x.matmul(w).unwrap().broadcast_add(b).unwrap();
                let plain = if squash == Squash::Tanh { sums.tanh().unwrap() } else { sums };
                let want = all(&variables, &pull, &plain);
                let got = |instructions| all(&variables, &pull, &with(x, w, b, squash, instructions).unwrap());
                let portable = got(Instructions::PORTABLE);
                for (got, want) in portable.iter().flatten().zip(want.iter().flatten()) {
                    assert!((got - want).abs() < 2e-5 * want.abs().max(1.0), "{got}, Candle's {want}");
                }
                for instructions in Instructions::available() {
                    assert!(got(instructions) == portable, "{}", instructions.label());
                }
            }
        }
    }

    #[test]
    fn a_wrong_shape_is_an_error() {
        let ([x, w, _], pull) = problem(3, 4, 5);
        assert!(dense(&x, &w, &pull, Squash::None).unwrap_err().to_string().contains("shape"));
    }
}
