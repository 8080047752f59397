from pathlib import Path

import numpy as np
import pytest

from rag.errors import IndexDamaged
from rag.index import exact
from rag.index.vectors import MOST_RESULTS, VectorStore, stable_files
from rag.models import Vectors
from rag.records import Paper, Passage, Scope

COUNT = 300
DIMENSION = 16
PER_PAPER = 3

PAPERS = {
    f"p{n}": Paper(f"p{n}", "Title", "Abstract", year=None if n % 5 == 0 else 1990 + n % 30)
    for n in range(COUNT // PER_PAPER)
}
PASSAGES = [Passage(f"p{n // PER_PAPER}#{n % PER_PAPER}", f"p{n // PER_PAPER}", 0, 8, "Abstract") for n in range(COUNT)]


def unit_vectors(count: int, seed: int) -> Vectors:
    made = np.random.default_rng(seed).normal(size=(count, DIMENSION)).astype(np.float32)
    normed: Vectors = made / np.linalg.norm(made, axis=1, keepdims=True)
    return normed


VECTORS = unit_vectors(COUNT, seed=1)
QUERIES = unit_vectors(20, seed=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("chroma")
    store = VectorStore.create(folder, COUNT)
    store.add(PASSAGES, VECTORS, PAPERS)
    store.close()
    return folder


@pytest.fixture(scope="module")
def store(folder: Path) -> VectorStore:
    return VectorStore.open(folder)


def expected(query: Vectors, top_k: int, scope: Scope) -> list[str]:
    rows = [n for n, passage in enumerate(PASSAGES) if scope.holds(PAPERS[passage.paper_id])]
    return [PASSAGES[row].passage_id for row, _ in exact.nearest(VECTORS, query, top_k, rows)]


@pytest.mark.parametrize(
    "scope",
    [
        Scope(),
        Scope(year_from=2005),
        Scope(year_to=2000),
        Scope(year_from=1995, year_to=1997),
        Scope(year_from=2500),
        Scope(paper_ids=frozenset({"p3"})),
        Scope(paper_ids=frozenset({"p1", "p2", "p7", "unknown"})),
        Scope(paper_ids=frozenset()),
        Scope(hidden=frozenset({"p1", "p4"})),
        Scope(hidden=frozenset(f"p{n}" for n in range(98))),
        Scope(year_from=2000, paper_ids=frozenset(f"p{n}" for n in range(50)), hidden=frozenset({"p11"})),
    ],
    ids=[
        "everything",
        "from a year",
        "up to a year",
        "between years",
        "no such year",
        "one paper",
        "some papers and an unknown one",
        "no papers",
        "but two papers",
        "two papers left",
        "all of it",
    ],
)
def test_finds_what_exact_search_finds(store: VectorStore, scope: Scope) -> None:
    for query in QUERIES:
        assert [name for name, _ in store.query(query, 10, scope)] == expected(query, 10, scope)


def test_scores_are_cosines(store: VectorStore) -> None:
    for query in QUERIES:
        scores = [score for _, score in store.query(query, 5)]
        assert scores == pytest.approx([score for _, score in exact.nearest(VECTORS, query, 5)], abs=1e-5)


@pytest.mark.parametrize(("top_k", "count"), [(-1, 0), (0, 0), (1, 1), (COUNT + 50, COUNT), (10**9, COUNT)])
def test_top_k_is_clamped(store: VectorStore, top_k: int, count: int) -> None:
    assert len(store.query(QUERIES[0], top_k)) == count
    assert count <= MOST_RESULTS


def test_the_graph_is_on_disk_when_the_last_passage_is_added(folder: Path) -> None:
    assert {path.name for path in stable_files(folder)} == {
        "data_level0.bin",
        "header.bin",
        "index_metadata.pickle",
        "link_lists.bin",
    }
    header = next(path for path in stable_files(folder) if path.name == "header.bin").read_bytes()
    # hnswlib's header: format, offset, room, then how many elements there are.
    assert COUNT in np.frombuffer(header[: len(header) // 4 * 4], dtype="<u4")


def test_equal_vectors_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    store = VectorStore.create(tmp_path, 30)
    store.add(PASSAGES[:30], np.repeat(VECTORS[:1], 30, axis=0), PAPERS)
    names = [name for name, _ in store.query(VECTORS[0], 30)]
    store.close()
    assert names == sorted(names)


@pytest.mark.parametrize("count", [1, 2])
def test_very_small_collections(tmp_path: Path, count: int) -> None:
    store = VectorStore.create(tmp_path, count)
    store.add(PASSAGES[:count], VECTORS[:count], PAPERS)
    store.close()
    store = VectorStore.open(tmp_path)
    assert store.count() == count
    assert store.query(VECTORS[0], 10)[0][0] == PASSAGES[0].passage_id
    store.close()


@pytest.mark.slow
def test_more_passages_than_fit_one_batch(tmp_path: Path) -> None:
    count = 6000
    passages = [Passage(f"p0#{n}", "p0", 0, 8, "Abstract") for n in range(count)]
    vectors = unit_vectors(count, seed=3)
    store = VectorStore.create(tmp_path, count)
    store.add(passages, vectors, PAPERS)
    store.close()
    store = VectorStore.open(tmp_path)
    assert store.count() == count
    best = [int(name.removeprefix("p0#")) for name, _ in store.query(vectors[17], 10)]
    store.close()
    assert best == [row for row, _ in exact.nearest(vectors, vectors[17], 10)]


def test_a_folder_without_a_store_is_told_and_left_alone(tmp_path: Path) -> None:
    with pytest.raises(IndexDamaged, match="no Chroma database"):
        VectorStore.open(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"not a database" * 100], ids=["empty", "garbage"])
def test_a_damaged_database_is_told_in_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "chroma.sqlite3").write_bytes(content)
    with pytest.raises(IndexDamaged) as told:
        VectorStore.open(tmp_path)
    assert "\n" not in str(told.value)


def test_vectors_of_another_dimension_are_refused(store: VectorStore) -> None:
    with pytest.raises(IndexDamaged):
        store.query(np.ones(DIMENSION + 1, dtype=np.float32), 3)


def test_a_folder_can_be_opened_again_after_closing(folder: Path) -> None:
    for _ in range(2):
        again = VectorStore.open(folder)
        assert again.count() == COUNT
        again.close()
