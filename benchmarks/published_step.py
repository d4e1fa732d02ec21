"""What it costs to read a published tree: many fields on several domains of one rank.

In: a synthetic tree of tiny domains. Out: milliseconds of CPU time for a step, the least and the
median of several.

    python benchmarks/published_step.py [--fields 80] [--domains 8] [--rounds 15]

The cells are few, so that reading the tree is all there is to it. "A step" is what a session asks
for: state, and the owned blocks of every field, by a `PublishedStep`; at the first step everything
is checked beforehand. "Field by field" calls `mesh.partitions` for each field, which reads the tree
each time, as sessions did before they had a `PublishedStep`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from statistics import median
from time import process_time
from typing import Any

import numpy as np

from insitu.mesh import PublishedStep, partitions, state

CELLS = 8
"""Along each axis of a domain, with a layer of ghosts around it."""


def tree(fields: int, domains: int) -> list[dict[str, Any]]:
    rng = np.random.default_rng(0)
    n = CELLS + 2
    flags = np.ones((n, n, n), np.uint8)
    flags[1:-1, 1:-1, 1:-1] = 0
    lines = {axis: np.arange(n + 1.0) for axis in "xyz"}
    of_cells = {"association": "element", "topology": "mesh"}
    return [
        {
            "state": {"cycle": 1, "time": 0.5, "domain_id": number},
            "coordsets": {"coords": {"type": "rectilinear", "values": lines}},
            "topologies": {"mesh": {"type": "rectilinear", "coordset": "coords"}},
            "fields": {
                "ascent_ghosts": {**of_cells, "values": flags.ravel()},
                **{
                    f"field_{i}": {**of_cells, "values": rng.random(n**3, np.float32)}
                    for i in range(fields)
                },
            },
        }
        for number in range(domains)
    ]


def once(published: object, names: list[str], check: bool = False) -> int:
    step = PublishedStep(published)
    assert step.state.cycle == 1
    if check:
        step.verify()
    return sum(len(step.partitions(name, ghosts="ignore")) for name in names)


def field_by_field(published: object, names: list[str]) -> int:
    assert state(published).cycle == 1
    return sum(len(partitions(published, name, ghosts="ignore")) for name in names)


def milliseconds(work: Callable[[], object], rounds: int) -> list[float]:
    taken = []
    for _ in range(rounds):
        start = process_time()
        work()
        taken.append(1e3 * (process_time() - start))
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--fields", type=int, default=80)
    parser.add_argument("--domains", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    published = tree(arguments.fields, arguments.domains)
    names = [f"field_{i}" for i in range(arguments.fields)]
    print(f"{arguments.fields} fields x {arguments.domains} domains, CPU ms: least, median")
    ways = {
        "a step": once,
        "the first step": lambda *at: once(*at, check=True),
        "field by field": field_by_field,
    }
    for title, read in ways.items():
        assert read(published, names) == arguments.fields * arguments.domains
        taken = milliseconds(lambda read=read: read(published, names), arguments.rounds)
        print(f"  {title:16} {min(taken):8.1f} {median(taken):8.1f}")


if __name__ == "__main__":
    main()
