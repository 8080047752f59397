from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from eval.check import GOLD_PAPERS, main, unknown_titles, violations
from eval.datasets import Question, shipped
from rag.records import Paper

PAPER = Paper("p1", "Widget: a model", "We train Widget on the OSCAR corpus for two days on a single A100 device.")
OTHER = Paper("p2", "Gadget", "Gadget needs no labels.")
GOOD = Question(
    "q1",
    "What was Widget trained with?",
    gold_titles=(PAPER.title,),
    facts=(("oscar",), ("A100", "Ampere")),
    type="fact",
    split="dev",
)


def found(*questions: Question) -> list[str]:
    """The violations, without the one that a small set cannot help."""
    papers = [PAPER, OTHER]
    counts = {question.type: sum(q.type == question.type for q in questions) for question in questions}
    problems = violations(questions, papers, counts)
    return [problem for problem in problems if "different gold papers" not in problem]


def test_a_good_question_has_no_violation() -> None:
    assert found(GOOD) == []


def test_a_set_with_few_gold_papers_is_told() -> None:
    assert f"1 different gold papers, at least {GOLD_PAPERS} expected" in violations([GOOD], [PAPER], {"fact": 1})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"gold_titles": ("Nowhere",)}, "q1: unknown gold title 'Nowhere'"),
        ({"facts": (("LibriSpeech", "audio"),)}, "q1: no gold paper says 'LibriSpeech / audio'"),
        ({"facts": (("Widget",),)}, "q1: the question itself says 'Widget'"),
        ({"facts": ()}, "q1: answerable, but without facts"),
        ({"type": "unanswerable"}, "q1: type 'unanswerable' with 1 gold titles"),
        ({"gold_titles": (), "facts": ()}, "q1: type 'fact' with 0 gold titles"),
        ({"type": "followup"}, "q1: type 'followup' with 0 earlier questions"),
        ({"history": ("And Gadget?",)}, "q1: type 'fact' with 1 earlier questions"),
        ({"type": "multi"}, "q1: a multi-paper question with 1 gold titles"),
        (
            {"question": "Why for two days on a single A-100, device?", "facts": (("OSCAR",),)},
            None,
        ),
        (
            {"question": "Did it run: for two days, on a single A100?", "facts": (("OSCAR",),)},
            "q1: shares 7 words with a gold paper: 'for two days on a single a100'",
        ),
        ({"split": "train"}, "q1: split 'train', expected dev or test"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_violation_is_told(change: dict[str, object], said: str | None) -> None:
    problems = found(replace(GOOD, **change))  # type: ignore[arg-type]
    assert (said in problems) if said else problems == []


def test_a_fact_in_the_title_counts_for_which_questions_only() -> None:
    which = replace(GOOD, question="Which paper is it?", facts=(("a model",),), type="which")
    assert found(which) == []
    assert found(replace(which, type="fact")) == ["q1: no gold paper says 'a model'"]


def test_the_halves_share_no_paper() -> None:
    assert found(GOOD, replace(GOOD, id="q2", question="On what?", split="test")) == [
        "gold in dev and test: 'Widget: a model'"
    ]


def test_each_type_is_in_both_halves() -> None:
    many = [replace(GOOD, id=f"q{n}", question=f"What about {n}?") for n in range(3)]
    assert found(*many) == ["type 'fact' is split 3 dev to 0 test, about half each expected"]


def test_a_question_asked_twice_is_told() -> None:
    twice = replace(GOOD, id="q2", question=GOOD.question.upper())
    assert found(GOOD, twice) == ["asked 2 times: 'what was widget trained with?'"]


def test_counts_are_told_both_ways() -> None:
    problems = list(violations([GOOD], [PAPER], {"typo": 2}))
    assert "1 questions of type 'fact', expected 0" in problems
    assert "0 questions of type 'typo', expected 2" in problems


def test_the_shipped_set_keeps_its_rules(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0, capsys.readouterr().out
    assert "240 questions, no violations" in capsys.readouterr().out


def test_the_command_prints_every_violation_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_text(json.dumps({"id": "q1", "question": "Why?", "gold_titles": ["Nowhere", "Neither"]}))
    assert main([str(path)]) == 1
    assert capsys.readouterr().out == "q1: unknown gold title 'Nowhere'\nq1: unknown gold title 'Neither'\n"


def test_a_set_of_others_is_not_held_to_the_rules_of_the_shipped_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_text(json.dumps({"id": "q1", "question": "Why?", "gold_titles": [], "type": "mine", "split": "train"}))
    assert main([str(path)]) == 0
    assert "1 questions, no violations" in capsys.readouterr().out
    assert list(unknown_titles([replace(GOOD, facts=(), type="mine")], [PAPER])) == []


def test_the_shipped_set_is_known_by_any_path(capsys: pytest.CaptureFixture[str]) -> None:
    roundabout = shipped().parent / ".." / shipped().parent.name / shipped().name
    assert main([str(roundabout)]) == 0
    assert "240 questions" in capsys.readouterr().out


def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "missing.jsonl")]) == 1
    assert capsys.readouterr().err.count("\n") == 1
