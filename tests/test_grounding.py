from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from eval.benchmarks.grounding import (
    LABELLED,
    Case,
    Checker,
    Outcome,
    default_similarity,
    main,
    read_cases,
    table,
    tallies,
    together,
)
from rag.answering import grounding
from rag.answering.grounding import Source, Verdict
from rag.errors import BadInput
from rag.index.passages import sentences_of
from rag.papers import bundled, read_papers
from rag.records import Paper


def source(paper_id: str, title: str, *sentences: str) -> Source:
    paper = Paper(paper_id, title, " ".join(sentences))
    found = Source(paper, sentences_of(paper))
    assert [sentence.text for sentence in found.sentences] == list(sentences)
    return found


PEBBLE = source(
    "pebble",
    "Pebble: Small Encoders for Long Documents",
    "We introduce Pebble, a compact encoder for long documents.",
    "Pebble needs 40% less memory than Longwave and was trained for 12 hours on 8 GPUs.",
    "On the Archive benchmark, Pebble outperforms Longwave by 3.5 points.",
    "Sparse attention does not improve accuracy on short documents.",
    "Larger batches increase throughput but reduce calibration.",
    "Classifiers reach 99%, 97% and 90% accuracy on letters, contracts and receipts, respectively.",
    "Pre-training is necessary for stable convergence.",
    "Tokenizers from Northgate are slower than those from Southgate.",
    "The released checkpoints cover 23 languages and 7B parameters.",
)
DRIFTWOOD = source(
    "driftwood",
    "Driftwood: Retrieval for Legal Questions",
    "Driftwood retrieves statutes before it answers legal questions.",
    "Annotators preferred its answers in 64% of comparisons.",
    "Removing the retriever doubles the error rate.",
)


def checked(statement: str, *sources: Source) -> Verdict:
    """The verdict with all words of equal weight and no embedder."""
    return grounding.check(statement, sources or (PEBBLE, DRIFTWOOD), lambda term: 1.0)


def carried_by(verdict: Verdict) -> dict[str, list[int]]:
    return {each.paper.paper_id: [sentence.position for sentence in each.sentences] for each in verdict.support}


# --- what may be stated ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "carried"),
    [
        pytest.param("Pebble needs 40% less memory than Longwave.", {"pebble": [1]}, id="a part of a sentence"),
        pytest.param("Pebble needs 40 percent less memory than Longwave.", {"pebble": [1]}, id="unit spelled out"),
        pytest.param("The checkpoints cover 7 billion parameters.", {"pebble": [8]}, id="multiplier spelled out"),
        pytest.param("Longwave is outperformed by Pebble on the Archive benchmark.", {"pebble": [2]}, id="passive"),
        pytest.param(
            "Accuracy on short documents is not improved by sparse attention.", {"pebble": [3]}, id="negation kept"
        ),
        pytest.param(
            "Accuracy on short documents isn't improved by sparse attention.", {"pebble": [3]}, id="negation shortened"
        ),
        pytest.param("Larger batches reduce calibration.", {"pebble": [4]}, id="direction kept"),
        pytest.param("Pretraining is necessary for stable convergence.", {"pebble": [6]}, id="hyphen left out"),
        pytest.param("Pre training is necessary for stable convergence.", {"pebble": [6]}, id="hyphen made a space"),
        pytest.param(
            "The checkpoints of Pebble cover 23 languages.", {"pebble": [8]}, id="the paper's own name used elsewhere"
        ),
        pytest.param(
            "Classifiers reach 99%, 97% and 90% accuracy on letters, contracts and receipts.",
            {"pebble": [5]},
            id="a list told in full",
        ),
        pytest.param("Removing the retriever doubles the error rate.", {"driftwood": [2]}, id="the second source"),
    ],
)
def test_a_faithful_statement_is_stated_with_the_sentences_that_carry_it(
    statement: str, carried: dict[str, list[int]]
) -> None:
    verdict = checked(statement)
    assert (verdict.reason, carried_by(verdict)) == ("", carried)


def test_half_of_a_version_is_another_name() -> None:
    quarry = source("quarry", "Quarry", "Quarry outperforms Phi-3.5 on long documents and lowers the cost of training.")
    assert checked("Quarry outperforms Phi-3.5 on long documents.", quarry).passed
    assert not checked("Quarry outperforms Phi-3 on long documents.", quarry).passed


