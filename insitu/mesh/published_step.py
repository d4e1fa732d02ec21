"""The data that a simulation publishes at one step, read once.

In: a Blueprint tree (nested mapping or conduit.Node; one domain, several or none).
Out: `PublishedStep`: cycle and time, field names, and one `Partition` per domain of any field,
whose arrays are the simulation's own memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from insitu.core.arrays import Array
from insitu.mesh import levels
from insitu.mesh.partition import Partition
from insitu.mesh.published_domain import PublishedDomain
from insitu.mesh.tree import MeshError, Tree, find, number, prefixed, trees

T = TypeVar("T")

GHOST_FIELD = "ascent_ghosts"
GHOST_MODES = ("trust", "ignore", "exchange")


@dataclass(frozen=True)
class State:
    """Cycle and time as published; None where the tree lacks them (or the rank has no tree)."""

    cycle: int | None
    time: float | None


def _whole(path: str, value: float) -> int:
    if not abs(value) < 2**63 or value != int(value):
        raise MeshError(f"{path}: {value:g}, expected a whole number within 64 bits")
    return int(value)


class PublishedStep:
    """This rank's part of one step. Nothing here is collective.

    The tree is converted to plain mappings immediately; grids, ghosts, fields and partitions are
    read on first access and cached. An object is valid for one step only: as the simulation
    continues, it changes its arrays and publishes again.

    A single rank can fail: use it inside `parallel.together`. Errors are MeshErrors that start with
    the invalid path, after "domain <id>: " where the rank has several domains.
    """

    def __init__(
        self, tree: object, *, ghost_field: str | Sequence[str] | None = GHOST_FIELD
    ) -> None:
        """
        Args:
            tree: None, a domain, a list of domains or a mapping of names to domains; nested
                mappings (keys may be paths) or conduit nodes. Arrays are x fastest: flat with any
                stride, shaped (nz, ny, nx), or (nx, ny, nz) in Fortran order. They are used in
                place, neither copied nor written; but what a `numpy.ma` mask hides is NaN, in a
                copy.
            ghost_field: the field, or fields, that flag ghost cells. A tree (or a topology)
                without them has no ghosts, as when this is None.
        """
        self._trees, self.ghost_field = trees(tree), ghost_field
        self._thickness: float | None = None
        self._domains_read: list[PublishedDomain] | None = None
        self._partitions: dict[tuple[str, tuple[str, ...], bool], list[Partition]] = {}

    @classmethod
    def of(cls, published: object, ghost_field: str | Sequence[str] | None) -> PublishedStep:
        """`published` itself if it is a PublishedStep with the same ghost field; otherwise a new
        one."""
        if not isinstance(published, PublishedStep):
            return cls(published, ghost_field=ghost_field)
        if published.ghost_field == ghost_field:
            return published
        return cls(published._trees, ghost_field=ghost_field)

    @cached_property
    def state(self) -> State:
        """`state/cycle` and `state/time` of the first domain that has them."""
        cycle, time = (
            next((number(t, path) for t in self._trees if find(t, path) is not None), None)
            for path in ("state/cycle", "state/time")
        )
        return State(None if cycle is None else _whole("state/cycle", cycle), time)

    @property
    def domains(self) -> list[Tree]:
        """The domains as plain mappings; [] for a rank that has none. A tree with nothing but
        `state` is not a domain."""
        return [tree for tree in self._trees if set(tree) - {"state"}]

    @cached_property
    def field_names(self) -> list[str]:
        """The fields of all domains in order, without the ghost flags. Scalars a_x, a_y and a_z
        also give the vector a."""
        found = self.each(lambda domain: domain.field_names)
        return list(dict.fromkeys(name for names in found for name in names))

    def verify(self, fields: Sequence[str] | None = None) -> None:
        """Check everything, or only what `fields` need.

        Checks coordinates, topologies, ghost flags, and that every field fits its topology; for
        unstructured and curvilinear meshes (see `cells`), coordinates and topologies only.

        Raises MeshError for the first problem.
        """
        self.each(lambda domain: domain.verify(fields))

    def partitions(
        self, field: str | Sequence[str], *, name: str | None = None, ghosts: str = "trust"
    ) -> list[Partition]:
        """The `Partition` of each domain of this rank that has the field, [] where the rank has no
        domain; of several boxes, where a domain's owned cells fill no box (see `ghost_boxes`).

        Args:
            field: a published field, scalar or vector; or several scalars, which become the
                components of one vector, as a_x, a_y and a_z do for a. Integers are read as
                float32, those of more than 16 bits as float64.
            name: the name of the result; by default `field`, or the names joined by commas.
            ghosts: "trust" includes the valid ghost layer next to the owned cells; "ignore" takes
                owned values only; "exchange" does so too, and `mesh.exchange` adds the layers.

        Raises:
            MeshError: the tree is invalid, or the rank has domains, and none has the field.
            ValueError: an unknown `ghosts` mode, or no field.
        """
        if ghosts not in GHOST_MODES:
            raise ValueError(f"ghosts: '{ghosts}' is not one of {', '.join(GHOST_MODES)}")
        names = (field,) if isinstance(field, str) else tuple(field)
        if not names:
            raise ValueError("field: no name given")
        called, layers = name or ",".join(names), ghosts == "trust"
        key = (called, names, layers)
        if key not in self._partitions:
            somewhere = self.has(names)

            def read(domain: PublishedDomain) -> list[Partition]:
                if somewhere and not domain.has(names):
                    return []
                return domain.partitions(names, called, layers=layers)

            self._partitions[key] = [part for parts in self.each(read) for part in parts]
        return list(self._partitions[key])

    def has(self, fields: Sequence[str]) -> bool:
        """Whether any domain of this rank has all of these fields."""
        return any(domain.names_all(fields) for domain in self.domains_read)

    def is_made_of_cells(self, field: str) -> bool:
        """Whether a field lies on an unstructured or curvilinear topology, in any domain of this
        rank, and must be resampled."""
        return any(self.each(lambda domain: domain.is_made_of_cells(field)))

    def hide_covered(self, topologies: Sequence[str], every: Array) -> None:
        """Leave out the cells of this rank's domains that finer domains cover, whose places are
        theirs. `every`: the `levels.owned_boxes` of all ranks."""
        levels.hide_covered(self.domains_read, topologies, every)
        self._partitions.clear()

    @property
    def thickness(self) -> float | None:
        """The height of the layer of cells that stands for a mesh in a plane; None: each domain's
        own. All ranks must have the same; setting it forgets what was read."""
        return self._thickness

    @thickness.setter
    def thickness(self, value: float | None) -> None:
        if value != self._thickness:
            self._thickness, self._domains_read = value, None
            self._partitions.clear()

    @property
    def domains_read(self) -> list[PublishedDomain]:
        """The domains, whose grids, ghosts and fields are read once."""
        if self._domains_read is None:
            self._domains_read = [
                PublishedDomain(
                    tree,
                    int(number(tree, "state/domain_id", default=place)),
                    self.ghost_field,
                    self._thickness,
                )
                for place, tree in enumerate(self.domains)
            ]
        return self._domains_read

    def each(self, read: Callable[[PublishedDomain], T]) -> list[T]:
        """The result for each domain. A MeshError starts with the domain, if there are several."""
        found = []
        for domain in self.domains_read:
            with prefixed(f"domain {domain.domain_id}: " if len(self.domains_read) > 1 else ""):
                found.append(read(domain))
        return found
