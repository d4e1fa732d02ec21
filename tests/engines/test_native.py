"""The native engine against the NumPy reference: layout, values, gradients, training steps."""

import importlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insitu.engines.cpu import native
from insitu.engines.cpu.engine import native_network
from insitu.engines.cpu.native import lib
from insitu.models.hash_grid import reference
from insitu.models.hash_grid.model import HashGrid

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

CASES = [
    HashGrid(),  # dense and hashed levels
    HashGrid(n_levels=8, n_features_per_level=2, per_level_scale=1.5, n_outputs=3),
    HashGrid(n_levels=3, n_features_per_level=2, n_outputs=2, n_hidden_layers=1),  # padded inputs
    HashGrid(n_levels=1, n_features_per_level=8, base_resolution=16, n_neurons=32),
    HashGrid(n_levels=5, n_features_per_level=1, log2_hashmap_size=6, n_neurons=64),
]


def random_params(network: HashGrid, seed: int = 0) -> np.ndarray:
    """Weights of the size training ends with, so that round-off is tested where it matters."""
    params = network.initial(seed)
    rng = np.random.default_rng(seed)
    params[network.n_mlp_params :] = rng.normal(0, 0.3, network.n_params - network.n_mlp_params)
    return params


def random_points(n: int, seed: int = 1) -> np.ndarray:
    points = np.random.default_rng(seed).random((n, 3), dtype=np.float32)
    points[: min(n, 8)] = reference.CORNERS[: min(n, 8)]  # the box's own corners
    return points


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
        assert scale == pytest.approx(level.scale, rel=1e-6, abs=1e-6)


def test_layout_is_tiny_cuda_nn_s() -> None:
    # 16 x 16 and 16 x 16 hidden, 16 x 16 padded output; levels of 8^3, 16^3, 2^14, 2^14 entries.
    network = HashGrid()
    assert network.n_mlp_params == 3 * 16 * 16
    assert [level.size for level in network.levels] == [512, 4096, 16384, 16384]
    assert [level.hashed for level in network.levels] == [False, False, True, True]
    # 3^3 = 27 entries are padded to 32.
    assert HashGrid(base_resolution=3).levels[0].size == 32


@pytest.mark.parametrize("network", CASES)
@pytest.mark.parametrize("n", [1, 7, 128, 333])
def test_values(network: HashGrid, n: int) -> None:
    params, points = random_params(network), random_points(n)
    expected = reference.evaluate(network, params.astype(np.float64), points)
    got = lib.evaluate(native_network(network), params, points)
    assert got.shape == (n, network.n_outputs)
    np.testing.assert_allclose(got, expected, atol=2e-5 * np.abs(expected).max())


@given(networks, st.integers(1, 300), st.integers(0, 100))
@settings(deadline=None, max_examples=40)
def test_values_of_any_network(network: HashGrid, n: int, seed: int) -> None:
    params, points = random_params(network, seed), random_points(n, seed)
    expected = reference.evaluate(network, params.astype(np.float64), points)
    got = lib.evaluate(native_network(network), params, points)
    np.testing.assert_allclose(got, expected, atol=5e-5 * max(np.abs(expected).max(), 1e-3))


@pytest.mark.parametrize("network", CASES)
def test_gradient_of_points(network: HashGrid) -> None:
    params, points = random_params(network), random_points(200)[8:]
    got = lib.evaluate_gradient(native_network(network), params, points)
    assert got.shape == (192, network.n_outputs, 3)
    for output in range(network.n_outputs):
        one = np.zeros((len(points), network.n_outputs))
        one[:, output] = 1
        _, expected = reference.backward(network, params.astype(np.float64), points, one)
        # A point within round-off of a cell's face may be given either side's slope.
        close = np.isclose(got[:, output], expected, atol=1e-3 * np.abs(expected).max())
        assert close.mean() > 0.99


@pytest.mark.parametrize("network", CASES[:3])
def test_gradient_is_the_slope(network: HashGrid) -> None:
    params = random_params(network).astype(np.float64)
    points = random_points(60)[8:].astype(np.float64)
    one = np.zeros((len(points), network.n_outputs))
    one[:, 0] = 1
    _, gradient = reference.backward(network, params, points, one)
    h = 1e-6
    for axis in range(3):
        step = np.zeros(3)
        step[axis] = h
        up = reference.evaluate(network, params, points + step)[:, 0]
        down = reference.evaluate(network, params, points - step)[:, 0]
        slope = (up - down) / (2 * h)
        close = np.isclose(gradient[:, axis], slope, rtol=1e-3, atol=1e-3 * np.abs(slope).max())
        assert close.mean() > 0.95  # the rest straddles a face or a kink of the ReLU


