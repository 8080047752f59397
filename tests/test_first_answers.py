from __future__ import annotations

from pathlib import Path

import pytest
from eval_cases import QUESTIONS, CitesAnotherPaper, Honest, RefusesEverything, subject

from eval.benchmarks.first_answers import main, shown
from eval.judge import OverlapJudge
from eval.results import ResultStore


def page(assistant: Honest, folder: Path) -> str:
    return "\n".join(shown(QUESTIONS[:1], [subject(assistant)], ResultStore(folder), OverlapJudge()))


def test_a_right_answer_is_shown_with_its_facts_and_its_paper(tmp_path: Path) -> None:
    found = page(Honest(), tmp_path)
    assert found.startswith("# The first answers")
    assert f"## 1. {QUESTIONS[0].question}" in found
    assert "- “" in found
    facts = len(QUESTIONS[0].facts)
    assert f"({facts} of {facts} expected facts)" in found
    assert f"[1] {QUESTIONS[0].gold_titles[0]}" in found
    assert "not a gold paper" not in found


def test_a_paper_that_is_not_gold_is_marked(tmp_path: Path) -> None:
    assert "(not a gold paper)" in page(CitesAnotherPaper(), tmp_path)


def test_a_refusal_is_shown_as_one(tmp_path: Path) -> None:
    found = page(RefusesEverything(), tmp_path)
    assert "*Refused:" in found
    assert "missing:" in found


def test_bad_input_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--questions", str(tmp_path / "nowhere.jsonl")]) == 1
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
