"""The live build, checked and opened for reading. Knows no builder, no reader of papers and no model.

Opening compares the files with the manifest and loads the records; Chroma is imported and opened by the first search
for vectors. Where Chroma's files are damaged or cannot be opened (a read-only disk), the canonical vectors are searched
exactly and `notes` says so; the ranking is the same, because Chroma's cosines are only used to choose candidates, which
are then scored from the canonical vectors.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from threading import RLock
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from rag.errors import IndexDamaged, IndexMismatch, NoIndex
from rag.index import canonical, exact, manifest
from rag.index.keywords import KeywordIndex
from rag.index.locks import ReaderLock
from rag.index.manifest import Manifest
from rag.index.passages import as_passages, as_sentences
from rag.index.vectors import EVERYTHING, MOST_RESULTS, VectorStore
from rag.models import Vectors
from rag.records import Paper, Passage, Scope, Sentence

CHROMA = "chroma"
BM25 = "bm25"

_SLACK = 32
"""Candidates taken beyond `top_k`, so that passages with equal cosines at the cut are all there to be ordered."""


class LiveIndex:
    """A build opened for reading. Thread-safe; closing it, or leaving its `with` block, lets go of the build."""

    def __init__(self, folder: Path, described: Manifest, lock: ReaderLock | None = None) -> None:
        """Raises IndexDamaged where a canonical file is not what the manifest says."""
        self.folder = folder
        self.manifest = described
        self._lock = lock
        self._opening = RLock()
        self._store: VectorStore | None = None
        self._without_chroma = False
        self._notes: list[str] = []
        self._damaged = frozenset(manifest.damaged(folder, described.files))
        _refuse_damage(folder, [name for name in self._damaged if "/" not in name])
        try:
            papers, spans = canonical.read_papers(folder), canonical.read_spans(folder)
            self._sentence_rows = canonical.read_rows(folder / canonical.SENTENCES)
            self._passage_rows = canonical.read_rows(folder / canonical.PASSAGES)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise _damage(folder, str(error)) from error
        self.papers: Mapping[str, Paper] = {paper.paper_id: paper for paper in papers}
        self._spans = {each.paper_id: each for each in spans}
        starts = accumulate((len(each.sentences) for each in spans), initial=0)
        self._first_sentence = dict(zip(self._spans, starts, strict=False))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def build_id(self) -> str:
        """The name of this build."""
        return self.manifest.build_id

    @property
    def notes(self) -> tuple[str, ...]:
        """What the person should know about how this index is read, one line each; grows when a search finds out."""
        return tuple(self._notes)

    def close(self) -> None:
        """Release the store and the hold on the build."""
        with self._opening:
            if self._store is not None:
                self._store.close()
            self._store = None
            if self._lock is not None:
                self._lock.release()

    # Records

    def paper(self, name: str) -> Paper | None:
        """The paper of that id, alias or DOI; None where there is none."""
        return self.papers.get(name) or self._names.get(name) or self._names.get(name.strip().casefold())

    def sentences(self, paper_id: str) -> tuple[Sentence, ...]:
        """A paper's sentences, in order. Raises KeyError for an unknown id, like those below."""
        return as_sentences(self.papers[paper_id], self._spans[paper_id].sentences)

    def passages(self, paper_id: str) -> tuple[Passage, ...]:
        """A paper's passages, in order."""
        return as_passages(self.papers[paper_id], self._spans[paper_id].passages)

    def sentence_vectors(self, paper_id: str) -> Vectors:
        """The vectors of a paper's sentences, shape (sentences, dimension)."""
        first = self._first_sentence[paper_id]
        rows = self._sentence_rows[first : first + len(self._spans[paper_id].sentences)]
        return np.ascontiguousarray(rows["vector"])

    # Searching

    def search_vectors(self, vector: Vectors, top_k: int, scope: Scope = EVERYTHING) -> list[tuple[Passage, float]]:
        """The `top_k` passages in scope nearest to a unit vector, with their cosines; ties in collection order."""
        candidates = self._candidates(vector, top_k + _SLACK, scope)
        found = exact.nearest(self._passage_vectors, vector, top_k, candidates)
        return [(self._passages[row], score) for row, score in found]

    def search_keywords(self, question: str, top_k: int, scope: Scope = EVERYTHING) -> list[tuple[str, float]]:
        """The `paper_id`s in scope that share words with the question, with BM25 scores, best first."""
        allowed = None if scope.everything else self._in_scope(scope)
        ids = tuple(self.papers)
        return [(ids[row], score) for row, score in self._keywords.search(question, top_k, allowed)]

    def document_frequency(self, term: str) -> int:
        """How many papers hold a term, as `rag.text.terms` gives it, in title or abstract."""
        return self._keywords.document_frequency(term)

    # How it is done

    def _candidates(self, vector: Vectors, top_k: int, scope: Scope) -> NDArray[np.intp]:
        """Rows of passages that may be among the nearest: Chroma's choice, or all in scope without it, or where more
        are asked for than it finds reliably."""
        store = self._vector_store() if top_k <= MOST_RESULTS else None
        if store is not None:
            try:
                found = store.query(vector, top_k, scope)
                return np.array([self._row[name] for name, _ in found], dtype=np.intp)
            except (IndexDamaged, KeyError) as error:
                self._search_exactly(str(error))
        if scope.everything:
            return np.arange(len(self._passages))
        return np.flatnonzero(self._in_scope(scope)[self._paper_of_passage])

    def _vector_store(self) -> VectorStore | None:
        """Chroma, opened once; None where it must not be: damaged HNSW files end the process that opens them."""
        with self._opening:
            if self._store is None and not self._without_chroma:
                changed = sorted(name for name in self._damaged if name.startswith(f"{CHROMA}/"))
                if changed:
                    self._search_exactly(f"{changed[0]} is not what the manifest says")
                else:
                    self._open_store()
            return self._store

    def _open_store(self) -> None:
        try:
            store = VectorStore.open(self.folder / CHROMA)
            if (count := store.count()) != len(self._passage_rows):
                store.close()
                raise IndexDamaged(f"Chroma holds {count} of {len(self._passage_rows)} passages")
            self._store = store
        except IndexDamaged as error:
            self._search_exactly(str(error))

    def _search_exactly(self, why: str) -> None:
        """From here on without Chroma."""
        with self._opening:
            if not self._without_chroma:
                self._notes.append(f"searched exactly, without Chroma ({why}): `footnote index` repairs what can be")
            self._store, self._without_chroma = None, True

    @cached_property
    def _keywords(self) -> KeywordIndex:
        with self._opening:
            return self._keyword_index()

    def _keyword_index(self) -> KeywordIndex:
        """BM25 as saved, or made again from the records where what was saved is damaged."""
        try:
            if any(name.startswith(f"{BM25}/") for name in self._damaged):
                raise IndexDamaged("its files are not what the manifest says")
            return KeywordIndex.load(self.folder / BM25, len(self.papers))
        except IndexDamaged as error:
            self._notes.append(f"keyword index made again in memory ({error}): `footnote index` repairs it")
            return KeywordIndex.build(searched_text(paper) for paper in self.papers.values())

    @cached_property
    def _passages(self) -> tuple[Passage, ...]:
        return tuple(passage for paper_id in self.papers for passage in self.passages(paper_id))

    @cached_property
    def _passage_vectors(self) -> Vectors:
        return np.ascontiguousarray(self._passage_rows["vector"])

    @cached_property
    def _row(self) -> dict[str, int]:
        return {passage.passage_id: row for row, passage in enumerate(self._passages)}

    @cached_property
    def _paper_of_passage(self) -> NDArray[np.intp]:
        counts = [len(self._spans[paper_id].passages) for paper_id in self.papers]
        return np.repeat(np.arange(len(counts)), counts)

    @cached_property
    def _names(self) -> dict[str, Paper]:
        """Aliases and DOIs, as written and in lower case; the first paper to bear a name keeps it."""
        names: dict[str, Paper] = {}
        for paper in self.papers.values():
            for name in (*paper.aliases, paper.doi, f"doi:{paper.doi}" if paper.doi else "", paper.paper_id):
                if name:
                    names.setdefault(name, paper)
                    names.setdefault(name.casefold(), paper)
        return names

    def _in_scope(self, scope: Scope) -> NDArray[np.bool_]:
        return np.array([scope.holds(paper) for paper in self.papers.values()], dtype=np.bool_)


