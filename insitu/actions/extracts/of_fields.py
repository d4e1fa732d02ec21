"""What extracts have in common that take some fields of a pipeline's result.

In: the names of fields, a pipeline. Out: which recorded fields are read, and what is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from insitu.filters.pipeline import UNFILTERED, Names, Pipeline
from insitu.filters.schema import VOLUME, DataSchema
from insitu.queries.expressions import FieldKind
from insitu.store.timestep import Span


@dataclass(frozen=True, kw_only=True)
class OfFields:
    """Fields of a pipeline's result, which is a volume."""

    what: ClassVar[str] = "extract"
    name: str
    fields: tuple[str, ...]
    pipeline: Pipeline = UNFILTERED
    window: Span = 1

    @property
    def reads(self) -> Names:
        """The recorded fields that it takes."""
        return self.pipeline.reads(frozenset(self.fields))

    @property
    def past(self) -> Names:
        """The recorded fields of which it reads earlier steps."""
        return self.pipeline.past if self.window == 1 else self.pipeline.past | self.reads

    def check(self, fields: DataSchema) -> None:
        """ValueError, "key: text", where there are no such fields, or no volume."""
        data = self.pipeline.outline(fields)
        for name in self.fields:
            data.field(name)
        if data.kind != VOLUME:
            raise ValueError(f"field: {data.made_by} produces {data.kind}; expected a volume")

    def check_kinds(self, kinds: Mapping[str, FieldKind]) -> None:
        """ValueError where its pipeline takes a field for what it is not."""
        self.check(DataSchema({name: kind.n_components for name, kind in kinds.items()}))
