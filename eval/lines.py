"""JSON-lines files that people wrote, read whole or refused in one line that says where."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from rag.errors import BadInput

Item = TypeVar("Item")


def read_lines(path: Path, read: Callable[[str, str], Item]) -> tuple[Item, ...]:
    """What `read` makes of each line that is not blank and of its place ("labels.jsonl, line 3").

    Raises BadInput where the file cannot be read, and whatever `read` raises.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read: {error}") from None
    return tuple(read(line, f"{path}, line {number}") for number, line in enumerate(lines, start=1) if line.strip())
