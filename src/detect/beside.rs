//! The points within reach of one, found by looking at all of them.
//!
//! An interface's error space has some hundred points, and what lies within reach is a large part of
//! them. A tree over them costs more than it spares: most of its time goes into putting what it finds
//! in order, which DBSCAN has no use for.

use linfa::Float;
use linfa_nn::distance::Distance;
use linfa_nn::{BuildError, NearestNeighbour, NearestNeighbourIndex, NnError};
use ndarray::{ArrayBase, ArrayView1, ArrayView2, Data, Ix2};

/// Looks at all points.
#[derive(Debug, Clone)]
pub(super) struct LookAtAll;

impl NearestNeighbour for LookAtAll {
    fn from_batch_with_leaf_size<'a, F: Float, DT: Data<Elem = F>, D: 'a + Distance<F>>(
        &self,
        batch: &'a ArrayBase<DT, Ix2>,
        _leaf_size: usize,
        distance: D,
    ) -> Result<Box<dyn 'a + Send + Sync + NearestNeighbourIndex<F>>, BuildError> {
        if batch.ncols() == 0 {
            return Err(BuildError::ZeroDimension);
        }
        Ok(Box::new(All { points: batch.view(), distance }))
    }
}

struct All<'a, F, D> {
    points: ArrayView2<'a, F>,
    distance: D,
}

impl<F: Float, D: Distance<F>> All<'_, F, D> {
    fn distances(&self, from: ArrayView1<'_, F>) -> Result<Vec<F>, NnError> {
        if from.len() != self.points.ncols() {
            return Err(NnError::WrongDimension);
        }
        Ok(self.points.rows().into_iter().map(|point| self.distance.rdistance(from.view(), point)).collect())
    }
}

impl<F: Float, D: Distance<F>> NearestNeighbourIndex<F> for All<'_, F, D> {
    fn k_nearest(&self, from: ArrayView1<'_, F>, k: usize) -> Result<Vec<(ArrayView1<'_, F>, usize)>, NnError> {
        let distances = self.distances(from)?;
        let mut places: Vec<usize> = (0..distances.len()).collect();
        places.sort_by(|a, b| distances[*a].partial_cmp(&distances[*b]).unwrap_or(std::cmp::Ordering::Equal));
        Ok(places.into_iter().take(k).map(|place| (self.points.row(place), place)).collect())
    }

    fn within_range(&self, from: ArrayView1<'_, F>, range: F) -> Result<Vec<(ArrayView1<'_, F>, usize)>, NnError> {
        let range = self.distance.dist_to_rdist(range);
        let distances = self.distances(from)?.into_iter().enumerate();
        Ok(distances.filter(|(_, d)| *d <= range).map(|(place, _)| (self.points.row(place), place)).collect())
    }
}

#[cfg(test)]
mod tests {
    use linfa::traits::Transformer as _;
    use linfa_clustering::Dbscan;
    use linfa_nn::CommonNearestNeighbour::KdTree;
    use linfa_nn::distance::L2Dist;
    use ndarray::Array2;

    use super::*;
    use crate::random::Random;

    #[test]
    fn clusters_and_neighbours_are_those_that_a_tree_finds() {
        let mut random = Random::new(3);
        for round in 0..60 {
            let points = 1 + round * 4;
            // Tenths, as error spaces have them: many lie exactly as far apart as the reach is.
            let values = (0..points * 3).map(|_| (random.normal() * 12.0).round() / 10.0).collect();
            let points = Array2::from_shape_vec((points, 3), values).unwrap();
            for reach in [0.2, 0.5, 1.6] {
                let tree = Dbscan::params_with(2, L2Dist, KdTree).tolerance(reach).transform(&points).unwrap();
                let all = Dbscan::params_with(2, L2Dist, LookAtAll).tolerance(reach).transform(&points).unwrap();
                assert_eq!(tree, all, "{round}, {reach}");
            }
            let (tree, all) =
                (KdTree.from_batch(&points, L2Dist).unwrap(), LookAtAll.from_batch(&points, L2Dist).unwrap());
            let nearest = |index: &dyn NearestNeighbourIndex<f64>| {
                let found = index.k_nearest(points.row(0), 5).unwrap().into_iter();
                found
                    .map(|(point, _)| point.iter().zip(points.row(0)).map(|(a, b)| (a - b).powi(2)).sum())
                    .collect::<Vec<f64>>()
            };
            assert_eq!(nearest(&*tree), nearest(&*all));
        }
    }
}
