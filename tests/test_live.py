import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from conftest import FakeEmbedder
from index_cases import TOPICS, build, record, write

from rag.errors import IndexDamaged, IndexMismatch, NoIndex
from rag.index import exact, locks, manifest
from rag.index.live import LiveIndex, open_index
from rag.models import Vectors
from rag.records import Scope
from rag.settings import Settings

COUNT = 24


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    records = [record(n, paper_id=f"paper{n}", aliases=[f"Key{n}"]) for n in range(COUNT)]
    records[0] |= {"year": None, "doi": "10.5555/Zero"}
    build(folder / "index", write(folder / "papers.jsonl", records))
    return folder / "index"


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    """A copy of the index, to be damaged."""
    return Path(shutil.copytree(made, tmp_path / "index"))


@pytest.fixture
def index(made: Path) -> LiveIndex:
    return open_index(made)


def embedded(text: str) -> Vectors:
    vector: Vectors = FakeEmbedder().encode([text])[0]
    return vector


def build_of(root: Path) -> Path:
    return manifest.live_build(root)


def hnsw_file(root: Path, name: str = "data_level0.bin") -> Path:
    return next((build_of(root) / "chroma").glob(f"*/{name}"))


# Records


def test_papers_stand_in_the_order_of_the_collection(index: LiveIndex) -> None:
    assert list(index.papers) == [f"paper{n}" for n in range(COUNT)]


@pytest.mark.parametrize("name", ["paper0", "Key0", "key0", "10.5555/zero", "doi:10.5555/zero", " DOI:10.5555/ZERO "])
def test_a_paper_is_found_by_every_name_it_has(index: LiveIndex, name: str) -> None:
    paper = index.paper(name)
    assert paper is not None
    assert paper.paper_id == "paper0"


def test_an_unknown_name_finds_nothing(index: LiveIndex) -> None:
    assert index.paper("nobody") is None
    assert index.paper("") is None


def test_sentences_and_passages_are_the_abstract_s_own_characters(index: LiveIndex) -> None:
    for paper_id, paper in index.papers.items():
        for piece in (*index.sentences(paper_id), *index.passages(paper_id)):
            assert paper.abstract[piece.start : piece.end] == piece.text
        assert len(index.sentences(paper_id)) == 4
        assert [p.passage_id for p in index.passages(paper_id)] == [f"{paper_id}#0", f"{paper_id}#1"]


def test_sentence_vectors_belong_to_their_sentences(index: LiveIndex) -> None:
    title = index.papers["paper7"].title
    texts = [f"{title}. {sentence.text}" for sentence in index.sentences("paper7")]
    assert np.array_equal(index.sentence_vectors("paper7"), FakeEmbedder().encode(texts))


def test_an_unknown_id_is_a_key_error(index: LiveIndex) -> None:
    for ask in (index.sentences, index.passages, index.sentence_vectors):
        with pytest.raises(KeyError):
            ask("nobody")


# Searching


def test_the_nearest_passages_are_those_that_speak_of_it(index: LiveIndex) -> None:
    found = index.search_vectors(embedded("a study of speech"), 3)
    assert {"speech" in index.papers[passage.paper_id].title for passage, _ in found} == {True}
    assert 1.0 > found[0][1] >= found[1][1] >= found[2][1] > 0.0


@pytest.mark.parametrize(
    "scope",
    [
        Scope(),
        Scope(year_from=2010),
        Scope(year_to=2004),
        Scope(paper_ids=frozenset({"paper2", "paper3"})),
        Scope(hidden=frozenset({"paper1", "paper9"})),
        Scope(hidden=frozenset(f"paper{n}" for n in range(COUNT))),
    ],
    ids=["everything", "from a year", "up to a year", "two papers", "but two papers", "nothing"],
)
def test_searches_agree_with_exact_search_and_keep_to_the_scope(index: LiveIndex, scope: Scope) -> None:
    passages = [p for paper_id in index.papers for p in index.passages(paper_id)]
    rows = [n for n, p in enumerate(passages) if scope.holds(index.papers[p.paper_id])]
    vectors = np.stack([row["vector"] for row in np.load(index.folder / "passages.npy")])
    for topic in TOPICS:
        expected = exact.nearest(vectors, embedded(topic), 12, rows)
        found = index.search_vectors(embedded(topic), 12, scope)
        assert [(p.passage_id, s) for p, s in found] == [(passages[r].passage_id, s) for r, s in expected]
        words = index.search_keywords(topic, COUNT, scope)
        assert all(scope.holds(index.papers[paper_id]) for paper_id, _ in words)


@pytest.mark.parametrize(("top_k", "count"), [(0, 0), (1, 1), (5, 5), (1000, 2 * COUNT)])
def test_top_k_is_clamped(index: LiveIndex, top_k: int, count: int) -> None:
    assert len(index.search_vectors(embedded("speech"), top_k)) == count


def test_keywords_find_papers_by_title_and_abstract(index: LiveIndex) -> None:
    assert index.search_keywords("number5", 3)[0][0] == "paper5"
    assert index.search_keywords("corpus6", 3)[0][0] == "paper6"
    assert index.search_keywords("zebra", 3) == []
    assert index.document_frequency("corpus6") == 1


def test_many_threads_get_the_same_answers(made: Path) -> None:
    questions = [embedded(topic) for topic in TOPICS] * 8
    with open_index(made) as index:
        expected = [index.search_vectors(question, 5) for question in questions]
    with open_index(made) as index, ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda question: index.search_vectors(question, 5), questions)) == expected


