"""Questions made from titles, and only those that the collection answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from samples import ANSWER

from rag.errors import ModelFailed
from rag.records import Answer, Confidence, Event, Evidence, Finished, Hit, Paper, Searched, Selected, Sentence
from ui.suggestions import EXAMPLES, TRIED, Suggestions, question_about


@pytest.mark.parametrize(
    ("title", "question"),
    [
        ("UL2: Unifying Language Learning Paradigms", "What is UL2?"),
        ("ERNIE 3.0: Large-scale Pre-training", "What is ERNIE 3.0?"),
        ("Selfie: Self-supervised Pretraining", ""),
        ("Can LLMs Learn by Teaching? A Preliminary Study", "Can LLMs Learn by Teaching?"),
        ("Pretraining Models with Human Preferences", "What is known about pretraining models with human preferences?"),
        ("Towards Counting Trees from the Air", "What is known about counting trees from the air?"),
        (
            "Grammar Correction for Learners of Finnish",
            "What is known about grammar correction for learners of Finnish?",
        ),
        ("Calibrated Language Models Must Hallucinate", ""),
        ("A Corpus of Cooking Videos in Twelve Languages", ""),
        ("?" * 5000, ""),
    ],
)
def test_a_title_becomes_a_question_or_none(title: str, question: str) -> None:
    assert question_about(Paper("x", title, "We teach grammar, and Finnish is hard.")) == question


def paper(name: str) -> Paper:
    return Paper(name, f"{name}: A Method", f"We present {name}.")


class Library:
    """Answers "What is X?" from X; what is in `unsure` it does not answer, `wrong` from the wrong paper.

    The first `failures` searches fail.
    """

    def __init__(
        self, *names: str, unsure: Mapping[str, Confidence] | None = None, wrong: str = "", failures: int = 0
    ) -> None:
        self.papers = {name: paper(name) for name in names}
        self.index: Any = SimpleNamespace(papers=self.papers)
        self.unsure, self.wrong = unsure or {}, wrong
        self.failures = failures
        self.asked: list[str] = []
        self.went_on = False

    def stream(self, question: str, **options: object) -> Iterator[Event]:
        self.asked.append(question)
        if self.failures:
            self.failures -= 1
            raise ModelFailed("out of order")
        name = question.removeprefix("What is ").removesuffix("?")
        source = next(iter(self.papers.values())) if name == self.wrong else self.papers[name]
        yield Searched(())
        yield Selected((Evidence(source, Sentence(name, 0, 0, 1, "W"), 1.0),), self.unsure.get(name, "answer"))
        self.went_on = True
        yield Finished(ANSWER)


def suggestions(library: Library) -> Suggestions:
    return Suggestions(library)  # type: ignore[arg-type]


def answered_from(cited: str, found: Library) -> Answer:
    """An answer that cites one paper and has found all of these."""
    hits = tuple(Hit(each, (), 1.0) for each in found.papers.values())
    return replace(ANSWER, citations=(replace(ANSWER.citations[0], paper=paper(cited)),), hits=hits)


def test_examples_are_answered_and_always_the_same() -> None:
    names = [f"ME{number}" for number in range(9)]
    first, second = suggestions(Library(*names)).examples(), suggestions(Library(*reversed(names))).examples()
    assert first == second
    assert len(first) == EXAMPLES


def test_no_model_writes_for_a_suggestion() -> None:
    library = Library("ME1")
    suggestions(library).examples()
    assert not library.went_on


def test_what_the_collection_does_not_answer_is_not_suggested() -> None:
    library = Library("ME1", "ME2", "ME3", unsure={"ME2": "caution"}, wrong="ME3")
    assert suggestions(library).examples() == ("What is ME1?",)


def test_looking_for_questions_has_an_end() -> None:
    names = [f"ME{number}" for number in range(50)]
    library = Library(*names, unsure=dict.fromkeys(names, "refusal"))
    assert suggestions(library).examples() == ()
    assert len(library.asked) == TRIED


def test_after_an_answer_come_its_neighbours_not_asked_before() -> None:
    library = Library("ME1", "ME2", "ME3")
    asked = ["what is me2?"]
    assert suggestions(library).follow_ups(answered_from("ME1", library), asked) == ("What is ME3?",)


def test_what_a_question_leads_to_is_searched_for_once() -> None:
    library = Library("ME1", "ME2", "ME3", "ME4", unsure={"ME3": "refusal"})
    made = suggestions(library)
    assert made.follow_ups(answered_from("ME1", library)) == ("What is ME2?", "What is ME4?")
    assert made.follow_ups(answered_from("ME1", library), ["What is ME2?"]) == ("What is ME4?",)
    assert made.follow_ups(answered_from("ME2", library)) == ("What is ME1?", "What is ME4?")
    assert library.asked == ["What is ME2?", "What is ME3?", "What is ME4?", "What is ME1?"]


def test_what_one_collection_answers_says_nothing_of_another() -> None:
    one, other = Library("ME1", "ME2"), Library("ME1", "ME2", unsure={"ME2": "refusal"})
    assert suggestions(one).follow_ups(answered_from("ME1", one)) == ("What is ME2?",)
    assert suggestions(other).follow_ups(answered_from("ME1", other)) == ()


def test_a_search_that_failed_is_tried_again() -> None:
    library = Library("ME1", "ME2", failures=1)
    made, answer = suggestions(library), answered_from("ME1", library)
    with pytest.raises(ModelFailed):
        made.follow_ups(answer)
    assert made.follow_ups(answer) == ("What is ME2?",)


def test_what_is_remembered_has_an_end() -> None:
    library = Library("ME1", "ME2", "ME3")
    made = Suggestions(library, remembered=1)  # type: ignore[arg-type]
    for _ in range(2):
        made.follow_ups(answered_from("ME1", library))
    assert library.asked == ["What is ME2?", "What is ME3?"] * 2


def test_a_collection_without_papers_suggests_nothing() -> None:
    assert suggestions(Library()).examples() == ()
