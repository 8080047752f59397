from __future__ import annotations

import pytest

from rag.answering.followup import Query, contextualise, leans
from rag.records import Scope, Turn

FIRST = Turn("Which models track glaciers?", ("iceflow", "snowline", "moraine"))
UNCITED = Turn("Who sells ice cream in Atlantis?")


@pytest.mark.parametrize(
    "question",
    [
        "What data does it use?",
        "How do they differ?",
        "Why?",
        "Why not?",
        "And on radar images?",
        "What about seasonal snow?",
        "How about the error of manual tracking?",
        "Does the second paper agree?",
        "Who wrote the last one?",
        "Does this work in winter?",
        "Are those results significant?",
        "Only in 2019",
        "Accuracy?",
    ],
)
def test_a_question_that_points_back_leans(question: str) -> None:
    assert leans(question)


@pytest.mark.parametrize(
    "question",
    [
        "How are glaciers tracked from orbit?",
        "Do calibrated language models have to hallucinate?",
        "Which datasets hold more than ten million images of whales?",
        "Does chain of thought prompting help small language models when they answer hard questions on Arctic whales?",
    ],
)
def test_a_question_with_a_subject_of_its_own_does_not(question: str) -> None:
    assert not leans(question)


@pytest.mark.parametrize("question", ["What is InstructRetro?", "Who made GPT-4?"])
def test_a_name_is_a_subject_of_its_own(question: str) -> None:
    assert not leans(question)


def test_without_history_nothing_is_carried() -> None:
    assert contextualise("What data does it use?", []) == Query("What data does it use?")


def test_a_question_of_its_own_carries_nothing() -> None:
    question = "How do bees find flowers in the rain?"
    assert contextualise(question, [FIRST]) == Query(question)


def test_a_leaning_question_carries_the_last_question_and_its_papers() -> None:
    query = contextualise("What data do they use?", [UNCITED, FIRST])
    assert query == Query("What data do they use? " + FIRST.question, carried=FIRST.cited, leans=True)


def test_a_follow_up_on_a_follow_up_reaches_back_to_the_subject() -> None:
    history = [
        Turn("Which optimiser does Sparrow use?", ("sparrow",)),
        Turn("How is rain predicted?", ("rain",)),
        Turn("Which data did they use?", ("rain",)),
    ]
    query = contextualise("And how much of it?", history)
    assert "How is rain predicted?" in query.text
    assert "Sparrow" not in query.text


def test_papers_come_from_the_last_turn_that_cited_any() -> None:
    query = contextualise("And in winter?", [FIRST, UNCITED])
    assert query.carried == FIRST.cited
    assert UNCITED.question in query.text


def test_no_turn_cited_anything() -> None:
    assert contextualise("And the second paper?", [UNCITED]).carried == ()


@pytest.mark.parametrize(
    ("ordinal", "paper"),
    [
        ("the first paper", "iceflow"),
        ("the second one", "snowline"),
        ("the 3rd study", "moraine"),
        ("the last work", "moraine"),
    ],
)
def test_an_ordinal_names_one_paper(ordinal: str, paper: str) -> None:
    query = contextualise(f"What does {ordinal} say about radar?", [FIRST])
    assert query.carried == (paper,)
    assert query.scope == Scope()


def test_an_ordinal_beyond_the_list_carries_them_all() -> None:
    query = contextualise("What does the fourth paper say?", [FIRST])
    assert query.carried == FIRST.cited
    assert query.scope == Scope()


@pytest.mark.parametrize("question", ["Only the second paper", "And only in the second one?", "just the second study"])
def test_only_an_ordinal_narrows_the_scope_to_it(question: str) -> None:
    query = contextualise(question, [FIRST], Scope(year_from=2000))
    assert query.scope == Scope(year_from=2000, paper_ids=frozenset({"snowline"}))


@pytest.mark.parametrize(
    ("question", "years"),
    [
        pytest.param("Only in 2023", (2023, 2023), id="one year"),
        pytest.param("only those from 2019 to 2021", (2019, 2021), id="a span"),
        pytest.param("Just papers from 2019-2021", (2019, 2021), id="a span with a hyphen"),
    ],
)
def test_only_a_year_narrows_the_scope_to_it(question: str, years: tuple[int, int]) -> None:
    scope = contextualise(question, [FIRST], Scope(hidden=frozenset({"x"}))).scope
    assert (scope.year_from, scope.year_to) == years
    assert scope.hidden == {"x"}, "what was set before stays"


def test_a_year_in_a_question_of_its_own_narrows_nothing() -> None:
    assert contextualise("Which glaciers shrank in 2019 and regrew later on?", [FIRST]).scope == Scope()


def test_the_same_conversation_gives_the_same_query() -> None:
    assert contextualise("Why?", [FIRST]) == contextualise("Why?", [FIRST])
