"""Checks by the schemas, as an editor does them."""

import functools
from typing import Any

from jsonschema import Draft202012Validator

from insitu.schema import actions_schema, run_file_schema


@functools.cache
def validator(what: str) -> Draft202012Validator:
    """what: "run" or "actions"."""
    return Draft202012Validator(run_file_schema() if what == "run" else actions_schema())


def mistakes(tree: Any, what: str = "run") -> list[str]:
    """What is wrong with a tree, "$.key.key: message" each."""
    return [f"{e.json_path}: {e.message}" for e in validator(what).iter_errors(tree)]
