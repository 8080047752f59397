"""`/ask` and `/search` for programs, in the JSON of docs/design.md, and files for reference managers. Knows no page."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import gradio as gr

from rag.errors import BadInput, FootnoteError
from rag.records import Paper, Scope, Turn
from rag.serialise import Json, answer_json, hit_json, turn_from_json
from ui.conversation import MAX_TURNS
from ui.exchange import asked, follow

if TYPE_CHECKING:
    from rag.assistant import Assistant

MAX_RANKED = 100

_FILES = {
    "bibtex": ("references.bib", "application/x-bibtex"),
    "ris": ("references.ris", "application/x-research-info-systems"),
    "csl": ("references.json", "application/vnd.citationstyles.csl+json"),
}


def ask(assistant: Assistant) -> Callable[..., Iterator[Json]]:
    """The endpoint that answers: each message is the answer so far, the last one the finished answer."""

    def ask(
        question: str,
        history: list[Any] | None = None,
        top_k: int | None = None,
        year_from: int | None = None,
        year_to: int | None = None,
        paper_ids: list[str] | None = None,
        summary: bool = False,
    ) -> Iterator[dict[str, Any]]:
        """Answer a question from the collection, with citations; history holds earlier questions or turns.

        A summary says what several papers say, by theme.
        """
        cancelled, started = threading.Event(), time.perf_counter()
        try:
            exchange = asked(1, _text(question, "question"))
            scope = _scope(year_from, year_to, paper_ids)
            turns, ranked = _turns(history), _ranked(top_k)
            ask = partial(assistant.stream, top_k=ranked, scope=scope, summary=_wanted(summary), cancelled=cancelled)
            for event in ask(question, turns):
                exchange = follow(exchange, event, time.perf_counter() - started)
                yield answer_json(exchange.answer)
        except FootnoteError as error:
            raise gr.Error(str(error), print_exception=False) from None
        finally:
            cancelled.set()

    return ask


def search(assistant: Assistant) -> Callable[..., list[Json]]:
    """The endpoint that ranks papers, without an answer."""

    def search(
        query: str, top_k: int | None = None, year_from: int | None = None, year_to: int | None = None
    ) -> list[dict[str, Any]]:
        """Rank the papers for a query, best first, without an answer."""
        try:
            text, scope = _text(query, "query"), _scope(year_from, year_to)
            return [hit_json(hit) for hit in assistant.search(text, top_k=_ranked(top_k), scope=scope)]
        except FootnoteError as error:
            raise gr.Error(str(error), print_exception=False) from None

    return search


def references(assistant: Assistant) -> Callable[[dict[str, str]], dict[str, str]]:
    """What the page's script calls for a file of references."""

    def references(wanted: dict[str, str]) -> dict[str, str]:
        """The named papers (quoted ids, a space between them) as a file: its name, media type and text."""
        papers = (assistant.index.paper(unquote(paper_id)) for paper_id in wanted["papers"].split()[:MAX_RANKED])
        return reference_file([paper for paper in papers if paper], wanted["format"])

    return references


def reference_file(papers: Sequence[Paper], format_name: str) -> dict[str, str]:
    """The papers as a file: its `name`, media `type` and `text`. Raises BadInput for an unknown format."""
    from rag.papers import write_papers

    if format_name not in _FILES:
        raise BadInput(f"unknown format {format_name!r}: choose one of {', '.join(_FILES)}")
    name, media_type = _FILES[format_name]
    return {"name": name, "type": media_type, "text": write_papers(papers, format_name)}


def _turns(history: object) -> list[Turn]:
    """The last turns of a history; a bare question is a turn that cited nothing."""
    if history is None:
        return []
    if not isinstance(history, list):
        raise BadInput("history is a list of earlier questions or turns")
    recent = history[-MAX_TURNS:]
    return [turn_from_json({"question": turn} if isinstance(turn, str) else turn) for turn in recent]


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise BadInput(f"{name} is text")
    return value


def _ranked(top_k: object) -> int | None:
    ranked = _whole(top_k, "top_k")
    if ranked is not None and not 1 <= ranked <= MAX_RANKED:
        raise BadInput(f"top_k is {ranked}, it has to be from 1 to {MAX_RANKED}")
    return ranked


def _scope(year_from: object, year_to: object, paper_ids: object = None) -> Scope:
    return Scope(_whole(year_from, "year_from"), _whole(year_to, "year_to"), _named(paper_ids))


def _whole(value: object, name: str) -> int | None:
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise BadInput(f"{name} is a whole number")
    return value


def _wanted(summary: object) -> bool:
    if not isinstance(summary, bool):
        raise BadInput("summary is true or false")
    return summary


def _named(paper_ids: object) -> frozenset[str] | None:
    """The only papers to answer from; None for all."""
    if paper_ids is None:
        return None
    if not isinstance(paper_ids, list) or not all(isinstance(paper_id, str) for paper_id in paper_ids):
        raise BadInput("paper_ids is a list of paper ids")
    if len(paper_ids) > MAX_RANKED:
        raise BadInput(f"paper_ids names {len(paper_ids)} papers, at most {MAX_RANKED} are allowed")
    return frozenset(paper_ids)