def test_one_negation_of_the_source_excuses_one() -> None:
    locks = source("locks", "Locks", "A lock can hold boats that are not allowed to turn, but no barges.")
    assert checked("A lock can hold boats that are not allowed to turn.", locks).passed
    assert not checked("A lock cannot hold boats that are not allowed to turn.", locks).passed


def test_only_is_no_negation() -> None:
    weirs = source("weirs", "Weirs", "Only the weir built with a wooden gate drains faster in long winters.")
    assert not checked("The weir built without a wooden gate drains faster in long winters.", weirs).passed


def test_two_sentences_of_one_abstract_may_carry_a_statement_together() -> None:
    verdict = checked("Larger batches increase throughput; sparse attention does not improve accuracy.")
    assert (verdict.reason, carried_by(verdict)) == ("", {"pebble": [3, 4]})


@pytest.mark.parametrize("joint", ["; ", ", while ", " whereas "], ids=str.strip)
def test_each_clause_may_stand_on_a_paper_of_its_own(joint: str) -> None:
    verdict = checked(
        f"Pebble needs 40% less memory than Longwave{joint}Driftwood retrieves statutes before answering questions."
    )
    assert (verdict.reason, carried_by(verdict)) == ("", {"pebble": [1], "driftwood": [0]})


def test_of_one_source_a_statement_is_checked_as_a_whole() -> None:
    """Its clauses alone would each find their number in the sentence that exchanges them."""
    text = "Locks lose 81% of the water, while weirs lose 84% of the water."
    locks = source("locks", "Locks and Weirs", text)
    assert checked(text, locks).passed
    assert not checked("Locks lose 84% of the water, while weirs lose 81% of the water.", locks).passed


@pytest.mark.parametrize(
    "sentence", [*PEBBLE.sentences, *DRIFTWOOD.sentences], ids=lambda s: f"{s.paper_id} {s.position}"
)
def test_a_sentence_of_the_abstract_word_for_word_is_stated(sentence: grounding.Sentence) -> None:
    assert checked(sentence.text).passed


# --- what may not ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("Pebble needs 60% less memory than Longwave.", id="another number"),
        pytest.param("Pebble was trained for 12 days on 8 GPUs.", id="another unit"),
        pytest.param("The released checkpoints cover 7M parameters.", id="another multiplier"),
        pytest.param("The released checkpoints cover 24 languages.", id="one more"),
        pytest.param("The released checkpoints cover 23 countries.", id="something else counted"),
        pytest.param("Pebble was trained for 8 hours on 12 GPUs.", id="numbers changed round"),
        pytest.param("Pebble outperforms Longwave by 3 points.", id="a decimal cut off"),
        pytest.param("Pebble outperforms Longwave by 40 points on Archive.", id="the number of another quantity"),
        pytest.param("Classifiers reach 90% accuracy on letters.", id="the last of a respectively list to the first"),
        pytest.param(
            "Classifiers reach 90%, 97% and 99% accuracy on letters, contracts and receipts.",
            id="a respectively list out of order",
        ),
    ],
)
def test_a_number_must_stand_in_the_source_and_count_the_same(statement: str) -> None:
    assert not checked(statement).passed


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("Pebble needs 40% less memory than Boulder.", id="a name that is not there"),
        pytest.param("On the Southgate benchmark, Pebble outperforms Longwave.", id="the name of something else"),
        pytest.param("Boulder needs 40% less memory than Longwave.", id="a name that is not there, in front"),
        pytest.param(
            "Boulder needs 40% less memory than Longwave and was trained for 12 hours on 8 GPUs.",
            id="a name that is not there, in front of much that is",
        ),
        pytest.param("Longwave was trained for 12 hours on 8 GPUs.", id="the name of the other one"),
        pytest.param(
            "Annotators preferred the answers of Pebble in 64% of comparisons.", id="the name of the other paper"
        ),
        pytest.param(
            "Driftwood needs 40% less memory than Longwave, while Pebble retrieves statutes before it answers.",
            id="the names of two papers changed round",
        ),
    ],
)
def test_what_is_said_must_be_said_of_the_same_thing(statement: str) -> None:
    assert not checked(statement).passed


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("Pebble does not outperform Longwave on the Archive benchmark.", id="added"),
        pytest.param("Pebble never outperforms Longwave on the Archive benchmark.", id="added as never"),
        pytest.param("Pebble fails to outperform Longwave on the Archive benchmark.", id="added as fails to"),
        pytest.param("Sparse attention improves accuracy on short documents.", id="dropped"),
        pytest.param("Accuracy on short documents is improved by sparse attention.", id="dropped in the passive"),
        pytest.param("Pre-training is unnecessary for stable convergence.", id="by a prefix"),
        pytest.param("Pre-training is necessary for unstable convergence.", id="by a prefix elsewhere"),
        pytest.param("Pebble is a compact encoder for short documents.", id="by a contrary word"),
    ],
)
def test_a_negation_must_be_the_source_s(statement: str) -> None:
    assert not checked(statement).passed


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("Removing the retriever halves the error rate.", id="turned"),
        pytest.param("Pebble needs 40% more memory than Longwave.", id="turned beside a number"),
        pytest.param("Larger batches reduce throughput.", id="taken from the next clause"),
        pytest.param("Larger batches increase calibration.", id="taken from the clause before"),
        pytest.param("Pebble underperforms Longwave on the Archive benchmark.", id="turned in a comparison"),
        pytest.param("Longwave outperforms Pebble by 3.5 points on the Archive benchmark.", id="sides swapped"),
        pytest.param("Pebble is outperformed by Longwave.", id="passive turned round"),
        pytest.param(
            "Pebble is outperformed by Longwave on the Archive benchmark by 3.5 points.",
            id="passive turned round, with all that the source adds",
        ),
        pytest.param("Tokenizers from Southgate are slower than those from Northgate.", id="sides of than swapped"),
        pytest.param("Tokenizers from Northgate are faster than those from Southgate.", id="than turned"),
    ],
)
def test_a_direction_must_point_where_the_source_points(statement: str) -> None:
    assert not checked(statement).passed


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("The weather in spring is mild and sunny.", id="another subject"),
        pytest.param("Pebble was written by volunteers during a summer school.", id="only the name is there"),
        pytest.param(
            "Pebble needs 40% less memory than Longwave, while volunteers wrote the manual over the summer.",
            id="one clause out of two",
        ),
        pytest.param("", id="empty"),
        pytest.param("?!", id="no words"),
    ],
)
def test_what_is_not_there_is_not_said(statement: str) -> None:
    assert not checked(statement).passed


