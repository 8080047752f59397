"""The only door to chromadb: passages and their vectors in a folder, nearest first.

It knows identifiers, years and vectors, not texts. One process writes a folder, once, and others then read it; what a
damaged folder does is not caught here (Chroma answers wrongly or ends the process): the reader compares hashes before
it opens one. Everything that Chroma raises becomes IndexDamaged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from rag.errors import IndexDamaged
from rag.models import Vectors
from rag.models.loading import first_line
from rag.records import Paper, Passage, Scope

if TYPE_CHECKING:
    from chromadb.api.client import Client
    from chromadb.api.models.Collection import Collection

HNSW = {"space": "cosine", "max_neighbors": 32, "ef_construction": 400, "ef_search": 1200}
"""With Chroma's defaults three builds of one collection agreed on the top 50 for only 70 to 76% of queries. With these
all agree with exact search on the top 400, for each of 240 questions (1,408 passages); a search of 400 misses one of
those for 55 of them, and is no faster."""

MOST_RESULTS = 500
"""No query returns more: near `ef_search` the graph is no longer searched well."""

STABLE_FILES = ("data_level0.bin", "header.bin", "index_metadata.pickle", "link_lists.bin")
"""The files that opening and querying leave alone; `chroma.sqlite3` and `length.bin` change on reading."""

EVERYTHING = Scope()

_NAME = "passages"


class VectorStore:
    """A Chroma collection of passages in a folder. Thread-safe for reading."""

    def __init__(self, client: Client, collection: Collection) -> None:
        self._client = client
        self._collection = collection

    @classmethod
    def create(cls, folder: Path, size: int) -> VectorStore:
        """A new store for exactly `size` passages: with the last of them the graph is written to disk.

        Chroma keeps its newest vectors in SQLite and its graph in memory until `sync_threshold` have come together.
        """
        with _as_damage(folder):
            client = _client(folder)
            hnsw = HNSW | {"sync_threshold": max(size, 1), "batch_size": max(size, 1)}
            collection = client.create_collection(
                _NAME, embedding_function=None, configuration=cast(Any, {"hnsw": hnsw})
            )
            return cls(client, collection)

    @classmethod
    def open(cls, folder: Path) -> VectorStore:
        """The store in a folder; raises IndexDamaged where there is none: Chroma itself would make an empty one."""
        if not (folder / "chroma.sqlite3").is_file():
            raise IndexDamaged(f"{folder} holds no Chroma database")
        with _as_damage(folder):
            client = _client(folder)
            try:
                return cls(client, client.get_collection(_NAME, embedding_function=None))
            except BaseException:
                client.close()
                raise

    def add(self, passages: Sequence[Passage], vectors: Vectors, papers: Mapping[str, Paper]) -> None:
        """Add passages, their vectors of shape (len(passages), dimension), and the years of their papers."""
        with _as_damage("the new store"):
            step = self._client.get_max_batch_size()
            for start in range(0, len(passages), step):
                batch = passages[start : start + step]
                self._collection.add(
                    ids=[passage.passage_id for passage in batch],
                    embeddings=vectors[start : start + step],
                    metadatas=[_metadata(papers[passage.paper_id]) for passage in batch],
                )

    def count(self) -> int:
        """How many passages there are."""
        with _as_damage("the Chroma store"):
            return self._collection.count()

    def query(self, vector: Vectors, top_k: int, scope: Scope = EVERYTHING) -> list[tuple[str, float]]:
        """The `passage_id`s nearest to a unit vector, with their cosines; ties by `passage_id`."""
        top_k = min(top_k, MOST_RESULTS, self.count())
        if top_k < 1 or scope.paper_ids == frozenset():
            return []
        with _as_damage("the Chroma store"):
            found = self._collection.query(
                query_embeddings=vector.reshape(1, -1),
                n_results=top_k,
                where=_where(scope),
                include=["distances"],
            )
        ids, distances = found["ids"][0], (found["distances"] or [[]])[0]
        pairs = [(name, 1.0 - distance) for name, distance in zip(ids, distances, strict=True)]
        return sorted(pairs, key=lambda pair: (-round(pair[1], 6), pair[0]))

    def close(self) -> None:
        """Release files and memory; Chroma otherwise keeps a store open, by path, as long as the process lives."""
        self._client.close()


def stable_files(folder: Path) -> list[Path]:
    """The files of a store that reading does not change, in order."""
    return sorted(path for path in folder.glob("*/*") if path.name in STABLE_FILES)


def _client(folder: Path) -> Client:
    import chromadb
    from chromadb.config import Settings

    # By real path: a store opened through a link keeps the old target when the link moves.
    client = chromadb.PersistentClient(path=str(folder.resolve()), settings=Settings(anonymized_telemetry=False))
    return cast("Client", client)


@contextmanager
def _as_damage(where: Path | str) -> Iterator[None]:
    """Whatever Chroma raises, as IndexDamaged in one line; it raises errors of its own, ValueError and OSError."""
    try:
        yield
    except Exception as error:
        raise IndexDamaged(f"Chroma failed on {where}: {first_line(error)}") from error


def _metadata(paper: Paper) -> dict[str, Any]:
    """What `where` can ask for; a paper without a year has no such entry, so no year condition holds."""
    year = {} if paper.year is None else {"year": paper.year}
    return {"paper_id": paper.paper_id, **year}


def _where(scope: Scope) -> Any:
    """The scope in Chroma's filter language; None where it holds for everything."""
    conditions: list[dict[str, Any]] = []
    if scope.year_from is not None:
        conditions.append({"year": {"$gte": scope.year_from}})
    if scope.year_to is not None:
        conditions.append({"year": {"$lte": scope.year_to}})
    if scope.paper_ids is not None:
        conditions.append({"paper_id": {"$in": sorted(scope.paper_ids)}})
    if scope.hidden:
        conditions.append({"paper_id": {"$nin": sorted(scope.hidden)}})
    if len(conditions) > 1:
        return {"$and": conditions}
    return conditions[0] if conditions else None
