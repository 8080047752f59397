from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest
from answering_cases import BEES, BREAD, PAPERS, TIDES, Shelf
from conftest import FakeEmbedder

from rag.answering.evidence import (
    BROAD,
    NARROW,
    NEAR_BEST,
    PAPERS_READ,
    SECOND,
    SUMMARISED,
    SUMMARY_WORDS,
    Breadth,
    LearnedSelector,
    about,
    breadth,
    gather,
    nearest,
    pick,
    pick_each,
    points_elsewhere,
    quotable,
    shipped_weights,
)
from rag.answering.features import FEATURES, Candidate
from rag.models import Vectors
from rag.records import Evidence, Hit, Paper, Sentence

SHELF = Shelf(*PAPERS)
NARROWLY = "How many bees does the microphone miss?"


def selected(question: str, *paper_ids: str, weights: Mapping[str, float] | None = None) -> tuple[Evidence, ...]:
    selector = LearnedSelector(SHELF, lambda term: 1.0, weights or {"cosine": 10.0})
    return selector.select(question, FakeEmbedder().encode([question])[0], SHELF.hits(*paper_ids))


@dataclass(frozen=True)
class Draft:
    """A candidate to be: its score, the rank of its paper, which direction its vector points, how long it is."""

    score: float
    rank: int = 1
    direction: int | None = None
    words: int = 10


def candidates_of(drafts: Sequence[Draft]) -> list[Candidate]:
    """Without a direction, vectors have nothing in common."""
    vectors = np.eye(2 * len(drafts), dtype=np.float32)
    return [
        Candidate(
            Hit(Paper(f"paper{draft.rank}", "", ""), (), 0.0),
            draft.rank,
            Sentence(f"paper{draft.rank}", place, 0, 0, "word " * draft.words),
            vectors[place if draft.direction is None else len(drafts) + draft.direction],
        )
        for place, draft in enumerate(drafts)
    ]


def picked(drafts: Sequence[Draft], wide: Breadth = NARROW) -> list[int]:
    """Places of what is picked for an answer."""
    return pick(candidates_of(drafts), np.array([draft.score for draft in drafts]), wide)


def picked_each(drafts: Sequence[Draft]) -> list[int]:
    """Places of what is picked for a summary."""
    return pick_each(candidates_of(drafts), np.array([draft.score for draft in drafts]))


# --- picking ----------------------------------------------------------------------------------------------------


def test_the_best_is_picked_first() -> None:
    assert picked([Draft(1.0), Draft(2.0), Draft(1.5)]) == [1, 2, 0]


def test_equal_scores_are_picked_in_order() -> None:
    assert picked([Draft(1.0)] * 3) == [0, 1, 2]


def test_no_more_sentences_than_the_question_takes_in() -> None:
    assert len(picked([Draft(1.0)] * 20)) == NARROW.sentences


def test_what_scores_far_below_the_best_is_left_out() -> None:
    assert picked([Draft(5.0), Draft(5.0 - NARROW.margin - 0.1), Draft(5.0 - NARROW.margin + 0.1)]) == [0, 2]


def test_the_best_is_picked_however_low() -> None:
    assert picked([Draft(-100.0)]) == [0]


def test_a_repetition_gives_way_to_something_new() -> None:
    assert picked([Draft(2.0, direction=0), Draft(1.9, direction=0), Draft(1.5)])[:2] == [0, 2]


def test_words_are_limited() -> None:
    half = NARROW.words // 2 + 1
    assert picked([Draft(5.0, words=half), Draft(4.5, words=half), Draft(2.0, words=5)]) == [0, 2]


def test_a_first_sentence_longer_than_the_limit_is_better_than_none() -> None:
    assert picked([Draft(30.0, words=3 * NARROW.words), Draft(2.0, words=1)]) == [0]


def test_of_two_that_answer_as_well_the_shorter_is_picked_first() -> None:
    assert picked([Draft(2.0, words=50), Draft(1.9, words=20)]) == [1, 0]


def test_a_further_paper_has_its_price() -> None:
    close = [Draft(2.0, rank=1), Draft(1.5, rank=2), Draft(1.4, rank=1)]
    assert picked(close, NARROW)[:2] == [0, 2]
    assert picked(close, replace(NARROW, new_paper=0.0))[:2] == [0, 1]


@pytest.mark.parametrize("wide", [NARROW, BROAD], ids=["narrow", "broad"])
def test_no_more_papers_and_sentences_of_one_than_allowed(wide: Breadth) -> None:
    drafts = [Draft(5.0 - 0.01 * place, rank=1 + place % 6) for place in range(30)]
    ranks = [drafts[place].rank for place in picked(drafts, wide)]
    assert len(set(ranks)) <= wide.papers
    assert max(ranks.count(rank) for rank in ranks) <= wide.per_paper


def test_a_broad_pick_stops_at_what_is_allowed_of_one_paper() -> None:
    assert picked([Draft(1.0)] * 6, BROAD) == list(range(BROAD.per_paper))


