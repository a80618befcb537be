//! A discounted mean that starts as a plain one.

/// A mean in which a row counts half after a half-life. Until that many rows have come it is
/// their plain mean, so it is right from the first row on.
///
/// Kept in single precision, since every interface has many of them; reckoned in double.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Running {
    mean: f32,
    rows: f32,
}

impl Running {
    /// A mean that already stands, as if it came from `rows` rows.
    pub fn at(mean: f64, rows: f64) -> Self {
        Self { mean: mean as f32, rows: rows as f32 }
    }

    /// The mean so far; 0 before any row.
    pub fn mean(&self) -> f64 {
        f64::from(self.mean)
    }

    /// Rows learnt, up to some 16 million.
    pub fn rows(&self) -> f64 {
        f64::from(self.rows)
    }

    /// Learns a value; `rate` is what [`rate`] gives for the half-life.
    pub fn learn(&mut self, value: f64, rate: f64) {
        self.rows += 1.0;
        let before = self.mean();
        self.mean = (before + (value - before) * rate.max(1.0 / self.rows())) as f32;
    }
}

/// The weight of a new row for a half-life of `rows` rows.
pub fn rate(rows: f64) -> f64 {
    1.0 - libm::exp2(-1.0 / rows.max(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_as_a_plain_mean_and_forgets_by_half() {
        let mut r = Running::default();
        [1.0, 2.0, 6.0].iter().for_each(|v| r.learn(*v, rate(1000.0)));
        assert!((r.mean() - 3.0).abs() < 1e-6);
        let mut r = Running::at(8.0, 1e6);
        (0..10).for_each(|_| r.learn(0.0, rate(10.0)));
        assert!((r.mean() - 4.0).abs() < 1e-5, "{}", r.mean());
    }
}
