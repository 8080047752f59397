from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from answering_cases import BEES, BREAD, GLACIERS, PAPERS, Shelf
from conftest import FakeEmbedder

from rag.answering.followup import Query
from rag.answering.retriever import PASSAGES_SHOWN, Retrieval, Retriever, fuse
from rag.models import Vectors
from rag.records import Paper, Scope

QUESTION = "How many bees does the microphone miss?"


def search(*papers: Paper, query: Query | str, top_k: int = 10) -> Retrieval:
    asked = Query(query) if isinstance(query, str) else query
    return Retriever(Shelf(*papers), FakeEmbedder()).retrieve(asked, top_k)


def ids(found: Retrieval) -> list[str]:
    return [hit.paper.paper_id for hit in found.hits]


@pytest.mark.parametrize(
    ("question", "first"),
    [
        pytest.param("What is IceFlow?", "glaciers", id="a name"),
        pytest.param(QUESTION, "bees", id="words of one abstract"),
        pytest.param("Does sourdough rise in warm kitchens?", "bread", id="other forms of its words"),
    ],
)
def test_the_paper_asked_for_comes_first(question: str, first: str) -> None:
    assert ids(search(*PAPERS, query=question))[0] == first


def test_the_query_and_its_vector_come_along() -> None:
    found = search(*PAPERS, query="bees")
    assert found.query == Query("bees")
    np.testing.assert_array_equal(found.vector, FakeEmbedder().encode(["bees"])[0])


def test_a_hit_tells_how_it_was_found() -> None:
    first, *others = search(*PAPERS, query=QUESTION).hits
    assert (first.dense_rank, first.keyword_rank) == (1, 1)
    assert 0 < len(first.passages) <= PASSAGES_SHOWN
    assert first.similarity == max(
        similarity for _, similarity in Shelf(BEES).search_vectors(FakeEmbedder().encode([QUESTION])[0], 10)
    )
    assert any(hit.keyword_rank is None and hit.dense_rank for hit in others), "found by dense search alone"


def test_scores_fall_from_hit_to_hit() -> None:
    scores = [hit.score for hit in search(*PAPERS, query=QUESTION).hits]
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) == len(PAPERS)


def test_top_k_is_a_prefix_of_the_whole_ranking() -> None:
    whole = ids(search(*PAPERS, query=QUESTION))
    assert [ids(search(*PAPERS, query=QUESTION, top_k=k)) for k in (1, 2, 3)] == [whole[:1], whole[:2], whole[:3]]


def test_the_same_query_gives_the_same_hits() -> None:
    assert search(*PAPERS, query=QUESTION).hits == search(*PAPERS, query=QUESTION).hits


@pytest.mark.parametrize("order", [(1, 2), (2, 1)], ids=["as they are", "the other way round"])
def test_equal_papers_stand_in_the_order_of_the_collection(order: tuple[int, int]) -> None:
    twins = {number: replace(BREAD, paper_id=f"twin{number}") for number in order}
    found = search(*twins.values(), GLACIERS, query="sourdough yeast")
    assert ids(found)[:2] == [f"twin{number}" for number in order]
    assert found.hits[0].score == found.hits[1].score


def test_an_empty_collection_has_no_hits() -> None:
    assert search(query="bees").hits == ()


def test_a_single_paper_is_found_with_a_finite_score() -> None:
    [hit] = search(BEES, query="bees").hits
    assert hit.paper == BEES
    assert np.isfinite(hit.score)


def test_a_paper_without_sentences_does_no_harm() -> None:
    found = search(Paper("blank", "Bees without an abstract", ""), *PAPERS, query=QUESTION)
    assert ids(found)[0] == "bees"
    assert all(np.isfinite(hit.score) for hit in found.hits)


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [
        pytest.param(Scope(year_from=2021), {"bees", "tides"}, id="from a year on"),
        pytest.param(Scope(year_to=2021), {"glaciers", "bees"}, id="up to a year"),
        pytest.param(Scope(paper_ids=frozenset({"bread"})), {"bread"}, id="one paper"),
        pytest.param(Scope(hidden=frozenset({"bees"})), {"glaciers", "bread", "tides"}, id="hidden"),
        pytest.param(Scope(year_from=1900, year_to=1901), set(), id="nothing"),
    ],
)
def test_only_papers_in_scope_are_hits(scope: Scope, allowed: set[str]) -> None:
    assert set(ids(search(*PAPERS, query=Query(QUESTION, scope)))) == allowed


def test_a_paper_carried_along_rises() -> None:
    plain = ids(search(*PAPERS, query=QUESTION))
    carried = ids(search(*PAPERS, query=Query(QUESTION, carried=(plain[-1],))))
    assert carried.index(plain[-1]) < plain.index(plain[-1])


@pytest.mark.parametrize("carried", [("one", "other"), ("other", "one")], ids=" then ".join)
def test_of_papers_carried_along_the_first_counts_most(carried: tuple[str, ...]) -> None:
    twins = [replace(BREAD, paper_id=name) for name in ("one", "other")]
    assert ids(search(*twins, query=Query("Why does it rise?", carried=carried))) == list(carried)


@pytest.mark.parametrize(
    "scope",
    [
        pytest.param(Scope(hidden=frozenset({"bread"})), id="hidden"),
        pytest.param(Scope(year_from=2000), id="without a year"),
        pytest.param(Scope(paper_ids=frozenset({"bees"})), id="another paper asked for"),
    ],
)
def test_a_paper_carried_along_stays_in_scope(scope: Scope) -> None:
    assert "bread" not in ids(search(*PAPERS, query=Query("And why?", scope, carried=("bread",))))


def test_a_paper_carried_along_may_have_left_the_collection() -> None:
    assert ids(search(*PAPERS, query=Query(QUESTION, carried=("gone", "tides"))))


def test_what_only_words_find_is_found() -> None:
    few = Retriever(Shelf(*PAPERS), FakeEmbedder(), passages_searched=1)
    found = few.retrieve(Query("bees leave the hive, tides leave harbours"), 10)
    unseen = [hit for hit in found.hits if hit.dense_rank is None]
    assert unseen
    assert all((hit.passages, hit.similarity) == ((), None) and hit.keyword_rank for hit in unseen)


class Blurred(FakeEmbedder):
    """Embeds passages; to its sentence encoder all sentences are the same."""

    @property
    def sentences(self) -> FakeEmbedder:
        return Same()


class Same(FakeEmbedder):
    def encode(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        return np.repeat(super().encode(["same"]), len(texts), axis=0)


def test_a_paper_without_a_near_passage_is_not_lifted_by_the_cosine_of_another_model() -> None:
    one = Paper("one", "Levees", "Levees of clay hold.", year=2001)
    other = Paper("other", "Levees", "Levees hold. Gauges of rivers, and pumps, and maps of towns are old.", year=2001)
    few = Retriever(Shelf(one, other, embedder=Blurred()), Blurred(), passages_searched=1)
    found = few.retrieve(Query("Do levees of clay hold?"), 10)
    assert [hit.dense_rank for hit in found.hits] == [1, None]


def test_fusion_by_hand() -> None:
    assert fuse([["a", "b"], ["b", "c"]], k=60) == pytest.approx({"a": 1 / 61, "b": 1 / 62 + 1 / 61, "c": 1 / 62})


def test_fusion_of_nothing_is_nothing() -> None:
    assert fuse([[], []], k=60) == {}


def test_agreement_beats_a_single_first_place() -> None:
    scores = fuse([["a", "b"], ["c", "b"]], k=60)
    assert max(scores, key=lambda paper_id: scores[paper_id]) == "b"
