"""The judge that is a model, with a made-up classifier: how it is asked, not how well it judges."""

from __future__ import annotations

from pathlib import Path

import pytest
from entailment_cases import ScriptedEntailment, classifier

from eval.judge import AlignedJudge, OverlapJudge, load_judge
from eval.nli import NliJudge
from rag.errors import BadInput, ModelMissing


@pytest.mark.parametrize(("name", "kind"), [("aligned", AlignedJudge), ("overlap", OverlapJudge)])
def test_the_judges_that_come_along_are_known_by_name(name: str, kind: type, tmp_path: Path) -> None:
    assert isinstance(load_judge(name, tmp_path), kind)


@pytest.mark.parametrize("name", ["alinged", "default", "a/b/c"])
def test_an_unknown_judge_is_refused_before_anything_is_loaded(name: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="expected aligned, overlap, or an NLI model"):
        load_judge(name, tmp_path)


def test_a_model_that_is_not_here_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="footnote models pull"):
        load_judge("some/model", tmp_path)


class Favouring(ScriptedEntailment):
    """Finds everything entailed by the longest premise alone."""

    name = "favouring"

    def entailed(self, premise: str, statement: str) -> float:
        return super().entailed(premise, statement) * len(premise) / 100


def test_each_source_and_all_together_are_read_and_the_most_favourable_counts() -> None:
    model = Favouring(1.0)
    judge = NliJudge(model)  # type: ignore[arg-type]
    assert judge.support("Bees dance.", ["a" * 20, "b" * 30]) == 0.51
    assert [len(premise) for premise, _ in model.asked] == [20, 30, 51]
    assert {statement for _, statement in model.asked} == {"Bees dance."}
    assert judge.name == "favouring"


def test_a_lone_source_is_read_once() -> None:
    model = Favouring(1.0)
    assert NliJudge(model).support("Bees dance.", ["a" * 20]) == 0.2  # type: ignore[arg-type]
    assert len(model.asked) == 1


@pytest.mark.parametrize(("statement", "sources"), [("Bees dance.", []), (" ", ["Bees dance."])])
def test_without_sources_or_statement_nothing_is_asked(statement: str, sources: list[str]) -> None:
    model = Favouring(1.0)
    assert NliJudge(model).support(statement, sources) == 0  # type: ignore[arg-type]
    assert model.asked == []


@pytest.mark.slow
def test_a_classifier_in_a_folder_judges_under_its_name(tmp_path: Path) -> None:
    name = str(classifier(tmp_path / "nli", ["entailment", "not"]))
    judge = load_judge(name, tmp_path, "cpu")
    assert judge.name == name
    assert 0 < judge.support("Bees dance.", ["Pruna halves memory."]) < 1
