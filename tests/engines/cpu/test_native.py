"""What is the extension's own: its layout, its builds, its threads, shapes of any kind."""

import importlib
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insitu.engines.cpu import native
from insitu.engines.cpu.engine import native_network, network_arguments
from insitu.engines.cpu.native import lib
from insitu.models.hash_grid.model import HashGrid
from insitu.testing import cases

networks = st.builds(
    HashGrid,
    n_levels=st.integers(1, 6),
    n_features_per_level=st.sampled_from([1, 2, 4, 8]),
    log2_hashmap_size=st.integers(4, 12),
    base_resolution=st.integers(1, 9),
    per_level_scale=st.sampled_from([1.0, 1.3819, 1.5, 2.0]),
    n_neurons=st.sampled_from([16, 32, 64]),
    n_hidden_layers=st.integers(1, 3),
    n_outputs=st.integers(1, 3),
)

NETWORK = HashGrid(n_levels=8, n_features_per_level=2, per_level_scale=1.5, n_outputs=3)
OPTIONS = asdict(cases.OPTIONS)
OPTIONS |= {"threads": 1, "drawn": cases.OPTIONS.drawn, "chosen": cases.OPTIONS.chosen}


@given(networks)
@settings(deadline=None, max_examples=100)
def test_layout_is_the_same(network: HashGrid) -> None:
    native = native_network(network)
    assert native.n_params == network.n_params
    assert native.n_mlp_params == network.n_mlp_params
    for (scale, resolution, size, hashed, offset), level in zip(
        native.levels, network.levels, strict=True
    ):
        assert (resolution, size, hashed, offset) == (
            level.resolution,
            level.size,
            level.hashed,
            level.offset,
        )
        assert scale == level.scale


def test_layout_is_tiny_cuda_nn_s() -> None:
    # 16 x 16 and 16 x 16 hidden, 16 x 16 padded output; levels of 8^3, 16^3, 2^14, 2^14 entries.
    network = HashGrid()
    assert network.n_mlp_params == 3 * 16 * 16
    assert [level.size for level in network.levels] == [512, 4096, 16384, 16384]
    assert [level.hashed for level in network.levels] == [False, False, True, True]
    # 3^3 = 27 entries are padded to 32.
    assert HashGrid(base_resolution=3).levels[0].size == 32


@given(networks, st.integers(1, 300), st.integers(0, 100))
@settings(deadline=None, max_examples=40)
def test_values_of_any_network(network: HashGrid, n: int, seed: int) -> None:
    params, points = cases.parameters(network, seed), cases.points(n, seed)
    expected = network.evaluate(params.astype(np.float64), points)
    got = lib.evaluate(native_network(network), params, points)
    np.testing.assert_allclose(got, expected, atol=5e-5 * max(np.abs(expected).max(), 1e-3))


def sampler_of(block: cases.Block, module: Any = lib) -> Any:
    return module.GridSampler(block.components, block.ghost_layers, block.cells, block.vertex)


BUILDS = sorted(p.name.split(".")[0] for p in Path(native.__file__).parent.glob("_native_*.so"))


@pytest.mark.parametrize("build", BUILDS)
def test_every_build_computes_the_same(build: str) -> None:
    """Each instruction set's build, where this CPU can run it, against the one in use."""
    if not native.runs_here(build.removeprefix("_native_")):
        pytest.skip(f"this CPU lacks the instructions of {build}")
    other = importlib.import_module(f"insitu.engines.cpu.{build}")
    network = NETWORK
    shape, params, points = network_arguments(network), cases.parameters(network), cases.points(500)
    np.testing.assert_allclose(
        other.evaluate(other.Network(**shape), params, points),
        lib.evaluate(native_network(network), params, points),
        atol=1e-4,
    )
    gradients = []
    for module in (lib, other):
        sampler = sampler_of(cases.Block.random(3), module)
        trainer = module.Trainer(
            module.Network(**shape), params, sampler, [0] * 3, [1] * 3, [1] * 3, OPTIONS
        )
        trainer.compute_gradient()
        gradients.append(trainer.gradient)
    np.testing.assert_allclose(*gradients, atol=1e-4 * np.abs(gradients[0]).max())


@pytest.mark.parametrize("threads", [2, 3, 7])
def test_threads_share_a_batch(threads: int) -> None:
    """The same gradient but for the order of its sums; the same bits for the same number."""
    network, params = NETWORK, cases.parameters(NETWORK)
    results = []
    for n in (1, threads, threads):
        sampler = sampler_of(cases.Block.random(3, holes=True))
        trainer = lib.Trainer(
            native_network(network), params, sampler, [0] * 3, [1] * 3, [1] * 3,
            OPTIONS | {"threads": n, "batch": 1000, "drawn": 1000, "chosen": 1000},
        )  # fmt: skip
        trainer.compute_gradient()
        first = trainer.gradient, trainer.loss, trainer.root_mean_square
        assert trainer.run(1e9)
        results.append((*first, trainer.params))
    one, some, again = results
    np.testing.assert_allclose(some[0], one[0], atol=1e-5 * np.abs(one[0]).max())
    np.testing.assert_allclose(some[1:3], one[1:3], rtol=1e-5)
    for a, b in zip(some, again, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("threads", [2, 5])
def test_threads_share_a_block(threads: int) -> None:
    network = replace(NETWORK, n_outputs=1)
    params, n = cases.parameters(network), 60
    line = ((np.arange(n) + 0.5) / n).astype(np.float32)
    data = np.random.default_rng(5).random((n, n, n))
    sampler = lib.GridSampler((data,), ((0, 0),) * 3, data.shape, False)
    points = cases.points(200_001)

    def read(threads: int) -> list[np.ndarray]:
        measured = lib.measure(
            native_network(network),
            params,
            sampler,
            [0.1],
            [2.0],
            0,
            sampler.samples,
            threads=threads,
        )[0]
        return [
            lib.evaluate(native_network(network), params, points, threads),
            lib.evaluate_gradient(native_network(network), params, points, threads),
            lib.evaluate_grid(native_network(network), params, line, line, line, threads),
            np.array([measured["max"], measured["finite"]]),
            # Sums of the parts are added in another order.
            np.array(measured["sum_of_squares"], np.float32),
        ]

    for one, some in zip(read(1), read(threads), strict=True):
        np.testing.assert_array_equal(one, some)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_neurons": 20}, "n_neurons is not a multiple of 16"),
        ({"n_features_per_level": 3}, "n_features_per_level is not one of"),
        ({"n_levels": 0}, "n_levels is not in 1..32"),
        ({"log2_hashmap_size": 40}, "log2_hashmap_size is not in 3..28"),
        ({"per_level_scale": 0.5}, "per_level_scale is not >= 1"),
    ],
)
def test_impossible_shapes_are_refused(change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        _ = native_network(HashGrid(**change))