def open_index(root: Path, embedder_name: str | None = None, embedder_fingerprint: str | None = None) -> LiveIndex:
    """The live build under `root`, held against removal, to be searched with that embedder (None: none in use).

    Raises NoIndex where there is none, IndexMismatch naming both embedders where it was made with another, IndexDamaged
    where its files are not what its manifest says.
    """
    folder, lock = _hold(root)
    try:
        described = Manifest.read(folder)
        _refuse_mismatch(described, embedder_name, embedder_fingerprint)
        return LiveIndex(folder, described, lock)
    except BaseException:
        lock.release()
        raise


def searched_text(paper: Paper) -> str:
    """What keyword search looks at."""
    return f"{paper.title}\n{paper.abstract}"


def _hold(root: Path) -> tuple[Path, ReaderLock]:
    """The live build and the hold on it; a builder may swap and remove it between the two looks."""
    for _ in range(100):
        try:
            folder = manifest.live_build(root)
            lock = ReaderLock.take(folder)
        except OSError as error:
            raise NoIndex(f"{error.filename}: {error.strerror}; check its permissions") from error
        if lock is not None:
            return folder, lock
    raise _damage(folder, "its lock file is missing")


def _refuse_mismatch(described: Manifest, name: str | None, fingerprint: str | None) -> None:
    made = described.embedder
    if fingerprint is not None and fingerprint != made.fingerprint:
        raise IndexMismatch(
            f"the index was made with embedder {made.name!r} ({made.fingerprint[:12]}), not {name!r} "
            f"({fingerprint[:12]}): run `footnote index` with the one you mean to use"
        )
    here = (manifest.SCHEMA, manifest.settings())
    if (described.schema, dict(described.settings)) != here:
        raise IndexMismatch(
            f"the index was made with schema {described.schema} and settings {dict(described.settings)}, this "
            f"version uses {here[0]} and {here[1]}: run `footnote index`"
        )


def _refuse_damage(folder: Path, names: list[str]) -> None:
    if names:
        raise _damage(folder, f"{', '.join(sorted(names))} not what the manifest says")


def _damage(folder: Path, what: str) -> IndexDamaged:
    return IndexDamaged(f"the index in {folder} is damaged ({what}): run `footnote index` to build it anew")
