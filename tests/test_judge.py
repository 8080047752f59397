from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.judge import (
    AlignedJudge,
    Judge,
    OverlapJudge,
    Pair,
    fit,
    main,
    read_pairs,
    scored,
    scored_unseen,
    separation,
)
from rag.errors import BadInput

CORPUS = (
    '{"_id": "d1", "title": "Aspirin", "text": "Aspirin lowers fever in adults."}\n'
    '{"_id": "d2", "title": "Bees", "text": "Bees find their way by the sun."}\n'
)
QUERIES = '{"_id": "c1", "text": "Aspirin lowers fever."}\n{"_id": "c2", "text": "Aspirin raises fever."}\n'
QRELS = "query-id\tcorpus-id\tscore\nc1\td1\t1\nc2\td1\t1\n"
PAIRS = (
    "query-id\tcorpus-id\tlabel\tsplit\nc1\td1\tSUPPORT\ttrain\nc2\td1\tCONTRADICT\ttrain\n"
    "c1\td2\tNOT_ENOUGH_INFO\ttrain\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "qrels").mkdir()
    (tmp_path / "corpus.jsonl").write_text(CORPUS)
    (tmp_path / "queries.jsonl").write_text(QUERIES)
    (tmp_path / "qrels" / "train.tsv").write_text(QRELS)
    (tmp_path / "claim_doc_pairs.tsv").write_text(PAIRS)
    return tmp_path


@pytest.mark.parametrize(
    ("statement", "sources", "expected"),
    [
        ("Aspirin lowers fever.", ["In adults, ASPIRIN lowered the fever."], 1.0),
        ("Aspirin lowers fever.", ["Aspirin thins blood."], 1 / 3),
        ("Aspirin lowers fever.", ["Aspirin thins blood.", "Fever is lower at noon."], 1.0),
        ("Aspirin lowers fever.", [], 0.0),
        ("It is what it is.", ["It is what it is."], 0.0),
        ("", ["Aspirin."], 0.0),
    ],
    ids=["reworded", "partly", "together", "no source", "no content", "empty"],
)
def test_overlap_is_the_share_of_terms_held_by_the_sources_together(
    statement: str, sources: list[str], expected: float
) -> None:
    judge: Judge = OverlapJudge()
    assert judge.support(statement, sources) == pytest.approx(expected)


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=60), st.lists(st.text(max_size=60), max_size=3), st.text(max_size=60))
def test_a_further_source_never_lowers_overlap(statement: str, sources: list[str], further: str) -> None:
    judge = OverlapJudge()
    assert 0 <= judge.support(statement, sources) <= judge.support(statement, [*sources, further]) <= 1


SOURCE = "We study pruning. LoRA does not increase memory beyond 84% on GPT-4. It is cheap."


@pytest.mark.parametrize(
    "lie",
    [
        "LoRA does not increase memory beyond 48% on GPT-4.",
        "LoRA does increase memory beyond 84% on GPT-4.",
        "LoRA does not decrease memory beyond 84% on GPT-4.",
        "LoRA does not increase memory beyond 84% on Llama-2.",
    ],
    ids=["number", "negation", "opposite", "name"],
)
def test_the_aligned_judge_sees_a_changed_word(lie: str) -> None:
    judge: Judge = AlignedJudge()
    truth = "LoRA does not increase memory beyond 84% on GPT-4."
    assert judge.support(lie, [SOURCE]) < judge.support(truth, [SOURCE])
    assert judge.support(truth, [SOURCE]) > judge.threshold


def test_the_aligned_judge_supports_what_is_quoted_and_nothing_without_a_source() -> None:
    judge = AlignedJudge()
    assert judge.support("Bees find their way by the sun.", ["Bees find their way by the sun."]) > judge.threshold
    assert judge.support("Bees find their way by the sun.", ["Aspirin lowers fever."]) < judge.threshold
    assert judge.support("Bees.", []) == 0
    assert judge.support("", ["Bees."]) == 0


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=60), st.lists(st.text(max_size=60), max_size=3))
def test_any_text_is_judged(statement: str, sources: list[str]) -> None:
    assert 0 <= AlignedJudge().support(statement, sources) <= 1


def test_weights_are_learned_from_what_separates() -> None:
    random = np.random.default_rng(0)
    rows = random.normal(size=(400, 6))
    chance = 1 / (1 + np.exp(-(2 * rows[:, 0] - rows[:, 3] + 0.5)))
    weights = fit(rows, random.random(400) < chance)
    assert list(weights.weights.values()) == pytest.approx([2, 0, 0, -1, 0, 0], abs=0.4)
    assert weights.intercept == pytest.approx(0.5, abs=0.4)


def test_a_claim_is_scored_by_weights_that_have_not_seen_it() -> None:
    good = [Pair(f"Bees like {n}.", f"Bees like {n}.", "SUPPORT") for n in range(20)]
    bad = [Pair(f"Bees like {n}.", "Aspirin.", "NOT_ENOUGH_INFO") for n in range(20)]
    scores = scored_unseen(good + bad)
    assert min(scores[:20]) > max(scores[20:])
    odd_claim_relabelled = [*good, *bad[:-1], Pair(bad[-1].claim, bad[-1].source, "SUPPORT")]
    assert scored_unseen(odd_claim_relabelled)[-1] == scores[-1]  # its own label cannot reach its own score


def test_pairs_are_read_with_title_and_abstract(folder: Path) -> None:
    assert read_pairs(folder)[0] == Pair("Aspirin lowers fever.", "Aspirin\nAspirin lowers fever in adults.", "SUPPORT")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (PAIRS.replace("c2", "c9"), r"pairs.tsv:3: expected a known query-id"),
        (PAIRS.replace("d2", "d9"), r"pairs.tsv:4: expected a known query-id"),
        (PAIRS.replace("CONTRADICT", "NO"), r"pairs.tsv:3: .*label"),
        ("c1 d1\n\nx", r"pairs.tsv:2: expected"),
    ],
    ids=["claim", "paper", "label", "no table"],
)
def test_a_pair_that_cannot_be_read_is_named_by_line(folder: Path, text: str, said: str) -> None:
    (folder / "claim_doc_pairs.tsv").write_text(text)
    with pytest.raises(BadInput, match=said):
        read_pairs(folder)


class Clairvoyant:
    """Knows the expert's label of the claim "Aspirin raises fever."."""

    name = "clairvoyant"
    threshold = 0.5

    def support(self, statement: str, sources: Sequence[str]) -> float:
        return float("lowers" in statement and "fever" in sources[0])


def test_a_judge_is_measured_against_each_other_label(folder: Path) -> None:
    pairs = read_pairs(folder)
    figures = separation(scored(Clairvoyant(), pairs), pairs)
    assert {label: figure and (figure.value, figure.count) for label, figure in figures.items()} == {
        "NOT_ENOUGH_INFO": (1.0, 2),
        "CONTRADICT": (1.0, 2),
    }


def test_the_command_prints_the_table(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(folder)]) == 0
    out = capsys.readouterr().out
    assert "word overlap     NOT_ENOUGH_INFO  1.000" in out
    assert "aligned overlap" in out


def test_the_command_says_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert main([str(tmp_path / "nowhere")]) == 1
    assert "no such folder" in capsys.readouterr().err
