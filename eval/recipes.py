"""A recipe's fields as options of a command, and back: what the trainings share."""

from __future__ import annotations

import argparse
from dataclasses import MISSING, fields
from typing import Any, TypeVar

Recipe = TypeVar("Recipe")


def add_options(parser: argparse.ArgumentParser, recipe: type[Any]) -> None:
    """An option for each field of a dataclass of numbers, all of which have defaults."""
    for each in fields(recipe):
        assert each.default is not MISSING
        kind = float if isinstance(each.default, float) else int
        parser.add_argument(f"--{each.name.replace('_', '-')}", type=kind, default=each.default)


def chosen(given: argparse.Namespace, recipe: type[Recipe]) -> Recipe:
    """The recipe that the options name. Raises what the recipe raises for values that it refuses."""
    return recipe(**{each.name: getattr(given, each.name) for each in fields(recipe)})  # type: ignore[arg-type]
