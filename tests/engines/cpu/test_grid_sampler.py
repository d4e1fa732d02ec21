"""The extension's sampler reads the simulation's own arrays: nothing is copied."""

import numpy as np

from insitu.engines import engine


def test_reads_strided_arrays_in_place() -> None:
    whole = np.random.default_rng(1).random((12, 14, 16, 3))
    views = [whole[::2, ::-2, 1:15:2, c] for c in range(3)]  # interleaved, skipping, backwards
    sampler = engine("cpu").sampler(views, ((0, 0),) * 3, views[0].shape, False)
    points = np.random.default_rng(2).random((200, 3)).astype(np.float32)
    assert sampler.sample(points).std() > 0
    whole[...] = 4.0
    assert (sampler.sample(points) == 4.0).all()