def test_nothing_is_stated_without_a_source() -> None:
    verdict = grounding.check("Pebble is a compact encoder.", [], lambda term: 1.0)
    assert (verdict.passed, verdict.support) == (False, ())
    assert verdict.reason


def test_an_abstract_without_sentences_carries_nothing() -> None:
    assert not checked("Pebble is a compact encoder.", Source(PEBBLE.paper, ())).passed


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("Pebble needs 60% less memory than Longwave.", "60%"),
        ("Pebble needs 40% less memory than Boulder.", "Boulder"),
        ("Pre-training is unnecessary for stable convergence.", "unnecessary"),
        ("Sparse attention improves accuracy on short documents.", "negation"),
    ],
)
def test_the_reason_names_what_was_wrong(statement: str, told: str) -> None:
    assert told in checked(statement).reason


# --- weights and likeness -------------------------------------------------------------------------------------------

REWORDED = "Long documents are encoded economically by a compact model called Pebble."


@pytest.mark.parametrize(("cosine", "passed"), [(0.81, True), (0.79, False)], ids=["alike", "not alike"])
def test_other_words_pass_where_the_embedder_finds_them_alike(cosine: float, passed: bool) -> None:
    assert not checked(REWORDED, PEBBLE).passed
    verdict = grounding.check(REWORDED, [PEBBLE], lambda term: 1.0, lambda one, other: cosine)
    assert verdict.passed is passed


def test_likeness_excuses_no_wrong_number() -> None:
    statement = "Pebble needs 60% less memory than Longwave."
    assert not grounding.check(statement, [PEBBLE], lambda term: 1.0, lambda one, other: 1.0).passed


def test_likeness_is_asked_for_only_where_words_leave_it_open() -> None:
    def never(one: str, other: str) -> float:
        raise AssertionError("asked")

    for statement in ("Pebble is a compact encoder for long documents.", "The weather in spring is mild."):
        grounding.check(statement, [PEBBLE], lambda term: 1.0, never)


def test_a_telling_word_that_is_missing_weighs_more_than_a_common_one() -> None:
    statement = "Sparse attention does not improve accuracy on short manuscripts."
    verdicts = [
        grounding.check(statement, [PEBBLE], lambda term, heavy=heavy: heavy if term == "manuscript" else 1.0)
        for heavy in (0.5, 9.0)
    ]
    assert [verdict.passed for verdict in verdicts] == [True, False]


