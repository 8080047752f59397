"""`footnote ask`: one question, its answer streamed, then the references; also the last conversation."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from rag.errors import BadInput
from rag.records import Answer, Event, Finished, Scope, Stated, Turn
from rag.serialise import answer_json
from rag.text import clean_question
from ui.conversation import read_conversation, write_conversation
from ui.exchange import asked, follow
from ui.outcome import DONE, NO_ANSWER
from ui.render import (
    NEAREST,
    NEAREST_SHOWN,
    answer_texts,
    caution_line,
    paper_text,
    plain,
    references,
    refusal_line,
)
from ui.session import Session
from ui.terminal import standard_output, waiting, write

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_LEAD = "  "


def ask(
    session: Session,
    question: str,
    *,
    top_k: int | None,
    scope: Scope,
    summary: bool = False,
    as_json: bool = False,
    stream: bool = True,
    continued: bool = False,
) -> int:
    """Answer `question`, by a summary of several papers or following up on the last conversation where asked to."""
    question = clean_question(question, session.settings.max_question_chars)
    history = _last_turns(session) if continued else ()
    with session.assistant() as assistant:
        session.note_undated(assistant, scope)
        if as_json:
            answer = assistant.ask(question, history, top_k=top_k, scope=scope, summary=summary)
            print(json.dumps(answer_json(answer), ensure_ascii=False, indent=2))
        elif stream:
            answer = _stream(question, assistant.stream(question, history, top_k=top_k, scope=scope, summary=summary))
        else:
            answer = assistant.ask(question, history, top_k=top_k, scope=scope, summary=summary)
            write_answer(standard_output(), answer)
    _keep(session, (*history, answer.turn))
    return DONE if answer.answered else NO_ANSWER


def read_question() -> str:
    """The question on standard input; a megabyte is enough to see that it is too long."""
    return sys.stdin.buffer.read(1_000_000).decode("utf-8", "replace")


def write_answer(console: Console, answer: Answer) -> None:
    """The whole answer: caution, statements, references; or the refusal."""
    if answer.answered:
        if answer.confidence == "caution":
            _write_caution(console, answer.reason)
        _write_blocks(console, answer_texts(answer, finished=True))
    _write_rest(console, answer)


def _stream(question: str, events: Iterator[Event]) -> Answer:
    """Write each statement as it is stated, the rest when the answer is finished."""
    console, exchange = standard_output(), asked(1, question)
    cautioned, written = False, 0
    for event in _with_sign_of_life(events):
        exchange = follow(exchange, event, 0.0)
        answer, finished = exchange.answer, isinstance(event, Finished)
        if answer.confidence == "caution" and not cautioned:
            cautioned = True
            _write_caution(console, answer.reason)
        written += _write_blocks(console, islice(answer_texts(answer, finished=finished), written, None))
        if finished:
            _write_rest(console, answer)
            return answer
    raise RuntimeError("the assistant's stream ended without an answer")


def _with_sign_of_life(events: Iterator[Event]) -> Iterator[Event]:
    """The events; until the first one that is shown, the terminal says that work is under way."""
    silent = []
    with waiting("Searching"):
        for event in events:
            silent.append(event)
            if isinstance(event, Stated | Finished):
                break
    yield from silent
    yield from events


def _write_caution(console: Console, reason: str | None) -> None:
    from rich.text import Text

    write(console, Text(caution_line(reason), style="yellow"), _LEAD)
    console.print()


def _write_blocks(console: Console, blocks: Iterable[Text]) -> int:
    """Write each block, and say how many there were."""
    count = 0
    for block in blocks:
        write(console, block, _LEAD)
        console.print()
        count += 1
    return count


def _write_rest(console: Console, answer: Answer) -> None:
    """What follows the statements: the references, or why there is no answer and what comes nearest."""
    if answer.answered:
        _write_list(console, references(answer.citations))
        _write_remark(console, answer)
        return
    from rich.text import Text

    write(console, Text(refusal_line(answer)), _LEAD)
    if answer.hits:
        console.print(f"\n{_LEAD}{NEAREST}:", style="dim")
        _write_list(console, [("-", paper_text(hit.paper)) for hit in answer.hits[:NEAREST_SHOWN]])


def _write_list(console: Console, entries: list[tuple[str, Text]]) -> None:
    widest = max((len(mark) for mark, _ in entries), default=0)
    for mark, text in entries:
        write(console, text, f"{_LEAD}{mark:>{widest}} ", "dim")


def _write_remark(console: Console, answer: Answer) -> None:
    """Why a confident answer has a reason: the time limit cut it short, or mistyped words were read as others."""
    if answer.confidence == "answer" and answer.reason:
        from rich.text import Text

        console.print()
        write(console, Text(plain(answer.reason)), _LEAD, "dim")


def _last_turns(session: Session) -> tuple[Turn, ...]:
    try:
        turns = read_conversation(session.settings.index)
    except BadInput as error:
        session.note(f"{error}; this starts a new conversation")
        return ()
    if not turns:
        session.note("there is no conversation to continue; this starts one")
    return turns


def _keep(session: Session, turns: tuple[Turn, ...]) -> None:
    try:
        write_conversation(session.settings.index, turns)
    except OSError as error:
        session.note(f"the conversation is not kept for --continue: {error}")
