"""Nonsense anywhere in a run file's actions: an error, or understood and valid by the schema."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from insitu import actions
from insitu.core import yaml_tree
from insitu.core.errors import ConfigError
from insitu.core.yaml_tree import Places
from tests.support.schema_checks import mistakes

TEXT = """
fields: {rho: {psnr: 40}, u: {components: [ux, uy, uz]}}
actions:
  - action: add_queries
    queries: {q: {params: {expression: "max(field('rho'))", name: peak}}}
  - action: add_pipelines
    pipelines:
      a:
        f1: {type: clip, params: {sphere: {center: {x: 0, y: 0, z: 0}, radius: 1}, invert: "true"}}
        f2: {type: contour, params: {field: rho, iso_values: [1, 2]}}
      b:
        pipeline: c
        f1:
          type: slice
          params: {point: {x_offset: 0, y_offset: 0, z_offset: 0.5}, normal: [0, 0, 1], topology: t}
      c: {f1: {type: vector_magnitude, params: {field: u, output_name: speed}}}
      d:
        f1:
          type: pathlines
          params:
            field: u
            window: 3
            method: rk45
            seeds:
              type: box
              sampling_space: interior
              sampling_type: uniform
              num_seeds_x: 1
              num_seeds_y: 2
              num_seeds_z: 3
              extents_x: [0, 1]
              extents_y: [0, 1]
              extents_z: [0, 1]
            rendering: {tube_size: 0.5}
      e: {f1: {type: threshold, params: {field: rho, min_value: 0, max_value: 1}}}
  - action: add_scenes
    scenes:
      s:
        window: all
        plots:
          p:
            type: volume
            field: rho
            color_table:
              name: Jet
              reverse: true
              control_points:
                - {type: alpha, position: 0, alpha: 1}
                - {type: rgb, position: 1, color: [1, 0, 0]}
            min_value: 0
            max_value: 1
            samples: 3
            shading: false
          q: {type: pseudocolor, field: rho, pipeline: a}
        renders:
          r:
            image_prefix: a
            image_width: 3
            camera: {position: [1, 2, 3], zoom: 2}
            bg_color: [1, 1, 1]
            annotations: "false"
            dataset_bounds: [0, 1, 0, 1, 0, 1]
            title: x
          c: {type: cinema, db_name: d, phi: 2, theta_range: [0, 1], dtheta: 1}
  - action: add_extracts
    extracts:
      e1: {type: relay, pipeline: e, window: 2, params: {path: x, protocol: vtk, fields: [rho]}}
      e2: {type: python, params: {source: "a = 1", fields: [rho]}}
      e3: {type: movie, params: {scene: s, render: r, path: m.gif, fps: 3}}
  - action: add_triggers
    triggers:
      t:
        params:
          condition: peak > 1
          mode: edge
          cooldown: 3
          max_firings: 3
          callback: a:b
          actions:
            - action: add_scenes
              scenes: {s2: {plots: {p: {type: volume, field: rho}}}}
"""


def paths(tree: Any, above: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    """Of all values in a tree, at any depth."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for key, value in items:
        yield (*above, key)
        if isinstance(value, dict | list):
            yield from paths(value, (*above, key))


def understood(tree: Any) -> bool:
    try:
        actions.load(copy.deepcopy(tree))
    except ConfigError:
        return False
    return True


@pytest.mark.parametrize("nonsense", [None, -1.5, [[1]], {"type": ["a"]}])
def test_nonsense_anywhere(nonsense: Any) -> None:
    tree = yaml_tree.parse(TEXT, Places("run file", None))  # type: ignore[arg-type]
    assert understood(tree) and mistakes(tree) == []
    tried = 0
    for *above, last in paths(tree["actions"], ("actions",)):
        wrong = copy.deepcopy(tree)
        holder = wrong
        for key in above:
            holder = holder[key]
        holder[last] = nonsense
        assert not understood(wrong) or mistakes(wrong) == [], (*above, last)
        tried += 1
    assert tried > 150