# What is not as it should be


def test_no_index_names_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(NoIndex, match="run `footnote index`") as told:
        open_index(tmp_path / "nowhere")
    assert type(told.value) is NoIndex
    assert not (tmp_path / "nowhere").exists()


def test_a_file_in_place_of_the_index_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NoIndex, match="not an index folder"):
        open_index(tmp_path / "file")


def test_another_embedder_is_refused_with_both_names(made: Path) -> None:
    with pytest.raises(IndexMismatch, match=r"'fake' \(fake-embedde\), not 'big' \(0123456789ab\).*footnote index"):
        open_index(made, "big", "0123456789abcdef")
    open_index(made, "fake under another name", FakeEmbedder.fingerprint).close()


def test_an_index_that_may_not_be_read_is_one_line(root: Path) -> None:
    lock = build_of(root) / locks.READER_LOCK
    lock.unlink()
    lock.symlink_to(lock)  # opening a loop fails as a closed folder does, for root as well
    with pytest.raises(NoIndex, match="check its permissions"):
        open_index(root)


def test_another_schema_is_refused(root: Path) -> None:
    file = build_of(root) / "manifest.json"
    file.write_text(file.read_text().replace(f'"schema": {manifest.SCHEMA}', '"schema": 999'))
    with pytest.raises(IndexMismatch, match="schema 999"):
        open_index(root)


@pytest.mark.parametrize("name", ["papers.jsonl", "spans.jsonl", "sentences.npy", "passages.npy", "manifest.json"])
@pytest.mark.parametrize("damage", ["flipped", "truncated", "gone"])
def test_damaged_canonical_files_are_refused(root: Path, name: str, damage: str) -> None:
    file = build_of(root) / name
    content = bytearray(file.read_bytes())
    if damage == "gone":
        file.unlink()
    elif damage == "truncated":
        file.write_bytes(content[: len(content) // 2])
    else:
        content[len(content) // 2] ^= 0x80
        file.write_bytes(content)
    with pytest.raises(IndexDamaged, match="footnote index") as told:
        open_index(root)
    assert name in str(told.value)


@pytest.mark.parametrize(
    "content",
    ["", "nothing-here", "../..", "x" * 10_000, "\0"],
    ids=["empty", "no such build", "outside", "too long", "no file name"],
)
def test_a_current_that_leads_nowhere_is_refused(root: Path, content: str) -> None:
    (root / "CURRENT").write_text(content)
    with pytest.raises(IndexDamaged, match="footnote index"):
        open_index(root)


def broken_chroma(root: Path, kind: str) -> None:
    database = build_of(root) / "chroma" / "chroma.sqlite3"
    if kind == "database gone":
        database.unlink()
    elif kind == "database garbage":
        database.write_bytes(b"garbage" * 1000)
    elif kind == "folder gone":
        shutil.rmtree(build_of(root) / "chroma")
    elif kind == "graph gone":
        hnsw_file(root, "link_lists.bin").unlink()
    elif kind == "graph truncated":
        file = hnsw_file(root)
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    else:  # scribbled: opening this one can end the process
        file = hnsw_file(root)
        content = bytearray(file.read_bytes())
        content[:4096] = b"\xff" * 4096
        file.write_bytes(content)


@pytest.mark.parametrize(
    "kind",
    ["database gone", "database garbage", "folder gone", "graph gone", "graph truncated", "graph scribbled"],
)
def test_without_chroma_the_search_is_exact_and_says_so(made: Path, root: Path, kind: str) -> None:
    broken_chroma(root, kind)
    with open_index(made) as sound, open_index(root) as damaged:
        for topic in TOPICS:
            for scope in (Scope(), Scope(year_from=2012, hidden=frozenset({"paper20"}))):
                found = damaged.search_vectors(embedded(topic), 10, scope)
                assert found == sound.search_vectors(embedded(topic), 10, scope)
        assert sound.notes == ()
        (note,) = damaged.notes
        assert "footnote index" in note


def test_as_many_passages_as_a_question_looks_at_are_asked_of_chroma(root: Path) -> None:
    broken_chroma(root, "database gone")
    with open_index(root) as damaged:
        damaged.search_vectors(embedded(TOPICS[0]), Settings().passages_searched)
        assert damaged.notes, "Chroma was never opened"


def test_a_damaged_keyword_index_is_made_again_in_memory(made: Path, root: Path) -> None:
    (build_of(root) / "bm25" / "vocab.index.json").write_text("{}")
    with open_index(made) as sound, open_index(root) as damaged:
        assert damaged.search_keywords("speech method4", 9) == sound.search_keywords("speech method4", 9)
        assert "keyword index" in damaged.notes[0]


def test_reading_changes_nothing_that_the_manifest_vouches_for(root: Path) -> None:
    for _ in range(2):
        with open_index(root) as index:
            index.search_vectors(embedded("speech"), 5)
            index.search_keywords("speech", 5)
    assert manifest.damaged(build_of(root), index.manifest.files, in_full=True) == []


def test_large_files_are_only_measured_on_opening(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, files = build_of(root), open_index(root).manifest.files
    monkeypatch.setattr(manifest, "HASHED_ON_OPEN", 100)
    file = folder / "passages.npy"
    file.write_bytes(file.read_bytes()[:-1] + b"\x55")
    assert manifest.damaged(folder, files) == []
    assert manifest.damaged(folder, files, in_full=True) == ["passages.npy"]


def test_closing_twice_is_fine(made: Path) -> None:
    index = open_index(made)
    index.close()
    index.close()
