"""Pictures of a mesh in a plane, of two levels of refinement and of a periodic domain, as models
have them.

In: a folder. Out: plane.png, lines.png, levels.png and periodic.png in it; the values of the models
at all samples are compared with the published ones, and the PSNR of all in dB is printed.

    python examples/meshes/pictures.py pictures
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

import insitu

NX, NY = 96, 64
N = 48
"""Cells of the periodic domain along each axis."""
TOP = {"look_at": [1.5, 1.0, 0.0], "position": [1.5, 1.0, 10.0], "up": [0, 1, 0], "fov": 12.0}


def field(x: Any, y: Any) -> Any:
    """A front that winds through the domain."""
    return np.tanh(6 * (y - 1 - 0.4 * np.sin(2 * x))) + 0.2 * np.cos(5 * x) * np.sin(4 * y)


def patch(
    low: tuple[float, ...], cells: tuple[int, ...], spacing: float, domain_id: int
) -> dict[str, Any]:
    """A uniform domain of cells along x, y and, where there are three numbers, z."""
    at = [a + spacing * (np.arange(n) + 0.5) for a, n in zip(low, cells, strict=True)]
    grid = np.meshgrid(*at[::-1], indexing="ij")[::-1]
    letters = list(zip("ijk", "xyz", low, cells, strict=False))
    return {
        "state": {"cycle": 0, "time": 0.0, "domain_id": domain_id},
        "coordsets": {
            "coords": {
                "type": "uniform",
                "dims": {letter: n + 1 for letter, _, _, n in letters},
                "origin": {axis: start for _, axis, start, _ in letters},
                "spacing": {f"d{axis}": spacing for _, axis, _, _ in letters},
            }
        },
        "topologies": {"mesh": {"type": "uniform", "coordset": "coords"}},
        "fields": {
            "front": {
                "association": "element",
                "topology": "mesh",
                "values": field(grid[0], grid[1]),
            }
        },
    }


def draw(folder: Path, name: str, domains: list[dict[str, Any]]) -> float:
    """Record the domains, draw them from above -> PSNR in dB at the samples that count."""
    render = {"image_prefix": name, "image_width": 480, "image_height": 320, "camera": TOP}
    plots = {"front": {"type": "pseudocolor", "field": "front"}}
    if len(domains) > 1:
        plots["mesh"] = {"type": "mesh", "field": "front"}
    run = {
        "fields": {"front": {"psnr": 45, "model": "hash_grid"}},
        "window": {"every": 1},
        "output": folder,
        "record": {"path": folder / f"{name}_record"},
        "actions": [
            {"action": "add_scenes", "scenes": {"s": {"plots": plots, "renders": {"r": render}}}}
        ],
    }
    with insitu.open(run, quiet=True) as session:
        session.publish(domains)
        report = session.execute()
    assert report is not None
    recorded = insitu.open_record(folder / f"{name}_record")["front"].sel(step=0)
    errors, values = [], []
    for block in recorded.fields:
        x, y, _ = (0.5 * (line[1:] + line[:-1]) for line in block.nodes)
        true = np.broadcast_to(field(x, y[:, None]), block.shape)
        errors.append((block.decode() - true).ravel())
        values.append(true.ravel())
    extent = np.ptp(np.concatenate(values))
    return float(20 * np.log10(extent / np.sqrt(np.mean(np.concatenate(errors) ** 2))))


def draw_lines(folder: Path) -> None:
    """Contour lines of the front, and streamlines of the flow along it, in a plane."""
    x, y = (3 / NX * (np.arange(n) + 0.5) for n in (NX, NY))
    # Along the lines of equal values of the front's own phase.
    slope = 0.8 * np.cos(2 * x) + 0 * y[:, None]
    plane = patch((0.0, 0.0), (NX, NY), 3 / NX, 0)
    values = {"u": 1.0 + 0 * slope, "v": slope}
    plane["fields"]["flow"] = {"association": "element", "topology": "mesh", "values": values}
    seeds = {
        "type": "line",
        "start": [0.02, 0.15, 0],
        "end": [0.02, 1.9, 0],
        "num_seeds": 12,
        "sampling_type": "uniform",
    }
    flow = {"field": "flow", "seeds": seeds, "num_steps": 400, "step_size": 0.01}
    grey = [{"type": "rgb", "position": end, "color": [0.6, 0.6, 0.62]} for end in (0, 1)]
    # Values within the front: on its plateaus, lines would follow the ripples beside it.
    front = {"field": "front", "iso_values": [-0.6, -0.4, -0.2, 0, 0.2, 0.4, 0.6]}
    pipelines = {
        "levels": {"f1": {"type": "contour", "params": front}},
        "flow": {"f1": {"type": "streamline", "params": flow}},
    }
    plots = {
        "levels": {"type": "pseudocolor", "pipeline": "levels", "field": "front"},
        "flow": {
            "type": "pseudocolor",
            "pipeline": "flow",
            "field": "flow_streamlines",
            "color_table": {"control_points": grey, "annotation": False},
        },
    }
    session_of(folder, "lines", {"front": {"psnr": 60}, "flow": {"psnr": 60}}, plane, [
        {"action": "add_pipelines", "pipelines": pipelines},
        scene("lines", plots, TOP),
    ])  # fmt: skip


def vortices(time: float) -> dict[str, Any]:
    """The vortices of Taylor and Green in a periodic cube, carried along by a uniform wind."""
    at = 2 * np.pi * (np.arange(N) + 0.5) / N
    z, y, x = np.meshgrid(at, at, at, indexing="ij")
    x = x - 1.2 * time
    velocity = [1.2 + np.sin(x) * np.cos(y) * np.cos(z), -np.cos(x) * np.sin(y) * np.cos(z), 0 * z]
    fields = {"velocity": np.stack(velocity, axis=-1)}
    return insitu.mesh.uniform(fields, spacing=2 * np.pi / N, cycle=round(10 * time), time=time)


def draw_periodic(folder: Path, last: float = 4.0) -> None:
    """Pathlines of particles that leave the cube and come back at the other side."""
    seeds = {
        "type": "line",
        "start": [3.6, 0.4, 1.0],
        "end": [3.6, 5.9, 1.0],
        "num_seeds": 10,
        "sampling_type": "uniform",
    }
    paths = {"field": "velocity", "seeds": seeds, "direction": "forward"}
    paths["rendering"] = {"tube_size": 0.04}
    plots = {"p": {"type": "pseudocolor", "pipeline": "paths", "field": "time"}}
    camera = {"azimuth": 15, "elevation": 20, "zoom": 1.1}
    trigger = {
        "condition": f"time() > {last - 0.05}",
        "actions": [scene("periodic", plots, camera)],
    }
    pipelines = {"paths": {"f1": {"type": "pathlines", "params": paths}}}
    actions = [
        {"action": "add_pipelines", "pipelines": pipelines},
        {"action": "add_triggers", "triggers": {"end": {"params": trigger}}},
    ]
    steps = [vortices(time) for time in np.arange(0.0, last + 0.1, 0.5).tolist()]
    fields = {"velocity": {"psnr": 45, "model": "sparse_grid"}}
    more = {"periodic": ["x", "y", "z"], "ghosts": "exchange"}
    session_of(folder, "periodic", fields, steps, actions, **more)


def scene(name: str, plots: Any, camera: Any) -> dict[str, Any]:
    render = {"image_prefix": name, "image_width": 480, "image_height": 320, "camera": camera}
    return {"action": "add_scenes", "scenes": {name: {"plots": plots, "renders": {"r": render}}}}


def session_of(
    folder: Path, name: str, fields: Any, steps: Any, actions: list[Any], **more: Any
) -> None:
    """Publish a step, or several."""
    run = {
        "fields": fields,
        "window": {"every": 1, "steps": 20},
        "output": folder,
        "actions": actions,
        "on_error": "raise",
        **more,
    }
    with insitu.open(run, quiet=True) as session:
        for tree in steps if isinstance(steps, list) else [steps]:
            session.publish(tree)
            session.execute()


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    plane = [patch((0.0, 0.0), (NX, NY), 3 / NX, 0)]
    coarse, fine = (24, 16), (32, 16)
    levels = [patch((0.0, 0.0), coarse, 0.125, 0), patch((0.5, 0.5), fine, 0.0625, 1)]
    for name, domains in (("plane", plane), ("levels", levels)):
        print(f"{name}: {draw(folder, name, domains):.1f} dB")
    draw_lines(folder)
    draw_periodic(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "pictures"))
