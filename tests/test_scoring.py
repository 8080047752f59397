"""Assistants that are broken in one way each lose exactly where they should."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from eval_cases import (
    COLLECTION,
    QUESTIONS,
    AnswersEverything,
    CitesAnotherPaper,
    CopiesAbstracts,
    Fails,
    Honest,
    MakesUpPapers,
    RefusesEverything,
    subject,
)

from eval.datasets import Question
from eval.diagnosis import badness, faults, worst
from eval.figures import ALL, summarise
from eval.judge import OverlapJudge
from eval.metrics import Share
from eval.results import Cited, Picked, Result, ResultStore
from eval.runner import Trial, run
from eval.scoring import METRICS, WORST, Scored, score_trials
from rag.records import Statement


def scored(assistant: Honest, tmp_path: Path, questions: Sequence[Question] = QUESTIONS) -> tuple[Scored, ...]:
    """With the gold papers hidden too, from the same assistant: how it decides is part of what is broken."""
    store = ResultStore(tmp_path / type(assistant).__name__)
    trials = run(questions, subject(assistant), store, quoting=subject(assistant))
    return score_trials(trials, COLLECTION, OverlapJudge())


def figures(assistant: Honest, tmp_path: Path) -> dict[str, float]:
    summary = summarise([each.score for each in scored(assistant, tmp_path)])
    return {name: slices[ALL].value for name, slices in summary.items()}


TIMES = {"first_statement_s", "total_s"}

PERFECT = {
    "recall@1": 1, "recall@5": 1, "recall@10": 1, "ndcg@10": 1, "rr@10": 1, "facts": 1, "quoted": 1, "worded": 1,
    "withheld": 0, "citation_precision": 1, "citation_recall": 1, "fabricated": 0, "supported": 1, "alce_recall": 1,
    "alce_precision": 1, "abstention_f1": 1, "abstention_precision": 1, "abstention_recall": 1,
    "unanswerable_refused": 1, "hidden_refused": 1, "over_refusal": 0, "warned": 1, "over_warned": 0, "auroc": 1,
    "aurc": 0, "errors": 0,
}  # fmt: skip


def test_an_honest_assistant_loses_nowhere(tmp_path: Path) -> None:
    found = figures(Honest(), tmp_path)
    assert {name: value for name, value in found.items() if name not in {*TIMES, "words"}} == PERFECT


@pytest.mark.parametrize(
    ("assistant", "lost"),
    [
        pytest.param(
            CitesAnotherPaper(),
            # The "which" question is answered by the title that is cited.
            {"citation_precision": 0, "citation_recall": 0, "supported": 0, "alce_recall": 0, "alce_precision": 0,
             "facts": 5 / 6, "aurc": None},
            id="cites another paper",
        ),
        pytest.param(
            AnswersEverything(),
            {"abstention_f1": 0, "abstention_precision": None, "abstention_recall": 0, "unanswerable_refused": 0,
             "hidden_refused": 0, "warned": 0, "aurc": None},
            id="answers everything",
        ),
        pytest.param(
            RefusesEverything(),
            {"over_refusal": 1, "over_warned": 1, "facts": 0, "citation_recall": 0, "citation_precision": None,
             "fabricated": None, "supported": None, "alce_recall": None, "alce_precision": None, "quoted": None,
             "worded": None,
             "abstention_precision": 8 / 14, "abstention_f1": 16 / 22, "aurc": None},
            id="refuses everything",
        ),
        pytest.param(CopiesAbstracts(), {"citation_precision": 1 / 3}, id="copies whole abstracts"),
        pytest.param(
            MakesUpPapers(),
            {"fabricated": 1, "citation_precision": 0, "citation_recall": 0, "supported": 0, "alce_recall": 0,
             "alce_precision": 0, "facts": 5 / 6, "aurc": None},
            id="makes up papers",
        ),
    ],
)  # fmt: skip
def test_a_broken_assistant_loses_exactly_where_it_should(
    assistant: Honest, lost: dict[str, float | None], tmp_path: Path
) -> None:
    found = figures(assistant, tmp_path)
    for name, perfect in PERFECT.items():
        expected = lost.get(name, perfect)
        if name in lost and name == "aurc":
            continue  # it follows from the others
        assert found.get(name) == (None if expected is None else pytest.approx(expected)), name


def test_copying_abstracts_takes_many_words_and_answering_everything_costs_risk(tmp_path: Path) -> None:
    honest = figures(Honest(), tmp_path / "honest")
    assert figures(CopiesAbstracts(), tmp_path)["words"] > 3 * honest["words"]
    assert figures(AnswersEverything(), tmp_path)["aurc"] > honest["aurc"]


def test_a_failure_counts_as_wrong_everywhere(tmp_path: Path) -> None:
    rows = {each.score.id: each.score for each in scored(Fails("e"), tmp_path)}
    answerable, unanswerable = rows["memory"], rows["volcano"]
    assert {name: answerable.value(name) for name in ("facts", "citation_recall", "recall@10", "over_refusal")} == {
        "facts": 0,
        "citation_recall": 0,
        "recall@10": 0,
        "over_refusal": 1,
    }
    assert answerable.value("errors") == unanswerable.value("errors") == 1
    assert unanswerable.value("abstention_recall") == unanswerable.value("warned") == 0
    assert answerable.signals == ((-WORST, True), (WORST, False))
    assert unanswerable.signals == ((WORST, False),)
    assert not answerable.times
    assert answerable.value("citation_precision") is None


def test_cached_answers_have_no_times(tmp_path: Path) -> None:
    first, second = (scored(Honest(), tmp_path) for _ in range(2))
    assert all("total_s" in each.score.times for each in first)
    assert not any(each.score.times for each in second)
    assert [each.score.shares for each in first] == [each.score.shares for each in second]


def one(question: Question, asked: Result, hidden: Result | None = None) -> Scored:
    return score_trials([Trial(question, asked, hidden)], COLLECTION, OverlapJudge())[0]


def test_the_speed_of_the_generator_is_that_of_its_own_time() -> None:
    asked = Result(answered=True, total_s=3.0, pieces=30, writing_s=1.5)
    assert one(QUESTIONS[0], asked).score.times == {"total_s": 3.0, "tokens_per_s": 20.0}


def test_a_question_that_nobody_labelled_counts_for_no_rate_of_abstention() -> None:
    score = one(Question("q", "What?", labelled=False), Result(answered=True, nearest=0.5)).score
    assert not {"over_refusal", "abstention_recall", "facts", "recall@1"} & score.shares.keys()
    assert not score.signals
    assert score.risk is None


def test_a_caution_is_an_answer_and_a_warning() -> None:
    cautious = Result(answered=True, confidence="caution", nearest=0.4)
    assert one(QUESTIONS[0], cautious).score.shares["over_warned"] == Share(1, 1)
    assert one(QUESTIONS[0], cautious).score.shares["over_refusal"] == Share(0, 1)
    unanswerable = one(QUESTIONS[-1], cautious).score
    assert unanswerable.shares["warned"] == Share(1, 1)
    assert unanswerable.shares["abstention_recall"] == Share(0, 1)


def test_statements_in_other_words_are_counted_apart() -> None:
    statements = (
        Statement("Pruna removes attention heads.", (1,), "quoted"),
        Statement("Bees like honey.", (1,), "supported"),
        Statement("Pruna halves memory.", (), "supported"),
    )
    cited = (Cited(1, "pruna", COLLECTION["pruna"].title),)
    score = one(QUESTIONS[0], Result(answered=True, statements=statements, citations=cited)).score
    assert score.shares["supported"] == Share(1, 3)
    assert score.shares["supported_written"] == Share(0, 2)
    assert score.value("quoted") == pytest.approx(1 / 3)


def test_every_figure_is_in_the_registry(tmp_path: Path) -> None:
    assert figures(Honest(), tmp_path).keys() <= METRICS.keys()


# --- what went wrong, in words ----------------------------------------------------------------------------------------


def told(assistant: Honest, tmp_path: Path, question: Question) -> list[str]:
    return faults(scored(assistant, tmp_path, [question])[0], COLLECTION)


@pytest.mark.parametrize(
    ("assistant", "question", "expected"),
    [
        pytest.param(Honest(), QUESTIONS[0], [], id="nothing"),
        pytest.param(Fails("Pruna"), QUESTIONS[0], ["The assistant failed: RuntimeError: out of memory"], id="failure"),
        pytest.param(
            RefusesEverything(), QUESTIONS[0], ["It refused, and the collection has the answer."], id="refusal"
        ),
        pytest.param(
            AnswersEverything(), QUESTIONS[7], ["It answered, and the collection has no answer."], id="no refusal"
        ),
        pytest.param(CopiesAbstracts(), QUESTIONS[0], ["2 of 3 cited papers are not gold."], id="too many sources"),
        pytest.param(
            CitesAnotherPaper(),
            QUESTIONS[0],
            [
                "1 of 1 cited papers is not gold.",
                "1 of 1 gold papers is not cited.",
                "Statement 1 is not supported by what it cites, says the judge.",
            ],
            id="another source",
        ),
        pytest.param(
            Honest(),
            replace(QUESTIONS[0], facts=(("attention heads",), ("31%",))),
            [
                "Not stated: “attention heads”; a cited abstract has it, in a sentence that was not picked.",
                "Not stated: “31%”; no cited abstract has it.",
            ],
            id="missing facts",
        ),
    ],
)
def test_faults_are_told_in_words(assistant: Honest, question: Question, expected: list[str], tmp_path: Path) -> None:
    assert told(assistant, tmp_path, question) == expected


def test_a_paper_that_was_not_found_is_named() -> None:
    found = one(QUESTIONS[0], Result(answered=True, ranking=("bee", "osca")))
    assert faults(found, COLLECTION)[0] == "Not among the 2 papers found: “Pruna: Pruning Heads”."
    deep = one(QUESTIONS[0], Result(answered=True, ranking=("bee", "osca", "sol", "moss", "tide", "pruna")))
    assert faults(deep, COLLECTION)[0] == "Found only in place 6: “Pruna: Pruning Heads”."


def test_a_fact_in_the_evidence_was_lost_by_the_writer() -> None:
    asked = Result(answered=True, evidence=(Picked("pruna", "Pruna halves it."),))
    assert "Not stated: “halves”; it was in the evidence picked." in faults(one(QUESTIONS[0], asked), COLLECTION)


def test_a_failure_with_hidden_papers_is_told() -> None:
    trial = one(QUESTIONS[0], Result(answered=False), Result(error="broken"))
    assert faults(trial, COLLECTION)[-1] == "With its gold papers hidden the assistant failed: broken"


def test_the_worst_come_first_and_the_faultless_not_at_all(tmp_path: Path) -> None:
    bad = [
        one(QUESTIONS[0], Result(error="x")),
        one(QUESTIONS[6], Result(answered=True, confidence="answer")),
        one(QUESTIONS[6], Result(answered=True, confidence="caution")),
        one(QUESTIONS[0], Result()),
        one(QUESTIONS[0], Result(answered=True)),
    ]
    good = list(scored(Honest(), tmp_path))
    assert [badness(each) for each in bad] == sorted((badness(each) for each in bad), reverse=True)
    assert worst([*good, *reversed(bad)]) == bad
    assert worst([*good, *reversed(bad)], 2) == bad[:2]
