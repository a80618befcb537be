//! How exact a counted rate is.

/// The 95 % interval of the mean of a Poisson variable of which `count` was seen: below the first
/// number so many would come in one case out of forty, above the second so few would (Garwood 1936).
pub fn interval(count: usize) -> (f64, f64) {
    let tail = 0.025;
    let high = falling(|mean| at_most(count, mean), tail, count);
    let low = match count.checked_sub(1) {
        Some(below) => falling(|mean| at_most(below, mean), 1.0 - tail, count),
        None => 0.0,
    };
    (low, high)
}

/// Where a falling function reaches `value`.
fn falling(f: impl Fn(f64) -> f64, value: f64, count: usize) -> f64 {
    let near = count as f64;
    let (mut low, mut high) = (0.0, near + 10.0 * near.sqrt() + 10.0);
    // Halves the interval down to the last bits.
    for _ in 0..80 {
        let middle = (low + high) / 2.0;
        if f(middle) > value { low = middle } else { high = middle }
    }
    (low + high) / 2.0
}

/// The probability of at most `count` where `mean` is usual.
fn at_most(count: usize, mean: f64) -> f64 {
    if mean <= 0.0 {
        return 1.0;
    }
    let n = count as f64;
    let probability = |k: f64| (k * mean.ln() - mean - libm::lgamma(k + 1.0)).exp();
    if n < mean {
        // Downwards from the count the terms only get smaller.
        let mut term = probability(n);
        let mut sum = term;
        let mut k = n;
        while k > 0.0 && term > sum * 1e-17 {
            term *= k / mean;
            sum += term;
            k -= 1.0;
        }
        sum
    } else {
        let mut k = n + 1.0;
        let mut term = probability(k);
        let mut above = term;
        while term > above * 1e-17 {
            k += 1.0;
            term *= mean / k;
            above += term;
        }
        1.0 - above
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_and_large_counts_have_the_known_intervals() {
        // From tables of the exact interval.
        for (count, low, high) in
            [(0, 0.0, 3.6889), (1, 0.0253, 5.5716), (10, 4.7954, 18.3904), (100, 81.3640, 121.6272)]
        {
            let got = interval(count);
            assert!((got.0 - low).abs() < 1e-3 && (got.1 - high).abs() < 1e-3, "{count}: {got:?}");
        }
        let (low, high) = interval(1_000_000);
        assert!((low - 998_041.0).abs() < 5.0 && (high - 1_001_962.0).abs() < 5.0, "{low} {high}");
    }
}
