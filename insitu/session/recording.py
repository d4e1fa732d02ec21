"""What a run file records that names fields and nothing to do with them.

In: a configuration. Out: the configuration with a record, and a sentence on what it records.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

from insitu.actions import Actions
from insitu.config import RecordConfig, RunConfig

FOLDER = "record"


def with_a_record(run: RunConfig, wanted: Actions) -> tuple[RunConfig, str]:
    """The configuration, and what is to be said about it; nothing where it says itself what its
    fields are for: a record, a window that is kept whole, queries, triggers, scenes or extracts.
    Otherwise nothing would be recorded, and the fields go to `record` in the output folder. Not
    collective."""
    asked = run.record is not None or run.window.keep == "all"
    if not run.fields or asked or wanted.queries or wanted.triggers or wanted.due:
        return run, ""
    record = RecordConfig(path=str(Path(run.output) / FOLDER))
    window = run.window
    every = "every cycle" if window.every == 1 else f"one every {window.every} cycles"
    text = (
        f"recording {', '.join(run.fields)}: the last {window.steps} steps, {every}, in "
        f"{record.path} (`window` and `record` in the run file change that)"
    )
    return dataclasses.replace(run, record=record), text
