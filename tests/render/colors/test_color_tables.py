"""Colour tables by name: Ascent's own, those of its pages, and those that there are not."""

import numpy as np
import pytest

from insitu.render.color_map import ColorTable
from insitu.render.colors.color_tables import ALIASES, COLOR_TABLES, color_table

ON_THE_PAGE = (
    *("Cool to Warm", "Black-Body Radiation", "Samsel Fire", "Inferno", "Linear YGB"),
    *("Cold and Hot", "Rainbow Desaturated", "Cool to Warm (Extended)", "X Ray"),
    *("Black, Blue and White", "Viridis", "Linear Green", "Jet", "Rainbow"),
)
"""As Ascent's page on scenes lists them."""


@pytest.mark.parametrize("name", [*ON_THE_PAGE, *COLOR_TABLES, *ALIASES])
def test_every_table_has_colours(name: str) -> None:
    positions, colors = color_table(name.upper())
    assert positions[0] == 0 and positions[-1] == 1 and (np.diff(positions) > 0).all()
    assert colors.shape == (len(positions), 3) and colors.min() >= 0 and colors.max() <= 1
    assert len(np.unique(colors, axis=0)) > 1


@pytest.mark.parametrize(
    ("name", "instead"),
    [("3w_gby", "a colour map from ParaView"), ("gr-insert_0-10", "Gray"), ("rambo", "Rainbow")],
)
def test_tables_that_there_are_not(name: str, instead: str) -> None:
    with pytest.raises(ValueError, match=f"insitu has no table '{name}'; use .*{instead}"):
        color_table(name)


def test_discrete_colours_do_not_blend() -> None:
    positions, colors = ColorTable("Set2", discrete=True).colors()
    _, plain = color_table("Set2")
    at = (np.arange(8) + 0.3) / 8
    for channel in range(3):
        found = np.interp(at, positions, colors[:, channel])
        np.testing.assert_allclose(found, plain[:, channel])
