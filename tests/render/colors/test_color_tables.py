"""Colour tables by name: Ascent's own, those of its pages, and those that there are not."""

import numpy as np
import pytest

from insitu.render.color_map import ColorTable
from insitu.render.colors.color_spaces import BLENDS, blended
from insitu.render.colors.color_tables import ALIASES, COLOR_TABLES, color_table

ON_THE_PAGE = (
    *("Cool to Warm", "Black-Body Radiation", "Inferno"),
    *("Cold and Hot", "Rainbow Desaturated", "Cool to Warm (Extended)", "X Ray"),
    *("Black, Blue and White", "Viridis", "Linear Green", "Jet", "Rainbow"),
)
"""As Ascent's page on scenes lists them, except two of which only pictures are published."""


@pytest.mark.parametrize("name", [*ON_THE_PAGE, *COLOR_TABLES, *ALIASES])
def test_every_table_has_colours(name: str) -> None:
    positions, colors, _ = color_table(name.upper())
    assert positions[0] == 0 and positions[-1] == 1 and (np.diff(positions) > 0).all()
    assert colors.shape == (len(positions), 3) and colors.min() >= 0 and colors.max() <= 1
    assert len(np.unique(colors, axis=0)) > 1


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("Samsel Fire", "Inferno"),
        ("Linear YGB", "YlGnBu"),
    ],
)
def test_tables_that_there_are_not(name: str, instead: str) -> None:
    with pytest.raises(ValueError, match=f"insitu has no table '{name}'; use .*{instead}"):
        color_table(name)


@pytest.mark.parametrize(
    ("name", "at", "colors"),
    [
        # Control points in Devil Ray's sources, with channels in 0..1.
        ("3w_gby", 0.250131, (0.423529, 0.501961, 0.47451)),
        ("3w_gby", 0.865902, (0.890196, 0.760784, 0.329412)),
        ("rambo", 0.427, (0, 0.49803, 0)),
        ("CubicYF", 7 / 15, (0.2210, 0.7123, 0.7258)),
        ("cool2warm", 0.0431, (0.3811, 0.36, 0.8213)),
        ("temperature", 0.02, (0, 0, 1)),
        ("levels", 0.39, (0, 1, 1)),
    ],
)
def test_devil_ray_published_these_colours(
    name: str, at: float, colors: tuple[float, float, float]
) -> None:
    positions, channels = ColorTable(name).colors()
    found = [np.interp(at, positions, channels[:, i]) for i in range(3)]
    np.testing.assert_allclose(found, colors, atol=2 / 255)


@pytest.mark.parametrize(
    ("name", "at", "colors"),
    [
        # Mikhailov, "Turbo, an improved rainbow colormap for visualization", 2019: its ends, and
        # the green in the middle.
        ("Turbo", 0.0, (0.190, 0.072, 0.232)),
        ("Turbo", 128 / 255, (0.644, 0.990, 0.234)),
        ("Turbo", 1.0, (0.480, 0.016, 0.011)),
        # Nunez, Anderton, Renslow, "Optimizing colormaps with consideration for color vision
        # deficiency", 2018.
        ("Cividis", 0.0, (0.0, 0.135, 0.305)),
        ("Cividis", 1.0, (0.996, 0.909, 0.217)),
    ],
)
def test_tables_for_values_without_a_middle(
    name: str, at: float, colors: tuple[float, float, float]
) -> None:
    positions, channels = ColorTable(name).colors()
    found = [np.interp(at, positions, channels[:, i]) for i in range(3)]
    np.testing.assert_allclose(found, colors, atol=2.5 / 255)


def test_discrete_colours_do_not_blend() -> None:
    positions, colors = ColorTable("Set2", discrete=True).colors()
    plain = color_table("Set2").colors
    at = (np.arange(8) + 0.3) / 8
    for channel in range(3):
        found = np.interp(at, positions, colors[:, channel])
        np.testing.assert_allclose(found, plain[:, channel])


@pytest.mark.parametrize(
    ("name", "published"),
    [
        # matplotlib, _cm_listed.py: entries 0, 64, 128, 192 and 255 of 256.
        ("Viridis", "440154 3b528b 21918c 5ec962 fde725"),
        ("Inferno", "000004 57106e bc3754 f98e09 fcffa4"),
        ("Plasma", "0d0887 7e03a8 cc4778 f89540 f0f921"),
        ("Magma", "000004 51127c b73779 fc8961 fcfdbf"),
    ],
)
def test_matplotlib_published_these_colours(name: str, published: str) -> None:
    expected = [list(bytes.fromhex(color)) for color in published.split()]
    positions, colors = ColorTable(name).colors()
    at = np.array([0, 64, 128, 192, 255]) / 255
    found = np.stack([np.interp(at, positions, colors[:, i]) for i in range(3)], axis=1)
    np.testing.assert_allclose(255 * found, expected, atol=2.1)


def test_moreland_published_these_colours() -> None:
    """Diverging Color Maps for Scientific Visualization, table of 33 values: every fourth one."""
    published = "3b4cc0 6282ea 8db0fe b8d0f9 dddddd f5c4ad f4987a de604d b40426"
    expected = [list(bytes.fromhex(color)) for color in published.split()]
    positions, colors = ColorTable("Cool to Warm").colors()
    at = np.linspace(0, 1, 9)
    found = np.stack([np.interp(at, positions, colors[:, i]) for i in range(3)], axis=1)
    np.testing.assert_allclose(255 * found, expected, atol=2.1)


def test_a_point_joins_a_table_in_its_colour_space() -> None:
    """As in VTK-m: the neighbours of the new point are blended with it, not the old curve."""
    points = (0.25, 1.0, 0.0, 0.0)
    positions, colors = ColorTable("Cool to Warm", rgb=(points,)).colors()
    found = [np.interp(0.248, positions, colors[:, i]) for i in range(3)]
    np.testing.assert_allclose(found, points[1:], atol=0.2)


def test_colours_between_those_of_another_space_are_close_enough() -> None:
    for name, (blend, _) in COLOR_TABLES.items():
        if blend == "RGB":
            continue
        own_positions, own_colors, _ = color_table(name)
        at = np.linspace(0, 1, 1001)
        exact = blended(BLENDS[blend], own_positions, own_colors, at)
        positions, colors = ColorTable(name).colors()
        found = np.stack([np.interp(at, positions, colors[:, i]) for i in range(3)], axis=1)
        assert np.abs(found - exact).max() < 1 / 255, name


def test_hot_and_cold_ends() -> None:
    """Devil Ray's ColdAndHot is the reverse of VTK-m's Cold and Hot, and HotAndCold is the same."""
    cold_and_hot = color_table("ColdAndHot").colors
    np.testing.assert_allclose(cold_and_hot, color_table("Cold and Hot").colors[::-1])
    np.testing.assert_allclose(color_table("HotAndCold").colors, cold_and_hot[::-1])
