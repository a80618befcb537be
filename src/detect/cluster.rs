//! DBSCAN (Ester, Kriegel, Sander, Xu, 1996) as it is used here, twice: over looks of rows, and over incidents.

use std::collections::HashMap;

use linfa::traits::Transformer as _;
use linfa_clustering::Dbscan;
use linfa_nn::distance::L2Dist;
use ndarray::Array2;

use super::nearby::Nearby;

/// DBSCAN by linfa: a label for each point, none for noise. Points are few, since it is quadratic on dense
/// data, and quickest where they are spread out along the first axis. What is no number counts as 0.
///
/// Identical points are its worst case, so of each no more go in than make it a core point by itself: that
/// changes no label.
pub(super) fn cluster<const N: usize>(points: &[[f64; N]], min_points: usize, reach: f64) -> Vec<Option<usize>> {
    // By their bits: −0 and 0 apart cost one point more.
    let key = |point: &[f64; N]| point.map(|v| if v.is_finite() { v } else { 0.0 }.to_bits());
    let mut seen: HashMap<[u64; N], (usize, usize)> = HashMap::new();
    let mut taken: Vec<[u64; N]> = Vec::with_capacity(points.len());
    // Its first copy in what goes in, in the order in which they came.
    let mut places = Vec::with_capacity(points.len());
    for point in points {
        let key = key(point);
        let (first, count) = seen.entry(key).or_insert((taken.len(), 0));
        places.push(*first);
        if *count < min_points {
            *count += 1;
            taken.push(key);
        }
    }
    let mut array = Array2::zeros((taken.len(), N));
    for (mut row, point) in array.rows_mut().into_iter().zip(&taken) {
        row.iter_mut().zip(point).for_each(|(to, from)| *to = f64::from_bits(*from));
    }
    match Dbscan::params_with(min_points, L2Dist, Nearby).tolerance(reach).transform(&array) {
        Ok(labels) => places.into_iter().map(|place| labels[place]).collect(),
        Err(_) => vec![None; points.len()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn leaving_out_copies_changes_no_label() {
        let mut random = Random::new(3);
        for turn in 0..40 {
            let few = 3 + turn as usize % 9;
            let place = |r: &mut Random| (r.unit() * few as f64).floor() * 0.6;
            let points: Vec<[f64; 2]> = (0..80).map(|_| [place(&mut random), place(&mut random)]).collect();
            for min_points in [2, 3, 5] {
                let array = Array2::from_shape_fn((points.len(), 2), |(i, k)| points[i][k]);
                let want = Dbscan::params(min_points).tolerance(0.7).transform(&array).unwrap();
                assert_eq!(cluster(&points, min_points, 0.7), want.to_vec(), "turn {turn}, {min_points} points");
            }
        }
        assert_eq!(cluster(&[[f64::NAN], [0.0], [9.0]], 2, 1.0), [Some(0), Some(0), None]);
    }
}
