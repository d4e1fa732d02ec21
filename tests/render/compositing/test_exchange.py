"""Compositions of 2 to 64 ranks, played by one process: the picture, the bytes, the messages."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insitu.render.compositing.exchange import Exchange
from insitu.render.compositing.fragment import (
    PRECISIONS,
    Canvas,
    Fragment,
    decode,
    encode,
    over,
)
from insitu.render.compositing.schedule import ALGORITHMS
from insitu.render.volume.march import Layer

ANYWHERE = (np.zeros(3), np.ones(3))  # the order is given, boxes are not looked at


def play(
    layers: list[Layer], holders: list[int], n: int, canvas: Canvas, algorithm: str, precision: str
) -> tuple[np.ndarray, Counter]:
    """The picture, and how many messages and bytes went from rank to rank."""
    ranks = [
        Exchange(
            rank,
            n,
            [layer for layer, holder in zip(layers, holders, strict=True) if holder == rank],
            np.array(holders),
            canvas,
            algorithm,
            PRECISIONS[precision],
        )
        for rank in range(n)
    ]
    count: Counter = Counter()
    for i in range(len(ranks[0].rounds)):
        mail: list[dict[int, np.ndarray]] = [{} for _ in range(n)]
        for rank, exchange in enumerate(ranks):
            for to, message in exchange.outgoing(exchange.rounds[i]):
                mail[to][rank] = message
                count["messages"] += 1
                count["bytes"] += message.nbytes
        for exchange, incoming in zip(ranks, mail, strict=True):
            assert sorted(exchange.senders(exchange.rounds[i])) == sorted(incoming)
            exchange.merge(exchange.rounds[i], incoming)
    image = np.zeros((canvas.height, canvas.width, 4), np.float32)
    for exchange in ranks:
        canvas.draw(exchange.part(), image)
    return image, count


def blended(layers: list[Layer], canvas: Canvas) -> np.ndarray:
    """What the picture should be: layers front to back, then the mean of each pixel's samples."""
    s = canvas.supersampling
    image = np.zeros((canvas.height * s, canvas.width * s, 4), np.float32)
    for layer in layers:
        y0, y1, x0, x1 = layer.rectangle
        over(image[y0:y1, x0:x1], layer.rgba)
    return image.reshape(canvas.height, s, canvas.width, s, 4).mean(axis=(1, 3))


def random_layer(rng: np.random.Generator, height: int, width: int) -> Layer:
    """Translucent in places, clear in others, somewhere in the picture, perhaps nowhere."""
    y0, y1 = sorted(rng.integers(0, height + 1, 2).tolist())
    x0, x1 = sorted(rng.integers(0, width + 1, 2).tolist())
    alpha = rng.random((y1 - y0, x1 - x0, 1)) * (rng.random((y1 - y0, x1 - x0, 1)) > 0.4)
    rgb = rng.random((y1 - y0, x1 - x0, 3))
    rgba = np.concatenate((rgb * alpha, alpha), axis=2).astype(np.float32)
    return Layer(rgba, (y0, y1, x0, x1), ANYWHERE)


