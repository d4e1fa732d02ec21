"""Trains the fields of successive steps in the time that the budget leaves.

In: the fields of a step and which of them are needed. Out: distributed fields, or none for lack of
time. Remembers the newest of each, whose weights are the start of the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from insitu.config import RunConfig
from insitu.core.parallel import together
from insitu.engines import engine, for_model
from insitu.fields.distributed_field import DistributedField
from insitu.session.budget import Budget
from insitu.session.reporter import Reporter
from insitu.session.step_fields import StepFields
from insitu.training.adaptive_size import AdaptiveState
from insitu.training.distributed import train_fields

if TYPE_CHECKING:
    from mpi4py import MPI


class FieldTrainer:
    """Trains as the run file says."""

    def __init__(self, comm: MPI.Comm, run: RunConfig, budget: Budget, reporter: Reporter) -> None:
        """Collective; RemoteError on every rank if the run file's engine is not available, or no
        engine supports a field's model."""
        self.comm, self.run, self.budget = comm, run, budget
        with together(comm, "engine"):
            self.engine = engine(run.engine)
            for name, field in run.fields.items():
                model = field.recipe.model
                used = for_model(model, self.engine)
                if used is not self.engine:
                    reporter.warn(
                        f"field {name}: engine {self.engine.name} does not support the model "
                        f"{model.kind}; engine {used.name} trains and reads it"
                    )
        self._newest: dict[str, DistributedField] = {}
        self._memories: dict[tuple[str, int], AdaptiveState] = {}

    def train(
        self, names: Sequence[str], step: StepFields, cycle: int, time: float, following: float
    ) -> dict[str, DistributedField] | None:
        """Train fields of the step; None, with nothing done, if the budget leaves no time for
        it. Collective. following: seconds that scenes and extracts are expected to take."""
        if names and self.budget.hopeless(self.comm):
            return None
        self.budget.prepare()
        fields = train_fields(
            self.comm,
            step.all_with_ghosts(names),
            {name: self.run.fields[name].recipe for name in names},
            self._newest,
            memories=self._memories,
            engine=self.engine,
            seconds=self.budget.for_training(following),
            cycle=cycle,
            time=time,
        )
        if fields is not None:
            self.budget.trained()
            self._newest.update(fields)
        return fields

    def clear(self) -> None:
        """Forget the newest fields. Not collective."""
        self._newest.clear()
