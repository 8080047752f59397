"""Questions made from titles, and only those that the collection answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from samples import ANSWER

from rag.records import Confidence, Event, Evidence, Finished, Hit, Paper, Searched, Selected, Sentence
from ui.suggestions import EXAMPLES, TRIED, examples, follow_ups, question_about


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
    """Answers "What is X?" from X; what is in `unsure` it does not answer, the rest from the wrong paper."""

    def __init__(self, *names: str, unsure: Mapping[str, Confidence] | None = None, wrong: str = "") -> None:
        self.papers = {name: paper(name) for name in names}
        self.index: Any = SimpleNamespace(papers=self.papers)
        self.unsure, self.wrong = unsure or {}, wrong
        self.asked: list[str] = []
        self.went_on = False

    def stream(self, question: str, **options: object) -> Iterator[Event]:
        self.asked.append(question)
        name = question.removeprefix("What is ").removesuffix("?")
        source = next(iter(self.papers.values())) if name == self.wrong else self.papers[name]
        yield Searched(())
        yield Selected((Evidence(source, Sentence(name, 0, 0, 1, "W"), 1.0),), self.unsure.get(name, "answer"))
        self.went_on = True
        yield Finished(ANSWER)


def test_examples_are_answered_and_always_the_same() -> None:
    names = [f"ME{number}" for number in range(9)]
    first, second = examples(Library(*names)), examples(Library(*reversed(names)))  # type: ignore[arg-type]
    assert first == second
    assert len(first) == EXAMPLES


def test_no_model_writes_for_a_suggestion() -> None:
    library = Library("ME1")
    examples(library)  # type: ignore[arg-type]
    assert not library.went_on


def test_what_the_collection_does_not_answer_is_not_suggested() -> None:
    library = Library("ME1", "ME2", "ME3", unsure={"ME2": "caution"}, wrong="ME3")
    assert examples(library) == ("What is ME1?",)  # type: ignore[arg-type]


def test_looking_for_questions_has_an_end() -> None:
    names = [f"ME{number}" for number in range(50)]
    library = Library(*names, unsure=dict.fromkeys(names, "refusal"))
    assert examples(library) == ()  # type: ignore[arg-type]
    assert len(library.asked) == TRIED


def test_after_an_answer_come_its_neighbours_not_asked_before() -> None:
    library = Library("ME1", "ME2", "ME3")
    hits = tuple(Hit(each, (), 1.0) for each in library.papers.values())
    answer = replace(ANSWER, citations=(replace(ANSWER.citations[0], paper=paper("ME1")),), hits=hits)
    assert follow_ups(library, answer, ["what is me2?"]) == ("What is ME3?",)  # type: ignore[arg-type]


def test_a_collection_without_papers_suggests_nothing() -> None:
    assert examples(Library()) == ()  # type: ignore[arg-type]