def quoted(wide: Breadth, *lengths: int) -> list[int]:
    """Places of what is quoted of picked sentences of these lengths, in words."""
    paper = Paper("locks", "Locks", "")
    items = [Evidence(paper, Sentence("locks", n, 0, 0, "word " * words), 1.0) for n, words in enumerate(lengths)]
    question = {NARROW: "Why do locks leak?", BROAD: "Which papers are about locks?"}[wide]
    return [item.sentence.position for item in quotable(items, question)]


@pytest.mark.parametrize(("wide", "count"), [(NARROW, 5), (BROAD, 7)], ids=["narrow", "broad"])
def test_fewer_sentences_are_quoted_than_a_model_would_condense(wide: Breadth, count: int) -> None:
    assert quoted(wide, *[3] * 8) == list(range(count))


@pytest.mark.parametrize(
    ("lengths", "places"),
    [([60, 60, 1], [0, 1]), ([60, 61, 60], [0, 2]), ([121, 1], [0])],
    ids=["as many as fit", "what fits after one that does not", "the first, however long"],
)
def test_what_is_quoted_has_few_words(lengths: list[int], places: list[int]) -> None:
    assert quoted(NARROW, *lengths) == places


# --- breadth ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "question",
    [
        "Compare IceFlow and the bamboo gauge",
        "Which papers count animals?",
        "List methods for measuring tides",
        "How do they differ?",
        "Give an overview of radar tracking",
    ],
)
def test_a_question_for_several_is_broad(question: str) -> None:
    assert breadth(question) is BROAD


@pytest.mark.parametrize("question", [NARROWLY, "Why does sourdough rise?", "What is IceFlow?"])
def test_a_question_for_one_thing_is_narrow(question: str) -> None:
    assert breadth(question) is NARROW


# --- selecting --------------------------------------------------------------------------------------------------


def test_the_sentence_that_answers_comes_first() -> None:
    first = selected(NARROWLY, "glaciers", "bees", weights={"overlap": 10.0})[0]
    assert first.paper == BEES
    assert "three bees in a hundred" in first.sentence.text


def test_evidence_stands_where_its_offsets_say() -> None:
    for item in selected(NARROWLY, "bees", "bread"):
        assert item.paper.abstract[item.sentence.start : item.sentence.end] == item.sentence.text
        assert item.sentence.paper_id == item.paper.paper_id


def test_scores_are_the_weighted_features() -> None:
    selector = LearnedSelector(SHELF, lambda term: 1.0, {"opening": 2.0, "paper_first": 0.5})
    features = np.zeros((2, len(FEATURES)))
    features[0, [FEATURES.index("opening"), FEATURES.index("paper_first")]] = 1.0
    assert selector.score(features).tolist() == [2.5, 0.0]


def test_the_same_question_selects_the_same() -> None:
    ids = [paper.paper_id for paper in PAPERS]
    assert selected(NARROWLY, *ids) == selected(NARROWLY, *ids)


def test_no_hits_give_no_evidence() -> None:
    assert selected(NARROWLY) == ()


def test_papers_without_sentences_give_no_evidence() -> None:
    shelf = Shelf(Paper("blank", "Blank", ""))
    question = FakeEmbedder().encode(["blank"])[0]
    assert LearnedSelector(shelf, lambda term: 1.0).select("blank", question, shelf.hits("blank")) == ()


def test_a_single_paper_answers_alone() -> None:
    assert {item.paper for item in selected("Why does sourdough rise?", "bread")} == {BREAD}


def test_every_sentence_of_the_papers_is_a_candidate() -> None:
    candidates = gather(SHELF.hits("bread", "bees"), SHELF)
    assert [candidate.sentence for candidate in candidates] == [*SHELF.sentences("bread"), *SHELF.sentences("bees")]
    assert {candidate.rank for candidate in candidates if candidate.hit.paper == BEES} == {2}


def test_only_the_best_papers_are_read() -> None:
    """Owls are spoken of in the last papers alone, and those are not read."""
    subjects = ["rocks"] * PAPERS_READ + ["owls"] * 3
    papers = [Paper(f"p{n}", f"Paper {n}", f"Sentence {n} about {subject}.") for n, subject in enumerate(subjects)]
    shelf = Shelf(*papers)
    selector = LearnedSelector(shelf, lambda term: 1.0, {"cosine": 10.0})
    hits = shelf.hits(*(paper.paper_id for paper in papers))
    found = selector.select("Sentence about owls", FakeEmbedder().encode(["Sentence about owls"])[0], hits)
    assert found
    assert all("rocks" in item.sentence.text for item in found)


def test_a_broad_question_hears_more_papers_than_a_narrow_one() -> None:
    ids = [paper.paper_id for paper in PAPERS]
    weights = {"opening": 1.0}
    narrow = {item.paper.paper_id for item in selected("Why?", *ids, weights=weights)}
    broad = {item.paper.paper_id for item in selected("Compare these papers", *ids, weights=weights)}
    assert len(narrow) < len(broad) == len(PAPERS)


def test_the_shipped_weights_are_for_features_that_exist() -> None:
    weights = shipped_weights()
    assert set(weights) <= set(FEATURES)
    assert np.isfinite(list(weights.values())).all()
    assert any(weights.values())


