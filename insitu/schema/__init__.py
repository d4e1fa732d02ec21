"""JSON schemas (draft 2020-12) of what users write: run files and lists of actions.

In: the models of `insitu.actions`, the sections of `insitu.config`. Out: schemas as plain data,
which editors complete and check with, and the tables of docs/actions.md and docs/run-file.md.
"""

from insitu.schema.actions import actions_schema
from insitu.schema.run_file import run_file_schema

__all__ = ["actions_schema", "run_file_schema"]