@settings(max_examples=80, deadline=None)
@given(
    n=st.integers(1, 64),
    n_layers=st.integers(0, 40),
    algorithm=st.sampled_from(ALGORITHMS),
    size=st.tuples(st.integers(1, 23), st.integers(1, 23)),
    supersampling=st.sampled_from((1, 2, 3)),
    seed=st.integers(0, 1000),
)
def test_any_assignment_of_layers_makes_the_same_picture(
    n: int, n_layers: int, algorithm: str, size: tuple[int, int], supersampling: int, seed: int
) -> None:
    if algorithm == "binary-swap":
        n = 1 << (n.bit_length() - 1)
    rng = np.random.default_rng(seed)
    canvas = Canvas(*size, supersampling)
    layers = [
        random_layer(rng, canvas.height * supersampling, canvas.width * supersampling)
        for _ in range(n_layers)
    ]
    holders = rng.integers(0, n, n_layers).tolist()
    expected = blended(layers, canvas)
    image, _ = play(layers, holders, n, canvas, algorithm, "float32")
    np.testing.assert_allclose(image, expected, atol=1e-5)
    image, _ = play(layers, holders, n, canvas, algorithm, "float16")
    assert np.abs(image - expected).max() < 1 / 255


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_bytes_and_messages_against_the_formula(algorithm: str, precision: str) -> None:
    """Full layers, one per rank: (n - 1) pictures, and 12 bytes a message (one run)."""
    canvas = Canvas(40, 30)
    pixel = 4 * PRECISIONS[precision].itemsize
    many = (*range(2, 18), 21, 31, 32, 33, 63, 64)
    for n in many if precision == "float16" else (2, 3, 8, 21):
        if algorithm == "binary-swap" and n & (n - 1):
            continue
        rgba = np.full((30, 40, 4), 0.5, np.float32)
        layers = [Layer(rgba, (0, 30, 0, 40), ANYWHERE)] * n
        _, count = play(layers, list(range(n)), n, canvas, algorithm, precision)
        messages = count["messages"]
        assert count["bytes"] == (n - 1) * canvas.n_pixels * pixel + 12 * messages
        if algorithm == "direct-send":
            assert messages == n * (n - 1)
        elif algorithm == "binary-swap":
            assert messages == n * (n.bit_length() - 1)
        else:
            assert messages <= 4 * n * (n.bit_length() - 1)


@pytest.mark.parametrize("algorithm", ["direct-send", "binary-swap"])
def test_empty_pixels_do_not_travel(algorithm: str) -> None:
    """Layers side by side, each an eighth of the picture: every active pixel, save those that are
    where they belong already, goes once (direct send), or once per round at most (swap)."""
    n, canvas = 8, Canvas(64, 64)
    layers = [
        Layer(np.full((64, 8, 4), 0.5, np.float32), (0, 64, 8 * i, 8 * i + 8), ANYWHERE)
        for i in range(n)
    ]
    _, count = play(layers, list(range(n)), n, canvas, algorithm, "float16")
    pixels = 8 * canvas.n_pixels  # bytes of all that is active
    # Runs of 8, 16 and 32 pixels take 8 bytes each beside their colours.
    if algorithm == "direct-send":
        assert count["bytes"] == 7 / 8 * (pixels + canvas.n_pixels / 8 * 8) + 4 * count["messages"]
    else:
        runs = 8 * canvas.n_pixels * (1 / 8 + 1 / 16 + 1 / 32) / 2
        assert count["bytes"] == 3 / 2 * pixels + runs + 4 * count["messages"]


def test_parts_of_a_small_thing_are_even() -> None:
    """Ranks get like shares of what is shown, wherever in the picture it is."""
    canvas = Canvas(256, 256)
    layer = Layer(np.ones((64, 64, 4), np.float32), (192, 256, 0, 64), ANYWHERE)
    fragment = canvas.fragment(layer)
    parts = [
        len(fragment.within(canvas.n_pixels * i // 16, canvas.n_pixels * (i + 1) // 16))
        for i in range(16)
    ]
    assert parts == [256] * 16


@given(
    active=st.lists(st.booleans(), max_size=60),
    begin=st.integers(0, 2**31),
    precision=st.sampled_from(tuple(PRECISIONS)),
)
def test_messages_are_read_as_they_were_written(
    active: list[bool], begin: int, precision: str
) -> None:
    index = np.flatnonzero(np.array(active, bool)) + begin
    rgba = (np.arange(4 * len(index)).reshape(-1, 4) / 256).astype(np.float32)
    numbers = PRECISIONS[precision]
    sent = [Fragment(index, rgba), Fragment.empty(), Fragment(index[1:], rgba[1:])]
    for got, was in zip(decode(encode(sent, begin, numbers), begin, 3, numbers), sent, strict=True):
        np.testing.assert_array_equal(got.index, was.index)
        np.testing.assert_array_equal(got.rgba, was.rgba)