# --- the labelled statements ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cases() -> tuple[Case, ...]:
    return read_cases(LABELLED)


@pytest.fixture(scope="module")
def collection() -> tuple[Paper, ...]:
    return read_papers([bundled()]).papers


@pytest.fixture(scope="module")
def outcomes(cases: Sequence[Case], collection: Sequence[Paper]) -> tuple[Outcome, ...]:
    return Checker(collection).outcomes(cases)


def explained(outcomes: Sequence[Outcome]) -> str:
    """The table, and each lie that was stated."""
    lies = [o.case for o in outcomes if o.stated and o.case.label == "lie"]
    return "\n".join(["", table({"all": outcomes}), *(f"{case.id}: {case.statement}" for case in lies)])


def of(split: str, outcomes: Sequence[Outcome]) -> list[Outcome]:
    return [outcome for outcome in outcomes if outcome.case.split == split]


def test_half_of_the_labelled_statements_were_kept_aside(cases: Sequence[Case]) -> None:
    assert Counter((case.split, case.label) for case in cases) == {
        ("tuned", "lie"): 100, ("tuned", "faithful"): 60, ("held", "lie"): 100, ("held", "faithful"): 50
    }  # fmt: skip
    assert len({case.id for case in cases}) == len({case.statement for case in cases}) == 310


def test_hardly_a_lie_is_stated(outcomes: Sequence[Outcome]) -> None:
    outcomes = of("tuned", outcomes)
    lies = tallies(outcomes, "lie")
    assert together(lies).stated <= 5, explained(outcomes)
    assert max(tally.stated for tally in lies.values()) <= 3, explained(outcomes)


def test_of_the_lies_kept_aside_those_of_number_name_and_other_papers_are_caught(outcomes: Sequence[Outcome]) -> None:
    lies = tallies(of("held", outcomes), "lie")
    assert sum(lies[kind].stated for kind in ("number", "name", "wrong-paper")) <= 4, explained(outcomes)
    assert together(lies).stated <= 16, explained(outcomes)


def test_most_rewordings_are_stated_by_their_words_alone(outcomes: Sequence[Outcome]) -> None:
    rewordings = together(tallies(outcomes, "faithful"))
    assert rewordings.stated >= 0.6 * rewordings.total, explained(outcomes)


def test_of_lies_written_later_most_are_caught_and_moderate_rewordings_stated(collection: Sequence[Paper]) -> None:
    outcomes = Checker(collection).outcomes(read_cases(LABELLED.with_name("grounding_more.jsonl")))
    lies, rewordings = tallies(outcomes, "lie"), tallies(outcomes, "faithful")
    assert lies["name"].stated <= 0.16 * lies["name"].total, explained(outcomes)
    assert lies["number"].stated + lies["comparison"].stated <= 4, explained(outcomes)
    assert rewordings["moderate"].stated >= 0.9 * rewordings["moderate"].total, explained(outcomes)


@pytest.mark.slow
def test_with_the_real_embedder_more_rewordings_are_stated_and_no_more_lies(
    cases: Sequence[Case], collection: Sequence[Paper]
) -> None:
    alike = of("tuned", Checker(collection, default_similarity()).outcomes(cases))
    rewordings, lies = together(tallies(alike, "faithful")), together(tallies(alike, "lie"))
    assert rewordings.stated >= 0.7 * rewordings.total, explained(alike)
    assert lies.stated <= 5, explained(alike)


# --- the benchmark itself -------------------------------------------------------------------------------------------


def outcome(kind: str, reason: str = "", label: str = "lie") -> Outcome:
    return Outcome(Case("id", label, kind, "title", "statement"), reason)


def test_tallies_by_hand() -> None:
    found = [outcome("name"), outcome("name", "not there"), outcome("number", "no"), outcome("x", label="faithful")]
    each = tallies(found, "lie")
    assert {kind: (tally.stated, tally.total) for kind, tally in each.items()} == {"name": (1, 2), "number": (0, 1)}
    assert str(together(each)) == "1 of 3"


def test_the_table_has_a_row_a_kind_and_a_column_a_run() -> None:
    rows = table({"plain": [outcome("name")], "strict": [outcome("name", "no")]}).splitlines()
    assert rows[0] == "| stated, of | plain | strict |"
    assert "| lie: name | 1 of 1 | 0 of 1 |" in rows


