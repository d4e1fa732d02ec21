"""What only the reference is asked: that its samples have the distribution of the paper."""

import numpy as np
from scipy import stats

from insitu.engines import engine


def test_samples_have_the_distribution_of_the_paper() -> None:
    points = engine("numpy").draw(1, 0.15, 0.005, 0, 200_000)
    near, uniform = points[:30_000], points[30_000:]
    for axis in range(3):
        assert stats.kstest(uniform[:, axis], "uniform").pvalue > 1e-4
    distance = np.minimum(near, 1 - near).min(axis=1)
    assert stats.kstest(distance, "halfnorm", (0, 0.005)).pvalue > 1e-6
    faces = np.stack([near, 1 - near], axis=2).reshape(-1, 6).argmin(axis=1)
    assert np.bincount(faces, minlength=6).min() > 4700
