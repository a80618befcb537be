//! AdamW (Loshchilov and Hutter, 2019) in one pass over each variable.
//!
//! Candle's own makes some fourteen tensors of each variable in each step. For the embeddings of
//! ten thousand interfaces that is more work than the network. The arithmetic here is the same in
//! the same order; the moments are changed where they lie.

use std::cell::RefCell;

use candle_core::backprop::GradStore;
use candle_core::{CpuStorage, Error, InplaceOp2, Layout, Result, Var, bail};
use candle_nn::{Optimizer, ParamsAdamW};

/// The optimiser and its moments.
#[derive(Debug)]
pub struct Adam {
    variables: Vec<(Var, Moments)>,
    parameters: ParamsAdamW,
    steps: i32,
}

#[derive(Debug)]
struct Moments {
    first: Vec<f32>,
    second: Vec<f32>,
}

impl Optimizer for Adam {
    type Config = ParamsAdamW;

    fn new(variables: Vec<Var>, parameters: ParamsAdamW) -> Result<Self> {
        let zeros = |n: usize| Moments { first: vec![0.0; n], second: vec![0.0; n] };
        let variables = variables.into_iter().map(|v| (v.clone(), zeros(v.elem_count()))).collect();
        Ok(Self { variables, parameters, steps: 0 })
    }

    fn step(&mut self, gradients: &GradStore) -> Result<()> {
        self.steps += 1;
        let p = &self.parameters;
        let factors = Factors {
            keep: [p.beta1 as f32, p.beta2 as f32],
            take: [(1.0 - p.beta1) as f32, (1.0 - p.beta2) as f32],
            unbias: [p.beta1, p.beta2].map(|beta| (1.0 / (1.0 - libm::pow(beta, f64::from(self.steps)))) as f32),
            decay: (1.0 - p.lr * p.weight_decay) as f32,
            rate: p.lr as f32,
            epsilon: p.eps as f32,
        };
        for (variable, moments) in &mut self.variables {
            if let Some(gradient) = gradients.get(variable) {
                variable.inplace_op2(&gradient.contiguous()?, &Step { factors, moments: RefCell::new(moments) })?;
            }
        }
        Ok(())
    }

    fn learning_rate(&self) -> f64 {
        self.parameters.lr
    }

    fn set_learning_rate(&mut self, rate: f64) {
        self.parameters.lr = rate;
    }
}

#[derive(Debug, Clone, Copy)]
struct Factors {
    keep: [f32; 2],
    take: [f32; 2],
    unbias: [f32; 2],
    decay: f32,
    rate: f32,
    epsilon: f32,
}

struct Step<'a> {
    factors: Factors,
    moments: RefCell<&'a mut Moments>,
}

impl InplaceOp2 for Step<'_> {
    fn name(&self) -> &'static str {
        "adam"
    }

    fn cpu_fwd(
        &self,
        variable: &mut CpuStorage,
        variable_layout: &Layout,
        gradient: &CpuStorage,
        gradient_layout: &Layout,
    ) -> Result<()> {
        let CpuStorage::F32(values) = variable else { bail!("adam: only 32-bit floats are trained") };
        let range = |layout: &Layout| layout.contiguous_offsets().ok_or(Error::RequiresContiguous { op: "adam" });
        let (start, end) = range(variable_layout)?;
        let values = &mut values[start..end];
        let (start, end) = range(gradient_layout)?;
        let gradient = &gradient.as_slice::<f32>()?[start..end];
        let mut moments = self.moments.borrow_mut();
        let Moments { first, second } = &mut **moments;
        let Factors { keep, take, unbias, decay, rate, epsilon } = self.factors;
        for (((value, gradient), first), second) in values.iter_mut().zip(gradient).zip(first).zip(second) {
            *first = *first * keep[0] + gradient * take[0];
            *second = *second * keep[1] + gradient * gradient * take[1];
            let change = *first * unbias[0] / ((*second * unbias[1]).sqrt() + epsilon);
            *value = *value * decay - change * rate;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Tensor};
    use candle_nn::AdamW;

    /// Values after some steps downhill in a bowl whose walls are not equally steep.
    fn descend<O: Optimizer<Config = ParamsAdamW>>() -> Vec<f32> {
        let start: Vec<f32> = (0..30).map(|i| i as f32 * 0.1 - 1.0).collect();
        let steepness: Vec<f32> = (0..30).map(|i| 0.01 * 1.4f32.powi(i)).collect();
        let tensor = |v: Vec<f32>| Tensor::from_vec(v, (3, 10), &Device::Cpu).unwrap();
        let variable = Var::from_tensor(&tensor(start)).unwrap();
        let untouched = Var::from_tensor(&tensor(vec![1.0; 30])).unwrap();
        let steepness = tensor(steepness);
        let parameters = ParamsAdamW { lr: 0.02, weight_decay: 0.05, ..Default::default() };
        let mut optimizer = O::new(vec![untouched.clone(), variable.clone()], parameters).unwrap();
        for step in 0..60 {
            optimizer.set_learning_rate(0.02 * (1.0 - step as f64 / 60.0));
            let loss = (variable.sqr().unwrap() * &steepness).unwrap().sum_all().unwrap();
            optimizer.backward_step(&loss).unwrap();
        }
        assert_eq!(untouched.flatten_all().unwrap().to_vec1::<f32>().unwrap(), [1.0; 30], "it had no gradient");
        variable.flatten_all().unwrap().to_vec1().unwrap()
    }

    #[test]
    fn it_goes_where_candles_own_goes() {
        for (got, want) in descend::<Adam>().iter().zip(descend::<AdamW>()) {
            assert!((got - want).abs() < 1e-5, "{got} against {want}");
        }
    }
}