@pytest.mark.parametrize("network", CASES)
@pytest.mark.parametrize("shape", [(5, 7, 11), (300, 3, 2), (1, 1, 1), (1, 40, 9)])
def test_grid_is_points(network: HashGrid, shape: tuple[int, int, int]) -> None:
    params = random_params(network)
    xs, ys, zs = (np.linspace(0, 1, n, dtype=np.float32) for n in shape)
    z, y, x = np.meshgrid(zs, ys, xs, indexing="ij")
    points = np.stack([x, y, z], axis=-1).reshape(-1, 3)
    grid = lib.evaluate_grid(native_network(network), params, xs, ys, zs)
    assert grid.shape == (*reversed(shape), network.n_outputs)
    expected = reference.evaluate(network, params.astype(np.float64), points)
    got = grid.reshape(-1, network.n_outputs)
    np.testing.assert_allclose(got, expected, atol=2e-5 * np.abs(expected).max())


def test_a_grid_need_not_be_sorted_or_even() -> None:
    network = HashGrid(n_levels=3, base_resolution=500, per_level_scale=1.5)  # many lines per chunk
    params = random_params(network)
    rng = np.random.default_rng(0)
    xs, ys, zs = (rng.random(n, dtype=np.float32) for n in (70, 3, 2))
    z, y, x = np.meshgrid(zs, ys, xs, indexing="ij")
    expected = lib.evaluate(
        native_network(network), params, np.stack([x, y, z], axis=-1).reshape(-1, 3)
    )
    grid = lib.evaluate_grid(native_network(network), params, xs, ys, zs)
    np.testing.assert_allclose(grid.reshape(-1, 1), expected, atol=1e-4)


def test_no_points() -> None:
    network = CASES[0]
    points = np.zeros((0, 3), np.float32)
    assert lib.evaluate(native_network(network), random_params(network), points).shape == (0, 1)


OPTIONS = {
    "batch": 300,
    "learning_rate": 1e-2,
    "final_rate": 0.1,
    "decay": "exponential",
    "iterations": 20,
    "seconds": 1e9,
    "loss_threshold": 0.0,
    "error_threshold": 0.0,
    "average": 0.9,
    "approach": 0.0,
    "huber": 0.02,
    "beta1": 0.9,
    "beta2": 0.999,
    "epsilon": 1e-8,
    "l2": 1e-9,
    "seed": 7,
    "boundary_share": 0.15,
    "boundary_sigma": 0.005,
    "threads": 1,
}


def block(components: int = 1, nan: bool = False) -> tuple[list[np.ndarray], object]:
    rng = np.random.default_rng(3)
    arrays = [rng.random((6, 7, 9)) for _ in range(components)]
    if nan:
        arrays[0][2:4, 3, 4] = np.nan
        arrays[0][1, 1, 1] = np.inf
    ghost_layers = ((1, 0), (1, 1), (0, 1))
    return arrays, lib.GridSampler(tuple(arrays), ghost_layers, (5, 5, 8), False)


def target_of(arrays: list[np.ndarray], points: np.ndarray) -> np.ndarray:
    return np.stack(
        [reference.trilinear(a, (1, 1, 0), (5, 5, 8), False, points) for a in arrays], axis=1
    )


def test_draw() -> None:
    for iteration in (0, 5):
        got = lib.draw(7, 0.15, 0.005, iteration, 1000)
        expected = reference.draw(7, 0.15, 0.005, iteration, 1000)
        np.testing.assert_allclose(got, expected, atol=1e-6)
        assert got.min() >= 0 and got.max() <= 1


def test_draw_has_the_distribution_of_the_paper() -> None:
    from scipy import stats

    points = lib.draw(1, 0.15, 0.005, 0, 200_000)
    near, uniform = points[:30_000], points[30_000:]
    for axis in range(3):
        assert stats.kstest(uniform[:, axis], "uniform").pvalue > 1e-4
    distance = np.minimum(near, 1 - near).min(axis=1)
    assert stats.kstest(distance, "halfnorm", (0, 0.005)).pvalue > 1e-6
    faces = np.stack([near, 1 - near], axis=2).reshape(-1, 6).argmin(axis=1)
    assert np.bincount(faces, minlength=6).min() > 4700


@pytest.mark.parametrize("nan", [False, True])
def test_targets(nan: bool) -> None:
    arrays, sampler = block(2, nan)
    points = random_points(5000)
    got = sampler.sample(points)
    expected = target_of(arrays, points)
    finite = np.isfinite(expected)
    assert (np.isfinite(got) == finite).mean() > 0.999
    both = finite & np.isfinite(got)
    np.testing.assert_allclose(got[both], expected[both], atol=1e-5)


