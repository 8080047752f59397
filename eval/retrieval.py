"""The ranking alone, on a BEIR folder, stage by stage: keywords, vectors, both fused, and what answers rest on.

The stages are those of `rag.answering.retriever`, on an index written and read by `rag.index`. Only its reader of
collections is left out: it merges duplicates and wants titles, and a benchmark's ids have to stay as they are. The
index is kept under the cache folder, because embedding some thousand abstracts takes minutes.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from eval.datasets import Beir
from eval.metrics import Difference, Interval, paired_difference, ratio, ratio_interval, retrieval
from eval.subjects import digest
from rag.answering.followup import Query
from rag.answering.retriever import CANDIDATES, Retriever, fuse
from rag.errors import IndexDamaged
from rag.index import manifest, staging
from rag.index.content import LazyEmbedder, Progress, prepare
from rag.index.live import LiveIndex
from rag.index.manifest import Counts, Manifest
from rag.models import Embedder, Vectors
from rag.records import Paper

if TYPE_CHECKING:
    from rag.settings import Settings

DEPTHS: Final = (1, 5, 10, 100)
MEASURES: Final = ("ndcg@10", "rr@10", *(f"recall@{depth}" for depth in DEPTHS))

BM25, DENSE, FUSED, RANKED = "bm25", "dense", "fused", "ranked"
STAGES: Final[Mapping[str, str]] = {
    BM25: "keywords of title and abstract",
    DENSE: "the best passage's cosine",
    FUSED: "both, by reciprocal rank",
    RANKED: "fused, then looked at once more: what answers rest on",
}

BLOCK: Final = 2048
"""Texts embedded between two savings: a minute or so on two cores."""

Rankings = Mapping[str, Mapping[str, Sequence[str]]]
"""By stage, then by query: paper ids, best first."""


@dataclass(frozen=True)
class Quality:
    """How good each stage ranks: its means by measure, and what the last stage gains in nDCG@10 over the others."""

    figures: Mapping[str, Mapping[str, Interval]]
    gains: Mapping[str, Difference]


@contextmanager
def open_corpus(
    papers: Sequence[Paper], settings: Settings, progress: Progress | None = None
) -> Iterator[tuple[LiveIndex, Embedder]]:
    """The index of these papers, made where it is not kept from before, and the embedder that goes with it."""
    from rag.models.embedder import load_embedder
    from rag.models.weights import find_embedder

    weights = find_embedder(settings.embedder, settings.cache)
    embedder = load_embedder(weights, settings.device)
    with open_kept(papers, embedder, settings.cache / "eval" / "corpora", progress) as index:
        yield index, embedder


def open_kept(papers: Sequence[Paper], embedder: Embedder, kept: Path, progress: Progress | None = None) -> LiveIndex:
    """The index of these papers with this embedder in the folder `kept`, opened; made anew where it is damaged."""
    records = [asdict(replace(paper, source="")) for paper in papers]  # the same wherever the benchmark lies
    made_from = [manifest.SCHEMA, manifest.settings(), embedder.fingerprint, records]
    folder = kept / digest(made_from)[:16]
    if folder.is_dir():
        try:
            return LiveIndex(folder, Manifest.read(folder))
        except IndexDamaged:
            shutil.rmtree(folder)
    _make(papers, embedder, folder, progress)
    return LiveIndex(folder, Manifest.read(folder))


def _make(papers: Sequence[Paper], embedder: Embedder, folder: Path, progress: Progress | None) -> None:
    """Made beside its place and moved there when it is whole; what was embedded survives a killed run."""
    parts = folder.with_name(f".{folder.name}-vectors")
    staged = folder.with_name(f".{folder.name}-{os.getpid()}")
    remembering = RememberingEmbedder(embedder, parts)
    content, _ = prepare(papers, None, LazyEmbedder(embedder.name, embedder.fingerprint, lambda: remembering), progress)
    shutil.rmtree(staged, ignore_errors=True)  # of a killed run: in a container all have the same number
    staged.mkdir(parents=True)
    try:
        staging.write(staged, content)
        counts = Counts(len(papers), len(papers), len(content.sentences), len(content.passages))
        files = staging.hashes(staged)
        Manifest(folder.name, folder.name, (), content.embedder, counts, files).write(staged)
        with suppress(OSError):  # another run was quicker
            staged.rename(folder)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    shutil.rmtree(parts, ignore_errors=True)


class RememberingEmbedder:
    """An embedder that keeps the vectors of every block of texts in a folder and finds them there again."""

    def __init__(self, embedder: Embedder, folder: Path) -> None:
        self.name, self.fingerprint = embedder.name, embedder.fingerprint
        self.dimension, self.window = embedder.dimension, embedder.window
        self._embedder = embedder
        self._folder = folder

    @property
    def sentences(self) -> Embedder:
        """The embedder's sentence encoder, remembering likewise."""
        inner = self._embedder.sentences
        return self if inner is self._embedder else RememberingEmbedder(inner, self._folder)

    def encode(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        """The vectors of the embedder; `progress` hears of every block at once where it was kept."""
        blocks = [texts[start : start + BLOCK] for start in range(0, len(texts), BLOCK)]
        vectors = [self._block(block, progress) for block in blocks]
        return np.concatenate(vectors) if vectors else np.zeros((0, self.dimension), dtype=np.float32)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """The counts of the embedder."""
        return self._embedder.count_tokens(texts)

    def _block(self, texts: Sequence[str], progress: Callable[[int], None] | None) -> Vectors:
        path = self._folder / f"{digest([self.fingerprint, *texts])[:32]}.npy"
        if path.is_file():
            if progress is not None:
                progress(len(texts))
            kept: Vectors = np.load(path, allow_pickle=False)
            return kept
        vectors = self._embedder.encode(texts, progress)
        self._folder.mkdir(parents=True, exist_ok=True)
        half_written = path.with_suffix(".part")
        with half_written.open("wb") as file:
            np.save(file, vectors, allow_pickle=False)
        half_written.replace(path)
        return vectors


def rank(
    index: LiveIndex,
    embedder: Embedder,
    queries: Mapping[str, str],
    *,
    passages_searched: int,
    rrf_k: int,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, dict[str, list[str]]]:
    """The ranking of every query at every stage, a hundred papers deep."""
    retriever = Retriever(index, embedder, passages_searched=passages_searched, rrf_k=rrf_k)
    order = {paper_id: place for place, paper_id in enumerate(index.papers)}
    rankings: dict[str, dict[str, list[str]]] = {stage: {} for stage in STAGES}
    for done, (name, text) in enumerate(queries.items(), start=1):
        found = retriever.retrieve(Query(text), CANDIDATES)
        keyword = [paper_id for paper_id, _ in index.search_keywords(text, CANDIDATES)]
        near = index.search_vectors(embedder.encode([text])[0], passages_searched)
        dense = list(dict.fromkeys(passage.paper_id for passage, _ in near))
        scores = fuse([dense, keyword], rrf_k)
        rankings[BM25][name] = keyword
        rankings[DENSE][name] = dense[:CANDIDATES]
        rankings[FUSED][name] = sorted(scores, key=lambda each: (-scores[each], order[each]))[:CANDIDATES]
        rankings[RANKED][name] = [hit.paper.paper_id for hit in found.hits]
        if progress is not None:
            progress(done, len(queries))
    return rankings


def quality(rankings: Rankings, qrels: Mapping[str, Mapping[str, int]]) -> Quality:
    """Every measure of every stage with its interval over the queries."""
    scores = {stage: retrieval(ranked, qrels, depths=DEPTHS) for stage, ranked in rankings.items()}
    ones = [1.0] * len(qrels)

    def column(stage: str, measure: str) -> list[float]:
        return [scores[stage][query][measure] for query in qrels]

    figures = {
        stage: {name: each for name in MEASURES if (each := ratio_interval(column(stage, name), ones)) is not None}
        for stage in rankings
    }
    last = ratio(column(RANKED, "ndcg@10"), ones)
    gains = {
        stage: paired_difference(ratio(column(stage, "ndcg@10"), ones), last, len(ones))
        for stage in rankings
        if stage != RANKED
    }
    return Quality(figures, {stage: gain for stage, gain in gains.items() if gain is not None})


def quality_json(measured: Quality, beir: Beir, folder: Path, split: str) -> dict[str, Any]:
    """The figures as a JSON object."""
    return {
        "schema": 1,
        "folder": folder.name,
        "split": split,
        "papers": len(beir.corpus),
        "queries": len(beir.queries),
        "figures": {
            stage: {name: asdict(each) for name, each in figures.items()} for stage, figures in measured.figures.items()
        },
        "gains": {stage: asdict(each) for stage, each in measured.gains.items()},
    }


def quality_table(measured: Quality) -> Any:
    """The figures for a terminal: stages down, measures across."""
    from rich.table import Table

    drawn = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    drawn.add_column("stage")
    for heading in (MEASURES[0], "95%", *MEASURES[1:]):
        drawn.add_column(heading, justify="right")
    for stage, figures in measured.figures.items():
        main, *others = (figures[name] for name in MEASURES)
        interval = f"{main.low:.2f}\N{EN DASH}{main.high:.2f}"
        drawn.add_row(stage, f"{main.value:.3f}", interval, *(f"{each.value:.3f}" for each in others))
    return drawn


def gain_lines(measured: Quality) -> list[str]:
    """What the last stage gains over each of the others, a line each."""
    return [
        f"{RANKED} over {stage:<6} {gain.value:+.3f} nDCG@10 [{gain.low:+.3f}, {gain.high:+.3f}], p {gain.p_value:.3f}"
        for stage, gain in measured.gains.items()
    ]