# --- surveying --------------------------------------------------------------------------------------------------


def surveyed(shelf: Shelf, hits: Sequence[Hit], question: str = NARROWLY) -> tuple[Evidence, ...]:
    selector = LearnedSelector(shelf, lambda term: 1.0, {"cosine": 10.0})
    return selector.survey(question, FakeEmbedder().encode([question])[0], hits)


def scored(*scores: float) -> list[Hit]:
    return [Hit(Paper(f"p{n}", "", ""), (), score) for n, score in enumerate(scores)]


def test_a_survey_hears_every_paper_once_or_twice() -> None:
    hits = SHELF.hits(*(paper.paper_id for paper in PAPERS))
    heard = [item.paper.paper_id for item in surveyed(SHELF, hits)]
    assert set(heard) == {paper.paper_id for paper in PAPERS}
    assert max(heard.count(paper_id) for paper_id in heard) <= 2
    assert surveyed(SHELF, hits) == surveyed(SHELF, hits)


@pytest.mark.parametrize("hits", [[], Shelf(Paper("blank", "Blank", "")).hits("blank")], ids=["no hits", "no text"])
def test_a_survey_of_nothing_is_empty(hits: list[Hit]) -> None:
    assert surveyed(Shelf(Paper("blank", "Blank", "")), hits) == ()


@pytest.mark.parametrize(
    ("scores", "count"),
    [
        ([1.0, 0.1, 0.1, 0.1, 0.1], SUMMARISED[0]),
        ([1.0] * 20, SUMMARISED[1]),
        ([1.0, NEAR_BEST, NEAR_BEST, NEAR_BEST, NEAR_BEST, NEAR_BEST - 0.01], 5),
        ([1.0, 1.0], 2),
        ([], 0),
    ],
    ids=["one stands out", "all alike", "some near", "fewer than wanted", "none"],
)
def test_a_summary_takes_in_the_papers_near_the_best(scores: list[float], count: int) -> None:
    assert about(hits := scored(*scores)) == hits[:count]


def test_the_best_of_each_paper_comes_before_any_second_one() -> None:
    drafts = [Draft(1.0, rank=1), Draft(0.9, rank=1), Draft(0.2, rank=2), Draft(0.3, rank=2)]
    assert picked_each(drafts) == [0, 3, 1, 2]


def test_a_second_sentence_that_scores_far_below_the_first_is_left_out() -> None:
    assert picked_each([Draft(1.0), Draft(1.0 - SECOND - 0.1)]) == [0]


def test_a_second_sentence_that_repeats_the_first_is_left_out() -> None:
    assert picked_each([Draft(1.0, direction=0), Draft(1.0, direction=0)]) == [0]


def test_a_third_sentence_of_a_paper_is_left_out() -> None:
    assert picked_each([Draft(1.0)] * 5) == [0, 1]


def test_second_sentences_end_where_the_words_do_and_first_ones_do_not() -> None:
    half = SUMMARY_WORDS // 2
    drafts = [Draft(1.0, rank=rank, words=half) for rank in (1, 1, 2, 2, 3)]
    assert picked_each(drafts) == [0, 2, 4]


# --- pointers ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "question", "expected"),
    [
        ("Code is at https://example.org/owls.", "How do owls fly?", True),
        ("Our models are on GitHub.", "How do owls fly?", True),
        ("Code is at https://example.org/owls.", "Where is the code?", False),
        ("Our models are on GitHub.", "Are the models publicly available?", False),
        ("Owls fly without a sound.", "How do owls fly?", False),
    ],
    ids=["an address", "a site", "asked for", "asked whether", "no address"],
)
def test_a_sentence_that_only_gives_an_address_is_told_unless_one_is_asked_for(text, question, expected) -> None:
    assert points_elsewhere(Sentence("p", 0, 0, len(text), text), question) is expected


def test_an_address_gives_way_to_what_tells_something() -> None:
    shelf = Shelf(Paper("owls", "Owls", "Owl code for owls is at www.example.org. Owls fly without a sound."))
    assert next(item.sentence.position for item in surveyed(shelf, shelf.hits("owls"), "How do owls fly?")) == 1


# --- enough? ----------------------------------------------------------------------------------------------------


def test_nearest_is_the_best_sentence_of_the_three_best_papers() -> None:
    question = "Its data are publicly available."
    vector = FakeEmbedder().encode([question])[0]
    assert nearest(vector, SHELF.hits("bread", "tides", "bees"), SHELF) == pytest.approx(1.0, abs=1e-5)
    assert nearest(vector, SHELF.hits("bread", "tides", "glaciers", "bees"), SHELF) < 0.99


def test_nothing_is_near_without_sentences() -> None:
    shelf = Shelf(Paper("blank", "Blank", ""), TIDES)
    vector: Vectors = FakeEmbedder().encode(["tides"])[0]
    assert nearest(vector, [], shelf) == -1.0
    assert nearest(vector, shelf.hits("blank"), shelf) == -1.0
    assert nearest(vector, shelf.hits("blank", "tides"), shelf) > 0
