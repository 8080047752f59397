from pathlib import Path

import numpy as np
import pytest

from rag.errors import IndexDamaged
from rag.index.keywords import KeywordIndex

TEXTS = [
    "Sparse retrieval with inverted lists",
    "Dense retrieval with learned vectors",
    "A study of protein folding",
    "Protein folding and protein design",
]


@pytest.fixture
def index() -> KeywordIndex:
    return KeywordIndex.build(TEXTS)


def rows(found: list[tuple[int, float]]) -> list[int]:
    return [row for row, _ in found]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Which paper is about proteins?", [3, 2]),
        ("dense retrieval", [1, 0]),
        ("inverted", [0]),
        ("What of it?", []),
        ("zebra crossing", []),
        ("", []),
    ],
)
def test_finds_the_rows_that_share_words_best_first(index: KeywordIndex, question: str, expected: list[int]) -> None:
    assert rows(index.search(question, 10)) == expected


def test_scores_fall_and_are_never_zero(index: KeywordIndex) -> None:
    scores = [score for _, score in index.search("protein retrieval study", 10)]
    assert scores == sorted(scores, reverse=True)
    assert min(scores) > 0


@pytest.mark.parametrize(("top_k", "count"), [(-1, 0), (0, 0), (1, 1), (2, 2), (1000, 2)])
def test_top_k_is_clamped(index: KeywordIndex, top_k: int, count: int) -> None:
    assert len(index.search("protein", top_k)) == count


def test_only_allowed_rows(index: KeywordIndex) -> None:
    assert rows(index.search("protein", 10, np.array([True, True, True, False]))) == [2]
    assert index.search("protein", 10, np.zeros(4, dtype=np.bool_)) == []


def test_equal_scores_are_in_the_order_of_the_rows() -> None:
    index = KeywordIndex.build(["same words here"] * 5)
    assert rows(index.search("words", 3)) == [0, 1, 2]


def test_document_frequency_counts_rows(index: KeywordIndex) -> None:
    assert index.document_frequency("protein") == 2
    assert index.document_frequency("zebra") == 0


def test_saved_and_loaded_is_the_same(index: KeywordIndex, tmp_path: Path) -> None:
    index.save(tmp_path / "bm25")
    loaded = KeywordIndex.load(tmp_path / "bm25", len(TEXTS))
    assert loaded.search("protein retrieval", 10) == index.search("protein retrieval", 10)
    assert loaded.document_frequency("protein") == 2


def test_saved_files_are_the_same_each_time(tmp_path: Path) -> None:
    for name in ("one", "two"):
        KeywordIndex.build(TEXTS).save(tmp_path / name)
    assert [(p.name, p.read_bytes()) for p in sorted((tmp_path / "one").iterdir())] == [
        (p.name, p.read_bytes()) for p in sorted((tmp_path / "two").iterdir())
    ]


@pytest.mark.parametrize("texts", [[], ["the of and"], ["", "..."]], ids=["no text", "stop words", "blank"])
def test_texts_without_words_find_nothing(texts: list[str], tmp_path: Path) -> None:
    index = KeywordIndex.build(texts)
    assert index.search("anything", 5) == []
    index.save(tmp_path / "bm25")
    loaded = KeywordIndex.load(tmp_path / "bm25", len(texts))
    assert loaded.search("anything", 5) == []
    assert loaded.document_frequency("anything") == 0


def test_a_row_without_words_is_never_found() -> None:
    index = KeywordIndex.build(["", "protein", "the"])
    assert rows(index.search("protein", 10)) == [1]


@pytest.mark.parametrize("damage", ["truncated", "not json", "gone", "other size"])
def test_damaged_files_are_told(index: KeywordIndex, tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "bm25"
    index.save(folder)
    size = len(TEXTS)
    if damage == "truncated":
        file = folder / "data.csc.index.npy"
        file.write_bytes(file.read_bytes()[:40])
    elif damage == "not json":
        (folder / "vocab.index.json").write_text("{")
    elif damage == "gone":
        (folder / "params.index.json").unlink()
    else:
        size += 1
    with pytest.raises(IndexDamaged):
        KeywordIndex.load(folder, size)


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(IndexDamaged):
        KeywordIndex.load(tmp_path / "nowhere", 1)
