//! Last layers of their own: for a device or an interface, the rest of the network being shared.
//!
//! What the network's head says of each of its windows is computed once; the last layer is then a
//! regression on that, held to the shared layer by a ridge. How strong the ridge is, and whether it
//! lets go at all, is decided on rows that the regression was not fitted on: those that decided
//! when the network's training stopped. The shared layer has learnt these too by then, so a layer of its
//! own has to be better than one that knows them. Few rows, or none that would be gained from, leave the shared
//! layer. The spreads stay the shared ones.

use super::kernel::{GateBias, Given, HEAD, Kernel, OUTPUTS, OutputLayer};
use super::network::Sample;
use super::regress::{Normal, residual};

/// Coefficients of one output: of the head's units, and a constant.
const COEFFICIENTS: usize = HEAD + 1;
/// Rows of doubt against which the shared layer is held, from strong to weak.
const RIDGES: [f64; 4] = [1000.0, 300.0, 100.0, 30.0];
/// Windows below which there is no layer of its own.
const LEAST_WINDOWS: usize = 100;
/// Share of the loss that has to be gained on the rows that decide.
const WORTH: f64 = 0.005;
const ROUNDS: usize = 3;

/// What the head says of one window, with a 1 for the constant, and the answers.
struct Row {
    head: [f32; COEFFICIENTS],
    target: [f32; 2],
}

fn rows(kernel: &Kernel, samples: &[&Sample], gates: &dyn Fn(&Sample) -> GateBias) -> Vec<Row> {
    samples
        .iter()
        .map(|sample| {
            let mut head = [1.0; COEFFICIENTS];
            let (bias, Sample { sequence, side, .. }) = (gates(sample), sample);
            head[..HEAD].copy_from_slice(&kernel.head(&Given { bias: &bias, sequence, side, output: None }));
            Row { head, target: sample.target }
        })
        .collect()
}

/// Column `c` of a layer: its coefficients for one output.
fn column(layer: &OutputLayer, c: usize) -> [f64; COEFFICIENTS] {
    let mut out = [f64::from(layer.bias[c]); COEFFICIENTS];
    for (to, row) in out.iter_mut().zip(layer.weights.iter()) {
        *to = f64::from(row[c]);
    }
    out
}

fn fit(rows: &[Row], c: usize, ridge: f64, shared: &[f64; COEFFICIENTS]) -> [f64; COEFFICIENTS] {
    (0..ROUNDS).fold(*shared, |now, _| {
        // Targets are in units of the usual error, so 1 is their scale.
        let mut sums = Normal::zero();
        rows.iter().for_each(|row| sums.learn(&row.head, f64::from(row.target[c]), &now, 1.0));
        sums.solve(ridge, shared)
    })
}

/// Mean absolute error.
fn loss(rows: &[Row], c: usize, now: &[f64; COEFFICIENTS]) -> f64 {
    rows.iter().map(|row| residual(&row.head, f64::from(row.target[c]), now).abs()).sum::<f64>() / rows.len() as f64
}

/// A last layer for the interfaces whose windows these are, from those to learn from and those that
/// decide. None where the shared layer is as good.
pub(super) fn learn(
    kernel: &Kernel,
    shared: &OutputLayer,
    learnt: &[&Sample],
    deciding: &[&Sample],
    gates: &dyn Fn(&Sample) -> GateBias,
) -> Option<OutputLayer> {
    if learnt.len() < LEAST_WINDOWS || deciding.is_empty() {
        return None;
    }
    let mut learnt = rows(kernel, learnt, gates);
    let deciding = rows(kernel, deciding, gates);
    let mut layer = shared.clone();
    let mut chosen = [None; 2];
    for (c, chosen) in chosen.iter_mut().enumerate() {
        let from = column(shared, c);
        let mut best = loss(&deciding, c, &from) * (1.0 - WORTH);
        for ridge in RIDGES {
            let loss = loss(&deciding, c, &fit(&learnt, c, ridge, &from));
            if loss < best {
                (best, *chosen) = (loss, Some(ridge));
            }
        }
    }
    // The strength is settled; the rows that settled it are the youngest, and are learnt as well.
    learnt.extend(deciding);
    for (c, ridge) in chosen.iter().enumerate() {
        let Some(ridge) = ridge else { continue };
        let own = fit(&learnt, c, *ridge, &column(shared, c));
        for (row, own) in layer.weights.iter_mut().zip(&own) {
            row[c] = *own as f32;
        }
        layer.bias[c] = own[HEAD] as f32;
    }
    chosen.iter().any(Option::is_some).then_some(layer)
}

const _: () = assert!(OUTPUTS == 4, "the first two outputs are forecasts, the others spreads");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::kernel::{EMBEDDING, INPUTS, SIDE, Weights};
    use crate::random::Random;

    fn samples(n: usize, answer: impl Fn(&Sample, &mut Random) -> f32) -> Vec<Sample> {
        let mut random = Random::new(5);
        (0..n)
            .map(|_| {
                let mut side = [0.0; SIDE];
                side.iter_mut().for_each(|v| *v = random.normal() as f32);
                let sequence = vec![[0.0; INPUTS]; 4].into_boxed_slice();
                let mut sample = Sample { sequence, side, target: [0.0; 2], host: 0, interface: 0 };
                sample.target = [answer(&sample, &mut random), random.normal() as f32];
                sample
            })
            .collect()
    }

    /// A network whose head passes on the first side inputs.
    fn kernel() -> Kernel {
        let mut weights = Weights::zero();
        for unit in 0..8 {
            weights.head[(crate::model::kernel::HIDDEN + unit) * HEAD + unit] = 0.3;
        }
        weights.kernel()
    }

    fn learnt(answer: impl Fn(&Sample, &mut Random) -> f32, n: usize) -> Option<OutputLayer> {
        let (kernel, all) = (kernel(), samples(n, answer));
        let refs: Vec<&Sample> = all.iter().collect();
        let (learnt, deciding) = refs.split_at(n * 9 / 10);
        let gates = kernel.gate_bias(&[0.0; EMBEDDING]);
        super::learn(&kernel, &Weights::zero().output_layer(), learnt, deciding, &|_| gates.clone())
    }

    #[test]
    fn a_pattern_of_its_own_gives_a_layer_of_its_own() {
        let layer = learnt(|s, r| s.side[0] + 0.3 * r.normal() as f32, 1000).unwrap();
        let says = |x: f32| {
            let mut side = [0.0; SIDE];
            side[0] = x;
            let kernel = kernel();
            let (bias, sequence) = (kernel.gate_bias(&[0.0; EMBEDDING]), &[[0.0; INPUTS]; 4]);
            kernel.forward(&Given { bias: &bias, sequence, side: &side, output: Some(&layer) })
        };
        assert!((says(1.0)[0] - 1.0).abs() < 0.3 && (says(-1.0)[0] + 1.0).abs() < 0.3, "{:?}", says(1.0));
        assert_eq!(says(1.0)[2..], [0.0, 0.0], "spreads stay the shared ones");
    }

    #[test]
    fn noise_and_few_rows_leave_the_shared_layer() {
        assert!(learnt(|_, r| r.normal() as f32, 1000).is_none_or(|l| l.weights[0][0].abs() < 0.1));
        assert!(learnt(|s, _| s.side[0], LEAST_WINDOWS).is_none());
    }
}
