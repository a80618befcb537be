//! Weighted least squares with Huber's weights and a ridge towards given coefficients.

/// Residual, in standard deviations, above which a row counts less (Huber's usual constant).
const FAR: f64 = 1.345;

/// Sums of a weighted least-squares problem with `N` coefficients.
#[derive(Clone)]
pub(super) struct Normal<const N: usize> {
    products: [[f64; N]; N],
    moments: [f64; N],
}

impl<const N: usize> Normal<N> {
    pub(super) fn zero() -> Self {
        Self { products: [[0.0; N]; N], moments: [0.0; N] }
    }

    /// Adds a row with Huber's weight of its residual under the coefficients `now`, over `scale`.
    pub(super) fn learn(&mut self, x: &[f32; N], y: f64, now: &[f64; N], scale: f64) {
        let weight = (FAR * scale / residual(x, y, now).abs().max(1e-12)).min(1.0);
        for i in 0..N {
            let wx = weight * f64::from(x[i]);
            self.moments[i] += wx * y;
            for (product, x) in self.products[i].iter_mut().zip(&x[..=i]) {
                *product += wx * f64::from(*x);
            }
        }
    }

    /// Adds other sums, with a weight.
    pub(super) fn add(&mut self, other: &Self, weight: f64) {
        for i in 0..N {
            self.moments[i] += weight * other.moments[i];
            for j in 0..=i {
                self.products[i][j] += weight * other.products[i][j];
            }
        }
    }

    /// Solves for coefficients with a ridge towards `centre` (Cholesky).
    pub(super) fn solve(mut self, ridge: f64, centre: &[f64; N]) -> [f64; N] {
        for (i, centre) in centre.iter().enumerate() {
            self.products[i][i] += ridge;
            self.moments[i] += ridge * centre;
        }
        let l = &mut self.products;
        for i in 0..N {
            for j in 0..=i {
                let sum = l[i][j] - (0..j).map(|k| l[i][k] * l[j][k]).sum::<f64>();
                // The ridge keeps the diagonal positive but for rounding.
                l[i][j] = if i == j { sum.max(1e-9).sqrt() } else { sum / l[j][j] };
            }
        }
        let mut x = self.moments;
        for i in 0..N {
            x[i] = (x[i] - (0..i).map(|k| l[i][k] * x[k]).sum::<f64>()) / l[i][i];
        }
        for i in (0..N).rev() {
            x[i] = (x[i] - (i + 1..N).map(|k| l[k][i] * x[k]).sum::<f64>()) / l[i][i];
        }
        x
    }
}

/// What `now` leaves over of a row.
pub(super) fn residual<const N: usize>(x: &[f32; N], y: f64, now: &[f64; N]) -> f64 {
    y - x.iter().zip(now).map(|(x, b)| f64::from(*x) * b).sum::<f64>()
}
