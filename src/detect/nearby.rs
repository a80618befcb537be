//! Neighbours of points along one axis on which they are spread out, for linfa's DBSCAN.
//!
//! A tree of all axes costs an allocation for each step of a search, and what is asked for here is mostly
//! what lies next to a point in time: a sorted list finds that sooner.

use linfa::Float;
use linfa_nn::distance::Distance;
use linfa_nn::{BuildError, NearestNeighbour, NearestNeighbourIndex, NnError};
use ndarray::{ArrayBase, ArrayView1, ArrayView2, Data, Ix2};

/// Finds neighbours by Euclidean distance among points in the order of their first coordinates.
#[derive(Debug, Clone, Copy)]
pub(super) struct Nearby;

struct Index<'a, F> {
    points: ArrayView2<'a, F>,
    /// Places of points in the order of their first coordinates, and all coordinates in that order.
    order: Vec<usize>,
    sorted: Vec<F>,
}

impl NearestNeighbour for Nearby {
    fn from_batch_with_leaf_size<'a, F: Float, DT: Data<Elem = F>, D: 'a + Distance<F>>(
        &self,
        batch: &'a ArrayBase<DT, Ix2>,
        _: usize,
        _: D,
    ) -> Result<Box<dyn 'a + Send + Sync + NearestNeighbourIndex<F>>, BuildError> {
        if batch.ncols() == 0 {
            return Err(BuildError::ZeroDimension);
        }
        let mut order: Vec<usize> = (0..batch.nrows()).collect();
        let first = |i: usize| batch[[i, 0]];
        order.sort_by(|a, b| first(*a).partial_cmp(&first(*b)).unwrap_or(std::cmp::Ordering::Equal));
        let sorted = order.iter().flat_map(|i| batch.row(*i).to_vec()).collect();
        Ok(Box::new(Index { points: batch.view(), order, sorted }))
    }
}

impl<F: Float> Index<'_, F> {
    /// The places of all points within `range`, each with the square of its distance.
    fn around(&self, point: &[F], range: F) -> impl Iterator<Item = (F, usize)> {
        let (axes, limit) = (point.len(), range * range);
        // Along the first axis a little more, so that rounding leaves nothing out.
        let reach = range * F::cast(1.0 + 1e-9);
        let begin = self.order.partition_point(|i| self.points[[*i, 0]] < point[0] - reach);
        let near = self.sorted[begin * axes..].chunks_exact(axes).zip(&self.order[begin..]);
        near.take_while(move |(other, _)| other[0] <= point[0] + reach).filter_map(move |(other, place)| {
            let mut square = F::zero();
            for (a, b) in point.iter().zip(other) {
                square += (*a - *b) * (*a - *b);
                if square > limit {
                    return None;
                }
            }
            Some((square, *place))
        })
    }
}

impl<F: Float> NearestNeighbourIndex<F> for Index<'_, F> {
    fn k_nearest(&self, point: ArrayView1<'_, F>, k: usize) -> Result<Vec<(ArrayView1<'_, F>, usize)>, NnError> {
        if point.len() != self.points.ncols() {
            return Err(NnError::WrongDimension);
        }
        let mut all: Vec<_> = self.around(&point.to_vec(), F::infinity()).collect();
        all.sort_by(|a, b| a.0.partial_cmp(&b.0).unwrap_or(std::cmp::Ordering::Equal));
        Ok(all.into_iter().take(k).map(|(_, i)| (self.points.row(i), i)).collect())
    }

    fn within_range(&self, point: ArrayView1<'_, F>, range: F) -> Result<Vec<(ArrayView1<'_, F>, usize)>, NnError> {
        if point.len() != self.points.ncols() {
            return Err(NnError::WrongDimension);
        }
        let own;
        let point = match point.to_slice() {
            Some(point) => point,
            None => {
                own = point.to_vec();
                &own
            }
        };
        Ok(self.around(point, range).map(|(_, i)| (self.points.row(i), i)).collect())
    }
}

#[cfg(test)]
mod tests {
    use linfa_nn::CommonNearestNeighbour;
    use linfa_nn::distance::L2Dist;
    use ndarray::Array2;

    use super::*;
    use crate::random::Random;

    fn places(found: Vec<(ArrayView1<'_, f64>, usize)>) -> Vec<usize> {
        let mut places: Vec<usize> = found.into_iter().map(|(_, place)| place).collect();
        places.sort_unstable();
        places
    }

    #[test]
    fn it_finds_what_a_tree_finds() {
        let mut random = Random::new(4);
        let points = Array2::from_shape_fn((300, 3), |(_, axis)| random.unit() * if axis == 0 { 20.0 } else { 2.0 });
        let tree = CommonNearestNeighbour::KdTree.from_batch(&points, L2Dist).unwrap();
        let own = Nearby.from_batch(&points, L2Dist).unwrap();
        for point in points.rows() {
            let want = places(tree.within_range(point, 0.9).unwrap());
            assert_eq!(places(own.within_range(point, 0.9).unwrap()), want);
            assert_eq!(places(own.k_nearest(point, 5).unwrap()), places(tree.k_nearest(point, 5).unwrap()));
        }
        assert!(own.within_range(ndarray::arr1(&[1.0]).view(), 1.0).is_err());
    }

    #[test]
    fn what_lies_just_at_the_range_is_found_as_by_a_tree() {
        let mut random = Random::new(5);
        for axes in [1, 2, 6] {
            let tenths = |r: &mut Random| (r.unit() * 41.0).floor() - 20.0;
            let points = Array2::from_shape_fn((400, axes), |_| tenths(&mut random) / 10.0);
            let tree = CommonNearestNeighbour::KdTree.from_batch(&points, L2Dist).unwrap();
            let own = Nearby.from_batch(&points, L2Dist).unwrap();
            for (point, range) in points.rows().into_iter().zip([0.3, 1.6, 2.0].into_iter().cycle()) {
                let want = places(tree.within_range(point, range).unwrap());
                assert_eq!(places(own.within_range(point, range).unwrap()), want, "{axes} axes, {point}, {range}");
            }
        }
    }
}
