//! A regression of the row on the other forecasts, learnt while the rows come.
//!
//! The mix takes one forecast or a mean of several. Where two of them err in opposite ways, or all
//! of them go on expecting a level that is gone, some other combination is better, and which one
//! changes with the interface and with time. It is followed by recursive least squares with
//! forgetting (Ljung, System Identification, 1999, chapter 11): Huber's weight for each row, so that
//! an incident teaches little, and a limit to what forgetting may undo, so that quiet weeks do not
//! make the next row's say unbounded. It starts at the best forecast that the model has, alone.

use crate::series::Running;

/// Rows of doubt against which the start is held.
const RIDGE: f32 = 20.0;
/// What an input or a target is held to, in scaled units.
const CLIP: f64 = 8.0;
/// Size of an error, in usual errors, above which its row counts less.
const FAR: f64 = 1.7;
/// The usual error before it is known, and the rows that this guess is worth.
const GUESS: (f64, f64) = (0.3, 6.0);

/// The combination of `N` forecasts for one channel; `T` is N·(N + 1)/2.
///
/// What is combined are forecasts relative to the last value. The first is the one to start from.
#[derive(Debug, Clone)]
pub struct Blend<const N: usize, const T: usize> {
    weights: [f32; N],
    /// Lower triangle of the weights' covariance, row by row.
    doubt: [f32; T],
    usual: Running,
}

impl<const N: usize, const T: usize> Default for Blend<N, T> {
    fn default() -> Self {
        let mut weights = [0.0; N];
        weights[0] = 1.0;
        Self { weights, doubt: Self::certain(), usual: Running::at(GUESS.0, GUESS.1) }
    }
}

/// Where entry (`row`, `column`) of the triangle lies, for `column` up to `row`.
fn place(row: usize, column: usize) -> usize {
    row * (row + 1) / 2 + column
}

/// Inputs as the regression takes them: what is missing is 0.
pub fn held<const N: usize>(forecasts: [f64; N]) -> [f64; N] {
    forecasts.map(|v| if v.is_finite() { v.clamp(-CLIP, CLIP) } else { 0.0 })
}

impl<const N: usize, const T: usize> Blend<N, T> {
    const FITS: () = assert!(T == N * (N + 1) / 2, "a triangle has a place for each pair");

    /// The doubt of the start.
    fn certain() -> [f32; T] {
        let () = Self::FITS;
        let mut doubt = [0.0; T];
        (0..N).for_each(|i| doubt[place(i, i)] = 1.0 / RIDGE);
        doubt
    }

    /// The change from the last value that the combination expects.
    pub fn predict(&self, inputs: &[f64; N]) -> f64 {
        self.weights.iter().zip(inputs).map(|(w, x)| f64::from(*w) * x).sum()
    }

    /// Learns a `change` from the last value. `forget` is what a row loses of its weight with each
    /// later one, and `rate` the weight of this row in the usual error.
    pub fn learn(&mut self, inputs: &[f64; N], change: f64, forget: f64, rate: f64) {
        let error = change.clamp(-CLIP, CLIP) - self.predict(inputs);
        let usual = self.usual.mean().max(1e-6);
        let weight = (FAR * usual / error.abs().max(1e-12)).min(1.0);
        self.usual.learn(error.abs().min(CLIP * usual), rate);

        let mut gain = [0.0; N];
        let mut triangle = &self.doubt[..];
        for i in 0..N {
            let (row, rest) = triangle.split_at(i + 1);
            triangle = rest;
            for (doubt, gain) in row[..i].iter().zip(&mut gain) {
                *gain += f64::from(*doubt) * inputs[i];
            }
            for (doubt, input) in row.iter().zip(inputs) {
                gain[i] += f64::from(*doubt) * input;
            }
        }
        let keep = 1.0 - forget;
        let total = keep + weight * gain.iter().zip(inputs).map(|(g, x)| g * x).sum::<f64>();
        let step = weight / total;
        for (w, g) in self.weights.iter_mut().zip(&gain) {
            *w = (f64::from(*w) + step * g * error) as f32;
        }
        let mut trace = 0.0;
        let mut triangle = &mut self.doubt[..];
        for i in 0..N {
            let (row, rest) = triangle.split_at_mut(i + 1);
            triangle = rest;
            let of_row = step * gain[i];
            for (doubt, gain) in row.iter_mut().zip(&gain) {
                *doubt = ((f64::from(*doubt) - of_row * gain) / keep) as f32;
            }
            trace += row[i];
        }
        let most = N as f32 / RIDGE;
        if trace > most {
            self.doubt.iter_mut().for_each(|doubt| *doubt *= most / trace);
        }
        // Rounding may eat the little doubt that is left; it then starts again.
        if !(total > 0.0 && (0..N).all(|i| self.doubt[place(i, i)] > 0.0)) {
            self.doubt = Self::certain();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    const BLENDED: usize = 10;
    type Blended = [f64; BLENDED];
    type Ten = Blend<BLENDED, 55>;

    fn run(rows: usize, seed: u64, truth: impl Fn(usize, &Blended, &mut Random) -> f64) -> (Ten, f64, f64) {
        let (mut blend, mut random) = (Ten::default(), Random::new(seed));
        let (mut own, mut start) = (0.0, 0.0);
        for row in 0..rows {
            let inputs: Blended = std::array::from_fn(|_| random.normal());
            let change = truth(row, &inputs, &mut random);
            if row >= rows / 2 {
                own += (blend.predict(&inputs) - change).abs();
                start += (inputs[0] - change).abs();
            }
            blend.learn(&inputs, change, 0.004, 0.03);
        }
        (blend, own, start)
    }

    #[test]
    fn it_starts_with_the_first_forecast_and_finds_a_better_combination() {
        let inputs: Blended = std::array::from_fn(|i| i as f64 - 3.5);
        assert_eq!(Ten::default().predict(&inputs), -3.5);
        let (_, own, start) = run(600, 1, |_, x, r| 0.5 * x[0] + 0.4 * x[3] - 0.2 * x[9] + 0.05 * r.normal());
        assert!(own < 0.15 * start, "{own} against {start}");
    }

    #[test]
    fn it_follows_a_change_and_incidents_teach_it_little() {
        let late = |row: usize, x: &Blended| if row < 400 { x[0] } else { x[4] };
        let (_, own, _) = run(2000, 2, |row, x, r| late(row, x) + 0.05 * r.normal());
        assert!(own / 1000.0 < 0.08, "{own}");
        let hit = |row: usize| if row.is_multiple_of(50) { 40.0 } else { 0.0 };
        let (blend, ..) = run(2000, 3, |row, x, r| x[0] + hit(row) + 0.05 * r.normal());
        assert!((blend.weights[0] - 1.0).abs() < 0.1 && blend.weights[1..].iter().all(|w| w.abs() < 0.1), "{blend:?}");
    }

    #[test]
    fn it_stays_finite_whatever_comes() {
        let mut blend = Ten::default();
        for row in 0..20_000usize {
            let size = [0.0, 1e-9, 8.0, -8.0][row % 4];
            let inputs = [size; BLENDED];
            blend.learn(&inputs, [0.0, 1e18, -1e18, 3.0][(row / 7) % 4], 0.3, 0.3);
            assert!(blend.predict(&inputs).is_finite() && blend.doubt.iter().all(|d| d.is_finite()), "row {row}");
        }
    }
}
