"""What `/ask` takes and what it refuses, with an assistant that only listens; served, it is in test_web.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from types import ModuleType
from typing import Any

import pytest
from samples import ANSWER

from rag.records import Event, Finished, Scope, Turn
from ui.serving import without_look_ups


class Listening:
    """An assistant that answers everything alike and keeps what it was asked with."""

    def __init__(self) -> None:
        self.history: Sequence[Turn] = ()
        self.scope = Scope()

    def stream(self, question: str, history: Sequence[Turn], *, scope: Scope, **options: Any) -> Iterator[Event]:
        self.history, self.scope = history, scope
        yield Finished(ANSWER)


@pytest.fixture(scope="module")
def endpoints() -> ModuleType:
    """The module, imported late: gradio takes seconds to import and looks things up where it was not told not to."""
    without_look_ups()
    from ui import endpoints

    return endpoints


@pytest.fixture
def heard(endpoints: ModuleType) -> Callable[..., Listening]:
    """Asks as a program does: the assistant after it."""

    def heard(**given: Any) -> Listening:
        assistant = Listening()
        assert list(endpoints.ask(assistant)("Why?", **given))
        return assistant

    return heard


@pytest.mark.parametrize("nothing", [None, []], ids=["null", "empty"])
def test_without_earlier_turns_there_is_no_history(heard: Callable[..., Listening], nothing: Any) -> None:
    assert heard(history=nothing).history == []


def test_earlier_turns_are_questions_or_objects_and_the_last_ones_count(
    endpoints: ModuleType, heard: Callable[..., Listening]
) -> None:
    most = endpoints.MAX_TURNS
    turns = ["too early", *["What is RETRO?"] * (most - 1), {"question": "And GPT?", "cited": ["a"]}]
    history = heard(history=turns).history
    assert [history[0], history[-1], len(history)] == [Turn("What is RETRO?"), Turn("And GPT?", ("a",)), most]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        pytest.param(None, None, id="null: all"),
        pytest.param([], frozenset(), id="empty: none"),
        pytest.param(["a", "b"], frozenset("ab"), id="two"),
    ],
)
def test_paper_ids_are_the_only_papers_to_answer_from(
    heard: Callable[..., Listening], given: Any, kept: frozenset[str] | None
) -> None:
    assert heard(paper_ids=given).scope == Scope(paper_ids=kept)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        pytest.param({"top_k": "5"}, "top_k is a whole number", id="top_k: text"),
        pytest.param({"top_k": True}, "top_k is a whole number", id="top_k: true"),
        pytest.param({"year_from": [2020]}, "year_from is a whole number", id="year_from: a list"),
        pytest.param({"history": "RETRO"}, "history is a list of earlier questions or turns", id="history: text"),
        pytest.param({"history": ""}, "history is a list of earlier questions or turns", id="history: empty text"),
        pytest.param({"history": {"question": "q"}}, "history is a list of earlier questions or turns", id="one turn"),
        pytest.param({"paper_ids": "abc"}, "paper_ids is a list of paper ids", id="paper_ids: text"),
        pytest.param({"paper_ids": [{}]}, "paper_ids is a list of paper ids", id="paper_ids: objects"),
        pytest.param({"paper_ids": ["a", 1]}, "paper_ids is a list of paper ids", id="paper_ids: a number"),
        pytest.param({"paper_ids": ["a"] * 101}, "paper_ids names 101 papers, at most 100 are allowed", id="many"),
    ],
)
def test_what_is_of_another_type_is_told_in_a_line(
    endpoints: ModuleType, heard: Callable[..., Listening], given: dict[str, Any], told: str
) -> None:
    with pytest.raises(endpoints.gr.Error) as refused:
        heard(**given)
    assert refused.value.message == told
