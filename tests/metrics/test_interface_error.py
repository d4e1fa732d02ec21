"""The seam metric: errors next to shared faces are told from those inside, by block or by array."""

import math

import numpy as np
import pytest

from insitu.metrics import SeamError, seam_error


def test_a_seam_is_seen() -> None:
    truth = np.random.default_rng(0).normal(size=(8, 9, 10))
    decoded = truth + 0.01
    decoded[3:5] += 0.03  # the layers on both sides of the cut at 4
    found = seam_error(decoded, truth, ([4], [], []))
    assert found.seam.n == 2 * 90
    assert found.inside.n == 6 * 90
    assert found.seam.root_mean_square == pytest.approx(0.04)
    assert found.inside.root_mean_square == pytest.approx(0.01)
    assert found.ratio == pytest.approx(4)


def test_blocks_add_up_to_the_array() -> None:
    rng = np.random.default_rng(1)
    truth, decoded = rng.normal(size=(2, 7, 8, 9))
    whole = seam_error(decoded, truth, ([3], [2, 5], []))
    total = SeamError()
    for z in ((0, 3), (3, 7)):
        for y in ((0, 2), (2, 5), (5, 8)):
            box = (slice(*z), slice(*y))
            shared = ((z[0] > 0, z[1] < 7), (y[0] > 0, y[1] < 8), (False, False))
            total = total + SeamError.of(decoded[box], truth[box], shared)
    assert (total.seam.n, total.inside.n) == (whole.seam.n, whole.inside.n)
    assert total.ratio == pytest.approx(whole.ratio, rel=1e-12)


def test_without_seams_there_is_no_ratio() -> None:
    truth = np.zeros((4, 4, 4))
    assert math.isnan(seam_error(truth + 1, truth, ([], [], [])).ratio)
    assert seam_error(truth, truth, ([2], [], [])).ratio == 1.0
    wrong = truth.copy()
    wrong[2] = 1
    assert seam_error(wrong, truth, ([2], [], [])).ratio == math.inf


def test_refusals() -> None:
    with pytest.raises(ValueError, match="not inside axis 0"):
        seam_error(np.zeros((4, 4, 4)), np.zeros((4, 4, 4)), ([4], [], []))
    with pytest.raises(ValueError, match="expected the same"):
        seam_error(np.zeros((4, 4, 4)), np.zeros((4, 4)), ([], [], []))
    with pytest.raises(ValueError, match="differ"):
        SeamError.of(np.zeros((4, 4, 4)), np.zeros((4, 4, 5)), ((False, False),) * 3)
