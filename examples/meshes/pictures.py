"""Pictures of a mesh in a plane and of two levels of refinement, as models have them.

In: a folder. Out: plane.png and levels.png in it; the values of the models at all samples are
compared with the published ones, and the PSNR of both in dB is printed.

    python examples/meshes/pictures.py pictures
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

import insitu

NX, NY = 96, 64
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


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    plane = [patch((0.0, 0.0), (NX, NY), 3 / NX, 0)]
    coarse, fine = (24, 16), (32, 16)
    levels = [patch((0.0, 0.0), coarse, 0.125, 0), patch((0.5, 0.5), fine, 0.0625, 1)]
    for name, domains in (("plane", plane), ("levels", levels)):
        print(f"{name}: {draw(folder, name, domains):.1f} dB")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "pictures"))
