"""The earlier stages of a ranking, as the lines of the ablation show them."""

from __future__ import annotations

import pytest
from answering_cases import PAPERS, Shelf
from conftest import FakeEmbedder

from eval.benchmarks.ablation import Ablated, Line
from rag.answering.retriever import fuse
from rag.records import Scope, Turn
from rag.settings import Settings

QUESTION = "How many bees does the microphone miss?"
FOLLOW_UP = "What does it follow?"
HISTORY = (Turn("What is IceFlow?", ("tides", "bees")),)
SETTINGS = Settings(rrf_k=1, top_k=3)


def ablated(ranking: str) -> Ablated:
    line = Line(ranking, ranking=ranking, learned=False)
    return Ablated(Shelf(*PAPERS), FakeEmbedder(), None, SETTINGS, line)  # type: ignore[arg-type]


@pytest.mark.parametrize(("question", "history"), [(QUESTION, ()), (FOLLOW_UP, HISTORY)], ids=["alone", "follow-up"])
def test_the_stages_before_the_second_look_rank_as_the_retriever_finds(
    question: str, history: tuple[Turn, ...]
) -> None:
    found = ablated("fused").retrieve(question, history, None, Scope())
    assert found.query.carried == (history[0].cited if history else ())
    shelf, text = Shelf(*PAPERS), found.query.text
    near = shelf.search_vectors(FakeEmbedder().encode([text])[0], SETTINGS.passages_searched)
    dense = list(dict.fromkeys(passage.paper_id for passage, _ in near))
    keyword = [paper_id for paper_id, _ in shelf.search_keywords(text, 100)]
    scores = fuse([dense, keyword, found.query.carried], SETTINGS.rrf_k)
    place = list(shelf.papers).index
    fused = sorted(scores, key=lambda each: (-scores[each], place(each)))
    assert [hit.paper.paper_id for hit in found.hits] == fused[:3]
    alone = ablated("dense").retrieve(question, history, None, Scope())
    assert [hit.paper.paper_id for hit in alone.hits] == dense[:3]
