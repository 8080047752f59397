"""The stages on a small benchmark, through a real index on disk with the fake embedder."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from answering_cases import Shelf
from conftest import FakeEmbedder

from eval.datasets import Beir, read_beir
from eval.retrieval import (
    BM25,
    DENSE,
    FUSED,
    MEASURES,
    RANKED,
    STAGES,
    RememberingEmbedder,
    gain_lines,
    open_kept,
    quality,
    quality_json,
    quality_table,
    rank,
)
from rag.models import Vectors
from rag.records import Paper

# The second paper has no title, the third repeats the first: a reader of collections would drop or merge them.
PAPERS = (
    Paper("4983", "Aspirin", "Aspirin lowers fever in adults. It was tested on rats."),
    Paper("doc/2 ü", "", "Bees find their way by the sun. They dance in the hive."),
    Paper("5836", "Aspirin", "Aspirin lowers fever in adults. It was tested on rats."),
    Paper("9", "Empty", ""),
)
QUERIES = {"1": "fever in adults", "2": "dancing bees", "3": "quantum gravity"}


def write_beir(folder: Path) -> Path:
    (folder / "qrels").mkdir(parents=True)
    corpus = [{"_id": each.paper_id, "title": each.title, "text": each.abstract} for each in PAPERS]
    queries = [{"_id": name, "text": text} for name, text in QUERIES.items()]
    for name, rows in (("corpus", corpus), ("queries", queries)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (folder / "qrels" / "dev.tsv").write_text("query-id\tcorpus-id\tscore\n1\t4983\t1\n2\tdoc/2 ü\t1\n3\t9\t1\n")
    return folder


@pytest.fixture(scope="module")
def rankings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, list[str]]]:
    embedder = FakeEmbedder()
    with open_kept(PAPERS, embedder, tmp_path_factory.mktemp("kept")) as index:
        return rank(index, embedder, QUERIES, passages_searched=50, rrf_k=60)


@pytest.mark.slow
def test_every_stage_ranks_every_query_by_the_benchmarks_own_ids(rankings: dict[str, dict[str, list[str]]]) -> None:
    assert list(rankings) == list(STAGES)
    for stage in (BM25, DENSE, FUSED, RANKED):
        assert rankings[stage]["1"][:2] == ["4983", "5836"]
        assert rankings[stage]["2"][0] == "doc/2 ü"
    assert rankings[BM25]["3"] == []
    assert set(rankings[DENSE]["3"]) == {each.paper_id for each in PAPERS}


@pytest.mark.slow
def test_the_index_is_kept_and_nothing_is_embedded_twice(tmp_path: Path) -> None:
    for embedded in (True, False):
        embedder = FakeEmbedder()
        open_kept(PAPERS, embedder, tmp_path).close()
        assert bool(embedder.encoded) == embedded
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.slow
def test_another_corpus_is_another_index_and_a_damaged_one_is_made_anew(tmp_path: Path) -> None:
    open_kept(PAPERS, FakeEmbedder(), tmp_path).close()
    [kept] = tmp_path.iterdir()
    open_kept(PAPERS[:2], FakeEmbedder(), tmp_path).close()
    assert len(list(tmp_path.iterdir())) == 2
    (kept / "papers.jsonl").write_text("damaged")
    with open_kept(PAPERS, FakeEmbedder(), tmp_path) as index:
        assert list(index.papers) == [each.paper_id for each in PAPERS]


@pytest.mark.slow
def test_the_same_corpus_in_another_folder_is_not_embedded_again(tmp_path: Path) -> None:
    open_kept([replace(each, source="here") for each in PAPERS], FakeEmbedder(), tmp_path).close()
    moved = FakeEmbedder()
    open_kept([replace(each, source="there") for each in PAPERS], moved, tmp_path).close()
    assert not moved.encoded


@pytest.mark.slow
def test_what_a_killed_run_of_the_same_number_left_is_in_nobodys_way(tmp_path: Path) -> None:
    open_kept(PAPERS, FakeEmbedder(), tmp_path).close()
    [kept] = tmp_path.iterdir()
    kept.rename(tmp_path / f".{kept.name}-{os.getpid()}")
    open_kept(PAPERS, FakeEmbedder(), tmp_path).close()
    assert list(tmp_path.iterdir()) == [kept]


class Interrupted(FakeEmbedder):
    """Is stopped at the third text."""

    def encode(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        if len(self.encoded) >= 2:
            raise KeyboardInterrupt
        return super().encode(texts, progress)


@pytest.mark.slow
def test_an_interrupted_embedding_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eval.retrieval.BLOCK", 1)
    with pytest.raises(KeyboardInterrupt):
        open_kept(PAPERS, Interrupted(), tmp_path)
    second = FakeEmbedder()
    open_kept(PAPERS, second, tmp_path).close()
    whole = FakeEmbedder()
    open_kept(PAPERS, whole, tmp_path / "elsewhere").close()
    assert len(second.encoded) == len(whole.encoded) - 2
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5])
def test_remembered_vectors_are_those_of_the_embedder(
    count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eval.retrieval.BLOCK", 2)
    texts = [f"text {number}" for number in range(count)]
    heard: list[int] = []
    for _ in range(2):
        remembering = RememberingEmbedder(FakeEmbedder(), tmp_path)
        assert np.array_equal(remembering.encode(texts, heard.append), FakeEmbedder().encode(texts))
    assert sum(heard) == 2 * count
    assert remembering.count_tokens(["one two"]) == [4]


class Mirroring(FakeEmbedder):
    """A sentence encoder of its own: what the other one puts first in a vector stands last in this one's."""

    def encode(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        return np.ascontiguousarray(super().encode(texts, progress)[:, ::-1])


class TwoEncoders(FakeEmbedder):
    """Embeds passages one way and sentences another, as the installed models do."""

    @property
    def sentences(self) -> FakeEmbedder:
        return Mirroring()


def test_passages_are_searched_with_the_vector_of_the_model_that_embedded_them() -> None:
    embedder = TwoEncoders()
    shelf = Shelf(*PAPERS, embedder=embedder)
    ranked = rank(shelf, embedder, QUERIES, passages_searched=50, rrf_k=60)  # type: ignore[arg-type]
    for name, text in QUERIES.items():
        near = shelf.search_vectors(embedder.encode([text])[0], 50)
        assert ranked[DENSE][name] == list(dict.fromkeys(passage.paper_id for passage, _ in near))
    assert ranked[FUSED]["2"][0] == "doc/2 ü"


@pytest.mark.slow
def test_progress_is_heard(tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []
    with open_kept(PAPERS[:1], FakeEmbedder(), tmp_path) as index:
        rank(index, FakeEmbedder(), QUERIES, passages_searched=5, rrf_k=60, progress=lambda *step: heard.append(step))
    assert heard == [(1, 3), (2, 3), (3, 3)]


QRELS = {"a": {"gold": 1}, "b": {"gold": 1}}
MADE_UP: Mapping[str, Mapping[str, Sequence[str]]] = {
    BM25: {"a": ["gold"], "b": ["x", "gold"]},
    DENSE: {"a": ["x", "y"], "b": ["x", "y"]},
    FUSED: {"a": ["x", "gold"], "b": ["x", "gold"]},
    RANKED: {"a": ["gold"], "b": ["gold"]},
}


def test_the_measures_of_a_stage_worked_by_hand() -> None:
    figures = quality(MADE_UP, QRELS).figures
    assert {name: figures[BM25][name].value for name in MEASURES} == pytest.approx(
        {  # at rank 2 the gain is 1 / log2(3) = .6309
            "ndcg@10": (1 + 0.6309) / 2,
            "rr@10": 0.75,
            "recall@1": 0.5,
            "recall@5": 1.0,
            "recall@10": 1.0,
            "recall@100": 1.0,
        },
        abs=1e-4,
    )
    assert figures[DENSE]["recall@100"].value == 0
    assert figures[RANKED]["ndcg@10"].value == 1


def test_a_paper_at_rank_fifty_counts_at_a_hundred_only() -> None:
    deep = [f"x{number}" for number in range(49)] + ["gold"]
    figures = quality({stage: {"a": deep} for stage in STAGES}, {"a": {"gold": 1}}).figures[RANKED]
    assert (figures["recall@10"].value, figures["recall@100"].value) == (0, 1)


def test_the_last_stage_is_compared_with_each_other_one() -> None:
    measured = quality(MADE_UP, QRELS)
    assert measured.gains[DENSE].value == 1
    assert measured.gains.keys() == {BM25, DENSE, FUSED}
    assert "ranked over dense  +1.000 nDCG@10" in gain_lines(measured)[1]


def test_the_report_fits_a_terminal_and_json(tmp_path: Path) -> None:
    from rich.console import Console

    measured = quality(MADE_UP, QRELS)
    console = Console(width=80)
    with console.capture() as capture:
        console.print(quality_table(measured))
    lines = capture.get().splitlines()
    assert len(lines) == 1 + len(STAGES)
    assert lines[0].split() == ["stage", "ndcg@10", "95%", *MEASURES[1:]]
    beir = Beir(PAPERS, QUERIES, QRELS)
    record = json.loads(json.dumps(quality_json(measured, beir, Path("/data/some"), "dev"), allow_nan=False))
    assert (record["folder"], record["papers"], record["queries"]) == ("some", 4, 3)
    assert record["figures"]["ranked"]["ndcg@10"]["value"] == 1
    assert set(record["gains"]) == {BM25, DENSE, FUSED}


def test_a_folder_is_read_as_it_was_written(tmp_path: Path) -> None:
    beir = read_beir(write_beir(tmp_path / "beir"), "dev")
    assert [each.paper_id for each in beir.corpus] == [each.paper_id for each in PAPERS]
