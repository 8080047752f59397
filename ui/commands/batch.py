"""`footnote ask --batch`: questions in as JSON lines, answers out as JSON lines, the models loaded once.

    {"id": "q1", "question": "What is RETRO?", "history": ["earlier question", ...]}
    {"id": "q2", "question": "And who made it?", "history": [{"question": "What is RETRO?", "cited": ["..."]}]}
    {"id": "q3", "question": "What is said of data selection?", "summary": true}

Bare earlier questions are replayed through the assistant first. A line that cannot be answered gives a line
`{"id", "line", "error"}` in its place and the run goes on.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from rag.errors import BadInput, Cancelled, FootnoteError
from rag.records import Answer, Scope, Turn
from rag.serialise import Json, answer_json, turn_from_json
from ui.conversation import MAX_TURNS
from ui.outcome import DONE, FAILURE
from ui.session import Session

if TYPE_CHECKING:
    from rag.assistant import Assistant

MAX_LINE_BYTES = 1_000_000
"""A question with its history is a few thousand; a longer line is another kind of file."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One line of the batch; a `str` in `history` is a question whose answer is not known yet."""

    question: str
    id: str | None = None
    history: tuple[str | Turn, ...] = ()
    summary: bool = False


@dataclass(frozen=True, slots=True)
class Options:
    """What holds for all lines; `summary` only for those that do not say themselves whether they want one."""

    top_k: int | None
    scope: Scope
    summary: bool


def ask_batch(session: Session, file: str, *, top_k: int | None, scope: Scope, summary: bool = False) -> int:
    """Answer every line of `file` (`-` is standard input); 1 where a line could not be answered, else 0."""
    options = Options(top_k, scope, summary)
    failed = 0
    with _opened(file) as lines, session.assistant() as assistant:
        session.note_undated(assistant, scope)
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            result = _answer_line(session, assistant, line, number, options)
            failed += "error" in result
            print(json.dumps(result, ensure_ascii=False), flush=True)
    if failed:
        session.note(f"{failed} {'line' if failed == 1 else 'lines'} of {file} not answered")
    return FAILURE if failed else DONE


def _answer_line(session: Session, assistant: Assistant, line: bytes, number: int, options: Options) -> Json:
    name: str | None = None
    try:
        record = _parse_object(line)
        name = _identifier(record.get("id"))
        answer = _answer(assistant, _asked(record, options.summary), options)
        return answer_json(answer, name)
    except Cancelled:
        raise
    except FootnoteError as error:
        return {"id": name, "line": number, "error": str(error)}
    except Exception as error:
        # One question that trips the program must not cost the answers to the others.
        if session.debug:
            raise
        return {"id": name, "line": number, "error": f"unexpected error: {type(error).__name__}: {error}"}


def _answer(assistant: Assistant, asked: Asked, options: Options) -> Answer:
    """The answer, after the earlier questions of its history have been answered in turn."""
    ask = partial(assistant.ask, top_k=options.top_k, scope=options.scope)
    turns: list[Turn] = []
    for earlier in asked.history[-MAX_TURNS:]:
        if isinstance(earlier, str):
            earlier = ask(earlier, tuple(turns)).turn
        turns.append(earlier)
    return ask(asked.question, tuple(turns), summary=asked.summary)


def _parse_object(line: bytes) -> dict[str, object]:
    if len(line) > MAX_LINE_BYTES:
        raise BadInput(f"the line has {len(line):,} bytes, {MAX_LINE_BYTES:,} are allowed")
    try:
        record = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise BadInput("the line is not UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise BadInput(f"the line is not JSON: {error}") from None
    if not isinstance(record, dict):
        raise BadInput('the line is no object like {"id": ..., "question": ...}')
    return record


def _asked(record: dict[str, object], summary: bool) -> Asked:
    """What the line asks; by a summary or not, where it does not say, as `summary` does."""
    question, history, wanted = record.get("question"), record.get("history", []), record.get("summary", summary)
    if not isinstance(question, str):
        raise BadInput("the line has no question (a string)")
    if not isinstance(history, list):
        raise BadInput("history is a list of earlier questions or turns")
    if not isinstance(wanted, bool):
        raise BadInput("summary is true or false")
    turns = tuple(item if isinstance(item, str) else turn_from_json(item) for item in history)
    return Asked(question, _identifier(record.get("id")), turns, wanted)


def _identifier(value: object) -> str | None:
    """The question's id; numbers are taken as written."""
    if isinstance(value, bool) or not isinstance(value, str | int | None):
        raise BadInput("id is a string or a number")
    return None if value is None else str(value)


@contextmanager
def _opened(file: str) -> Iterator[BinaryIO]:
    if file == "-":
        yield sys.stdin.buffer
        return
    try:
        stream = Path(file).open("rb")  # noqa: SIM115  (the error of opening is told, not that of a block)
    except OSError as error:
        raise BadInput(f"the questions cannot be read: {error}") from None
    with stream:
        yield stream
