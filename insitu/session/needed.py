"""Which fields are trained at a step: only those that something reads.

In: what is due, which triggers fired and which still may. Out: names of fields.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from insitu.actions import Action, Actions
from insitu.config import RunConfig
from insitu.queries.triggers import Trigger


def needed_fields(
    run: RunConfig,
    wanted: Actions,
    *,
    due: bool,
    fired: Sequence[Trigger[Action]],
    live: Sequence[Trigger[Action]],
    called: Collection[str],
    past: Collection[str],
) -> list[str]:
    """The fields that are to be trained at this step, in the run file's order. Not collective.

    A field is needed

    * at every step of the window, if a scene or an extract reads it, or those of a trigger that may
      still fire read earlier steps of it;
    * when a trigger fires whose scenes and extracts read it;
    * at both, if an expression reads its past: all these fields at the same steps, so that they can
      be computed with each other;
    * at both, if everything is kept: there is a record, `window.keep` is all, or a function is
      called when a trigger fires, or a script run, which may look at any field.

    Args:
        due: whether the step is one of the window's.
        fired, live: triggers that fired at this step, and those that can still fire.
        called: names of the triggers that call a function.
        past: fields of which expressions read earlier steps.
    """
    if not due and not fired:
        return []
    acts = [action.reads for trigger in fired for action in trigger.actions]
    if due:
        acts += [action.reads for action in wanted.due]
        acts += [action.past for action in wanted.due]
        acts += [action.past for trigger in live for action in trigger.actions]
    names = {name for read in acts for name in read or ()}
    if due or names:
        names |= set(past)
    everything = (
        run.record is not None
        or run.window.keep == "all"
        or None in acts
        or any(trigger.name in called for trigger in (live if due else fired))
    )
    return [name for name in run.fields if everything or name in names]
