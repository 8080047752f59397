"""The last conversation held on the command line, kept beside the index for `ask --continue` and `export --last`.

    [{"question": "What is RETRO?", "cited": ["arxiv:2112.04426"]}, ...]     <index>/conversation.json

The file is untrusted like any other: what cannot be read counts as no conversation, and the person is told.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rag.errors import BadInput
from rag.records import Turn
from rag.serialise import turn_from_json, turn_json

MAX_TURNS = 20
"""Turns kept: no question refers further back, and histories cost time."""

MAX_BYTES = 2_000_000


def conversation_file(index: Path) -> Path:
    """Where the conversation about the index in that folder is kept."""
    return index / "conversation.json"


def read_conversation(index: Path) -> tuple[Turn, ...]:
    """The turns of the last conversation, the oldest first; none where there was none.

    Raises BadInput where the file cannot be read as one.
    """
    file = conversation_file(index)
    try:
        if not file.exists():
            return ()
        if file.stat().st_size > MAX_BYTES:
            raise BadInput(f"{file} is larger than {MAX_BYTES:,} bytes")
        turns = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BadInput(f"the last conversation cannot be read: {file}: {error}") from None
    if not isinstance(turns, list):
        raise BadInput(f"the last conversation cannot be read: {file} holds no list of turns")
    return tuple(turn_from_json(turn) for turn in turns)[-MAX_TURNS:]


def write_conversation(index: Path, turns: Sequence[Turn]) -> None:
    """Keep the last turns in place of what was kept before. Raises OSError where that is not possible."""
    kept = [turn_json(turn) for turn in turns[-MAX_TURNS:]]
    handle, name = tempfile.mkstemp(dir=index, prefix=".conversation-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as stream:
            json.dump(kept, stream, ensure_ascii=False, indent=1)
        Path(name).replace(conversation_file(index))
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
