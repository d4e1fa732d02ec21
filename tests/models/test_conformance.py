"""Our own models pass the suite that any model has to pass."""

import numpy as np

from insitu.models.adaptive_grid.model import AdaptiveGrid
from insitu.models.dense_grid.model import DenseGrid
from insitu.models.gaussians.model import Gaussians
from insitu.models.hash_grid.model import HashGrid
from insitu.models.sparse_grid.lines import HALF_CELLS
from insitu.models.sparse_grid.model import SparseGrid
from insitu.testing import ModelConformance


class TestHashGrid(ModelConformance):
    model = HashGrid(n_levels=3, log2_hashmap_size=8, base_resolution=4, n_outputs=2)


class TestDenseGrid(ModelConformance):
    model = DenseGrid(resolution=(6, 5, 4), n_features=4, n_outputs=2)


class TestDenseGridWithFourierFeatures(ModelConformance):
    model = DenseGrid(resolution=(4, 5, 3), n_frequencies=4, n_neurons=32, n_outputs=3)


class TestAdaptiveGrid(ModelConformance):
    model = AdaptiveGrid(n_grids=3, resolution=4, n_outputs=2)


class TestGaussians(ModelConformance):
    model = Gaussians(n_gaussians=25, n_outputs=2)


class TestGaussiansOfConstants(ModelConformance):
    model = Gaussians(n_gaussians=25, degree=0)


class TestSparseGrid(ModelConformance):
    model = SparseGrid(
        shape=(6, 5, 4),
        splits="73",
        support=np.arange(0, 240, 2, dtype="<i4").tobytes(),
        n_outputs=2,
    )


class TestSparseGridWithSharedFaces(ModelConformance):
    model = SparseGrid(
        shape=(8, 6, 4),
        vertex=False,
        splits="73",
        support=np.arange(0, 192, 2, dtype="<i4").tobytes(),
        ends=0b1110 | HALF_CELLS,
    )