@pytest.mark.parametrize("network", CASES)
@pytest.mark.parametrize("nan", [False, True])
@pytest.mark.parametrize("huber", [0.0, 0.3])
def test_training_gradient(network: HashGrid, nan: bool, huber: float) -> None:
    arrays, sampler = block(network.n_outputs, nan)
    params = random_params(network)
    low, extent = [0.1] * network.n_outputs, [0.7] * network.n_outputs
    options = OPTIONS | {"huber": huber}
    trainer = lib.Trainer(native_network(network), params, sampler, low, extent, extent, options)
    trainer.compute_gradient()

    points = reference.draw(7, 0.15, 0.005, 0, 300)
    targets = (target_of(arrays, points) - 0.1) / 0.7
    double = params.astype(np.float64)
    loss, slope = reference.huber_loss(reference.evaluate(network, double, points), targets, huber)
    expected, _ = reference.backward(network, double, points, slope)
    assert trainer.loss == pytest.approx(loss, rel=1e-4)
    np.testing.assert_allclose(
        trainer.gradient, expected, atol=1e-4 * np.abs(expected).max(), rtol=1e-3
    )


@pytest.mark.parametrize("decay", ["exponential", "cosine"])
def test_training_steps(decay: str) -> None:
    network = HashGrid(n_levels=2, base_resolution=3, log2_hashmap_size=6, n_outputs=2)
    arrays, sampler = block(2)
    params = random_params(network)
    options = OPTIONS | {"decay": decay}
    trainer = lib.Trainer(native_network(network), params, sampler, [0, 0], [1, 1], [1, 1], options)
    adam, expected = reference.Adam(), params.astype(np.float64)
    for iteration in range(3):
        points = reference.draw(7, 0.15, 0.005, iteration, 300)
        outputs = reference.evaluate(network, expected, points)
        _, slope = reference.huber_loss(outputs, target_of(arrays, points), 0.02)
        gradient, _ = reference.backward(network, expected, points, slope)
        p = iteration / 20
        factor = 0.1**p if decay == "exponential" else 0.1 + 0.45 * (1 + np.cos(np.pi * p))
        expected = adam.update(network, expected, gradient, 1e-2 * factor)
        trainer.step()
        # Adam divides by the gradient's own size: entries with a gradient of round-off size
        # may step either way, all others agree.
        close = np.isclose(trainer.params, expected, atol=1e-4)
        assert close.mean() > 0.995


BUILDS = sorted(p.name.split(".")[0] for p in Path(native.__file__).parent.glob("_native_*.so"))


@pytest.mark.parametrize("build", BUILDS)
def test_every_build_computes_the_same(build: str) -> None:
    """Each instruction set's build, where this CPU can run it, against the one in use."""
    if not native.runs_here(build.removeprefix("_native_")):
        pytest.skip(f"this CPU lacks the instructions of {build}")
    other = importlib.import_module(f"insitu.engines.cpu.{build}")
    network = CASES[1]
    shape, params, points = network.to_dict(), random_params(network), random_points(500)
    np.testing.assert_allclose(
        other.evaluate(other.Network(**shape), params, points),
        lib.evaluate(native_network(network), params, points),
        atol=1e-4,
    )
    arrays, _ = block(3)
    gradients = []
    for module in (lib, other):
        sampler = module.GridSampler(tuple(arrays), ((1, 0), (1, 1), (0, 1)), (5, 5, 8), False)
        trainer = module.Trainer(
            module.Network(**shape), params, sampler, [0] * 3, [1] * 3, [1] * 3, OPTIONS
        )
        trainer.compute_gradient()
        gradients.append(trainer.gradient)
    np.testing.assert_allclose(*gradients, atol=1e-4 * np.abs(gradients[0]).max())


def test_training_is_deterministic() -> None:
    network = HashGrid(log2_hashmap_size=10)
    results = []
    for _ in range(2):
        _arrays, sampler = block()
        trainer = lib.Trainer(
            native_network(network), network.initial(0), sampler, [0], [1], [1], OPTIONS
        )
        assert trainer.run(1e9)
        assert trainer.iteration == 20
        results.append(trainer.params)
    np.testing.assert_array_equal(results[0], results[1])


