"""What several tests of sessions watch."""

from typing import Any

import pytest

from insitu.session import field_trainer


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, str]]:
    """(cycle, field) of every training, as they come."""
    done: list[tuple[int, str]] = []
    right = field_trainer.train_fields

    def counting(comm: Any, blocks: Any, recipes: Any, previous: Any, **at: Any) -> Any:
        done.extend((at["cycle"], name) for name in recipes)
        return right(comm, blocks, recipes, previous, **at)

    monkeypatch.setattr(field_trainer, "train_fields", counting)
    return done
