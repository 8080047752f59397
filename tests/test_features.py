from __future__ import annotations

import math

import numpy as np
import pytest
from answering_cases import BEES, BREAD, GLACIERS, PAPERS, Shelf
from conftest import FakeEmbedder

from rag.answering.evidence import gather
from rag.answering.features import FEATURES, matrix, names_subject
from rag.records import Hit, Paper

SHELF = Shelf(*PAPERS)


def row(
    question: str, *papers: Paper, position: int, paper: int = 0, hits: list[Hit] | None = None
) -> dict[str, float]:
    """The features, by name, of the sentence at `position` of the given paper."""
    hits = hits or SHELF.hits(*(each.paper_id for each in papers))
    candidates = gather(hits, SHELF)
    table = matrix(question, FakeEmbedder().encode([question])[0], candidates, lambda term: 1.0)
    place = next(
        place for place, each in enumerate(candidates) if (each.rank, each.sentence.position) == (paper + 1, position)
    )
    return dict(zip(FEATURES, table[place].tolist(), strict=True))


def test_one_row_a_sentence_one_column_a_feature() -> None:
    candidates = gather(SHELF.hits("bees", "bread"), SHELF)
    table = matrix("How many bees?", FakeEmbedder().encode(["How many bees?"])[0], candidates, lambda term: 1.0)
    assert table.shape == (4 + 3, len(FEATURES))
    assert np.isfinite(table).all()


def test_no_candidates_give_no_rows() -> None:
    assert matrix("bees", FakeEmbedder().encode(["bees"])[0], [], lambda term: 1.0).shape == (0, len(FEATURES))


@pytest.mark.parametrize("question", ["", "?", "of the and"], ids=["empty", "a mark", "function words"])
def test_a_question_without_terms_divides_by_nothing(question: str) -> None:
    found = row(question, BEES, position=0)
    assert (found["overlap"], found["paper_title"]) == (0.0, 0.0)
    assert all(math.isfinite(value) for value in found.values())


def test_the_likest_sentence_is_the_measure_of_the_others() -> None:
    question = BEES.abstract[BEES.abstract.index("The microphone") :].split(". ")[0]
    same, other = row(question, BEES, position=2), row(question, BEES, position=0)
    assert same["cosine"] == pytest.approx(1.0, abs=1e-5)
    assert same["cosine_best"] == same["cosine_in_paper"] == 0.0
    assert other["cosine_best"] == other["cosine_in_paper"] == pytest.approx(other["cosine"] - same["cosine"])


def test_neighbours_are_the_sentences_beside_it_in_its_own_paper() -> None:
    question = "How many bees leave?"
    first, second = row(question, BEES, BREAD, position=0), row(question, BEES, BREAD, position=1)
    assert first["neighbours"] == pytest.approx(second["cosine"])
    last, third = row(question, BEES, BREAD, position=3), row(question, BEES, BREAD, position=2)
    assert last["neighbours"] == pytest.approx(third["cosine"]), "the next paper is not beside it"


def test_overlap_is_the_share_of_the_weight_asked_for() -> None:
    assert row("Which yeast makes steel?", BREAD, position=0)["overlap"] == pytest.approx(2 / 3)


def test_overlap_reaches_over_the_sentences_beside_it() -> None:
    found = row("wheat kitchens", BREAD, position=1)
    assert found["overlap"] == pytest.approx(0.5)
    assert found["overlap_window"] == pytest.approx(1.0)


def test_new_terms_are_what_the_question_does_not_hold() -> None:
    question = "Its data are publicly available"
    assert row(question, BEES, position=3)["new_terms"] == 0.0
    assert row("data", BEES, position=3)["new_terms"] == pytest.approx(math.log1p(2))


def test_the_rank_and_the_hit_of_the_paper_come_through() -> None:
    hits = [Hit(BEES, (), 1.0, 1, 4, 0.75), Hit(BREAD, (), 0.5)]
    first = row("bees", position=0, hits=hits)
    assert (first["paper_rank"], first["paper_first"]) == (1.0, 1.0)
    assert (first["paper_keyword"], first["paper_similarity"]) == (0.25, 0.75)
    second = row("bees", position=0, paper=1, hits=hits)
    assert (second["paper_rank"], second["paper_first"]) == (0.5, 0.0)
    assert (second["paper_keyword"], second["paper_similarity"]) == (0.0, 0.0), "found by neither"


def test_position_runs_from_first_to_last() -> None:
    rows = [row("bees", BEES, position=position) for position in range(4)]
    assert [each["position"] for each in rows] == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert [each["opening"] for each in rows] == [1, 0, 0, 0]
    assert [each["closing"] for each in rows] == [0, 0, 0, 1]


def test_a_single_sentence_is_first_and_last() -> None:
    shelf = Shelf(Paper("short", "Short", "Owls see in the dark."))
    [candidate] = gather(shelf.hits("short"), shelf)
    [values] = matrix("owls", FakeEmbedder().encode(["owls"])[0], [candidate], lambda term: 1.0).tolist()
    found = dict(zip(FEATURES, values, strict=True))
    assert (found["position"], found["opening"], found["closing"]) == (0.0, 1.0, 1.0)
    assert found["neighbours"] == pytest.approx(found["cosine"])


@pytest.mark.parametrize(
    ("paper", "position", "roles"),
    [
        (GLACIERS, 0, set()),
        (GLACIERS, 1, {"proposes"}),
        (GLACIERS, 2, {"numbers"}),
        (GLACIERS, 3, {"finds"}),
        (BEES, 3, {"releases"}),
    ],
    ids=["background", "proposal", "number", "finding", "release"],
)
def test_what_a_sentence_does(paper: Paper, position: int, roles: set[str]) -> None:
    found = row("anything", paper, position=position)
    assert {name for name in ("proposes", "finds", "releases", "numbers") if found[name]} == roles


@pytest.mark.parametrize(
    ("question", "paper", "position", "feature"),
    [
        ("How many glaciers were followed?", GLACIERS, 2, "asks_number_has"),
        ("Why does sourdough rise?", BREAD, 0, "asks_why_has"),
        ("What is IceFlow?", GLACIERS, 1, "asks_what_proposes"),
        ("Does it beat manual tracking?", GLACIERS, 3, "asks_does_finds"),
        ("How are glaciers tracked?", GLACIERS, 1, "asks_how_proposes"),
    ],
    ids=["how many", "why", "what is", "does", "how"],
)
def test_the_form_of_the_question_meets_the_sentence(question: str, paper: Paper, position: int, feature: str) -> None:
    assert row(question, paper, position=position)[feature] == 1.0
    assert row("Glaciers and bread.", paper, position=position)[feature] == 0.0, "nothing of the kind is asked"


@pytest.mark.parametrize(
    ("question", "title", "named"),
    [
        pytest.param("What is iceflow?", "IceFlow: Tracking Glaciers", True, id="inner capitals"),
        pytest.param("How large is Pebble?", "Pebble: Small Encoders", True, id="in front of the colon"),
        pytest.param("Is w2v2 good?", "Learning Speech with w2v2", True, id="digits"),
        pytest.param("How are glaciers tracked?", "IceFlow: Tracking Glaciers", False, id="common words only"),
        pytest.param("What are pebbles?", "Pebble: Small Encoders", False, id="another word"),
        pytest.param("(", "C++: a (language)", False, id="punctuation"),
    ],
)
def test_a_question_names_what_a_title_names(question: str, title: str, named: bool) -> None:
    assert names_subject(question, title) is named