@pytest.mark.parametrize("threads", [2, 3, 7])
def test_threads_share_a_batch(threads: int) -> None:
    """The same gradient but for the order of its sums; the same bits for the same number."""
    network = CASES[1]
    results = []
    for n in (1, threads, threads):
        _, sampler = block(3, nan=True)
        trainer = lib.Trainer(
            native_network(network), random_params(network), sampler, [0] * 3, [1] * 3, [1] * 3,
            OPTIONS | {"threads": n, "batch": 1000},
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
    network = replace(CASES[1], n_outputs=1)
    params, n = random_params(network), 60
    line = ((np.arange(n) + 0.5) / n).astype(np.float32)
    data = np.random.default_rng(5).random((n, n, n))
    sampler = lib.GridSampler((data,), ((0, 0),) * 3, data.shape, False)
    points = random_points(200_001)

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


@pytest.mark.parametrize("scale, offset", [(1e-150, 0.0), (1e100, 0.0), (1e-3, 1e6)])
def test_double_precision_reaches_the_network(scale: float, offset: float) -> None:
    """What varies little around a large mean, or far from 1, is the same to the network."""
    network = HashGrid(log2_hashmap_size=8)
    (array,), _ = block()
    params = []
    for data in (array, array * scale + offset):
        sampler = lib.GridSampler((data,), ((1, 0), (1, 1), (0, 1)), (5, 5, 8), False)
        low, extent = data.min(), np.ptp(data)
        trainer = lib.Trainer(
            native_network(network), network.initial(0), sampler, [low], [extent], [1], OPTIONS
        )
        trainer.compute_gradient()
        params.append(trainer.gradient)
    np.testing.assert_allclose(*params, atol=2e-5 * np.abs(params[0]).max())


def test_a_range_without_an_inverse_counts_as_constant() -> None:
    network = HashGrid(log2_hashmap_size=8)
    data = (np.random.default_rng(0).random((4, 4, 4)) * 1e-40).astype(np.float32)
    sampler = lib.GridSampler((data,), ((0, 0),) * 3, data.shape, False)
    trainer = lib.Trainer(
        native_network(network), network.initial(0), sampler, [0], [1e-40], [1], OPTIONS
    )
    assert trainer.run(1e9)
    assert np.isfinite(trainer.params).all() and trainer.loss < 0.1


def test_training_stops_on_its_thresholds() -> None:
    network = HashGrid(log2_hashmap_size=10)
    for threshold in ("loss_threshold", "error_threshold"):
        _, sampler = block()
        options = OPTIONS | {threshold: 10.0, "iterations": 1000}
        trainer = lib.Trainer(
            native_network(network), network.initial(0), sampler, [0], [1], [1], options
        )
        assert trainer.run(1e9)
        assert trainer.iteration == 16  # the averages are not believed earlier


def test_the_rate_falls_with_the_distance_from_the_threshold() -> None:
    """From so many dB above it the square root of what is missing, no less than the last rate."""
    network = HashGrid(log2_hashmap_size=10)
    _, sampler = block()
    change = {}
    for threshold in (0.0, 1e-6, 0.5, 1.0, 1.9):  # of the first batch's error
        options = OPTIONS | {"approach": 12.0, "decay": "cosine", "iterations": 10**9}
        first = network.initial(0)
        trainer = lib.Trainer(native_network(network), first, sampler, [0], [1], [1], options)
        trainer.compute_gradient()
        trainer.error_threshold = threshold * trainer.root_mean_square
        trainer.step()  # adds the same batch's gradient again: Adam's first step has size 1
        change[threshold] = np.abs(trainer.params - first).max()
    assert change[0.0] == pytest.approx(1e-2, rel=1e-3)
    assert change[1e-6] == pytest.approx(1e-2, rel=1e-3)
    assert change[0.5] == pytest.approx(1e-2 * np.sqrt(20 * np.log10(2) / 12), rel=1e-3)
    assert change[1.0] == pytest.approx(1e-3, rel=1e-3)
    assert change[1.9] == pytest.approx(1e-3, rel=1e-3)


def test_a_block_outlives_its_arrays_names() -> None:
    _, sampler = block()  # the arrays are out of scope now
    assert np.isfinite(sampler.sample(random_points(100))).all()


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


def test_wrong_arrays_are_refused() -> None:
    network = CASES[0]
    with pytest.raises(ValueError, match="params: expected shape"):
        lib.evaluate(native_network(network), np.zeros(3, np.float32), random_points(1))
    with pytest.raises(ValueError, match="points: expected shape"):
        lib.evaluate(native_network(network), random_params(network), np.zeros((3, 2), np.float32))
    with pytest.raises(ValueError, match="cells and ghost layers make"):
        lib.GridSampler((np.zeros((3, 3, 3)),), ((0, 0),) * 3, (3, 3, 4), False)
    with pytest.raises(TypeError, match="float32 or float64"):
        lib.GridSampler((np.zeros((3, 3, 3), int),), ((0, 0),) * 3, (3, 3, 3), False)
    with pytest.raises(TypeError, match="expected NumPy arrays"):
        lib.GridSampler(([[[1.0]]],), ((0, 0),) * 3, (1, 1, 1), False)