def test_a_kind_that_a_run_does_not_have_leaves_its_cell_empty() -> None:
    rows = table({"plain": [outcome("name")], "strict": [outcome("number", "no")]}).splitlines()
    assert "| lie: name | 1 of 1 |  |" in rows
    assert "| lie: number |  | 0 of 1 |" in rows


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        pytest.param("{", "line 2: not a labelled statement", id="no JSON"),
        pytest.param("[1]", "line 2: not a labelled statement", id="no object"),
        pytest.param('{"id": "x"}', "line 2: not a labelled statement .*label", id="a key is missing"),
        pytest.param(
            json.dumps({"id": "x", "label": "fib", "kind": "k", "title": "t", "statement": "s"}),
            "label 'fib', expected one of lie, faithful",
            id="no such label",
        ),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, problem: str) -> None:
    path = tmp_path / "labelled.jsonl"
    path.write_text(f"\n{line}\n", encoding="utf-8")
    with pytest.raises(BadInput, match=problem):
        read_cases(path)


def test_an_unknown_paper_is_named(collection: Sequence[Paper]) -> None:
    with pytest.raises(BadInput, match="no paper of the collection is called 'Nothing'"):
        Checker(collection).outcome(Case("x", "lie", "name", "Nothing", "Something."))


def test_a_file_that_is_not_there_is_one_line_and_an_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / "none.jsonl")]) == 1
    assert capsys.readouterr().err.count("\n") == 1


# --- a rewording of one sentence ------------------------------------------------------------------------------------

CANOPY = source(
    "canopy",
    "Canopy: Growth of Ash Under Frost",
    "Ash may repair bark by sealing cracks within many years.",
    "In the absence of light, seedlings of PDACs grew 6.8 ng of resin and shrank leaves by 80%.",
)


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        pytest.param("Ash repairs bark by sealing cracks within many years.", "drops 'may'", id="doubt dropped"),
        pytest.param("Ash may repair bark by sealing cracks within many weeks.", "contrary", id="another span"),
        pytest.param(
            "Ash may repair wood by sealing cracks within many years.", "stands where", id="another word in its place"
        ),
        pytest.param("Seedlings of PDACs grew 6.8 mg of resin.", "6.8 mg", id="another unit"),
        pytest.param("Seedlings of PDACs shrank leaves in 80%.", "'in' '80%'", id="a share made of an amount"),
    ],
)
def test_a_rewording_that_says_something_else_is_told_why(statement: str, why: str) -> None:
    reason = checked(statement, CANOPY).reason
    assert any(part in reason for part in why.split("|")), reason
    assert reason


@pytest.mark.parametrize(
    ("sentence", "statement", "why"),
    [
        pytest.param(
            "Tuned encoders change accuracy on long documents.",
            "Tuned encoders improve accuracy on long documents.",
            "the source does not say 'improve'",
            id="a direction where it has none",
        ),
        pytest.param(
            "Rings of ash form only after long frost in winter.",
            "Rings of ash form before long frost in winter.",
            "the contrary of 'before'",
            id="before for after",
        ),
        pytest.param(
            "Frost was associated with deep cracks in old bark of ash.",
            "Frost caused deep cracks in old bark of ash.",
            "the source does not say 'caused'",
            id="a cause where it has none",
        ),
        pytest.param(
            "Expression levels of Ash cells were increased compared with those of Birch cells.",
            "Birch cells had higher expression levels than Ash cells.",
            "the comparison is the wrong way round",
            id="the sides of a contrast",
        ),
    ],
)
def test_what_its_words_alone_would_carry_is_told_by_one_rule(sentence: str, statement: str, why: str) -> None:
    assert why in checked(statement, source("canopy", "Canopy: Growth", sentence)).reason


def test_two_names_do_not_stand_in_each_others_place() -> None:
    gates = source("gates", "Gates: Tuning Locks", "We tune grip on QNLI data and test speed on SQuAD data.")
    assert checked("Gates tune grip on QNLI data and test speed on SQuAD data.", gates).passed
    swapped = checked("Gates tune grip on SQuAD data and test speed on QNLI data.", gates)
    assert swapped.reason == "'SQuAD' stands where the source has 'QNLI'"


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("Without light, seedlings of PDACs shrank leaves by 80%.", id="absence told with without"),
        pytest.param("In the absence of light, PDAC seedlings grew 6.8 ng of resin.", id="plural of an abbreviation"),
        pytest.param("Bark may be repaired by Ash sealing cracks.", id="doubt kept"),
    ],
)
def test_a_faithful_rewording_is_stated(statement: str) -> None:
    assert checked(statement, CANOPY).reason == ""
