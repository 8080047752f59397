import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from conftest import FakeEmbedder
from index_cases import TOPICS, build, lazy, record, unloadable, write

from rag.assistant import Assistant
from rag.errors import BadInput, FootnoteError, IndexBusy, IndexDamaged, IndexMismatch, StrictProblem
from rag.index import exact, keywords, locks, manifest, staging, verify
from rag.index.build import Report
from rag.index.live import LiveIndex, open_index
from rag.index.manifest import Manifest
from rag.index.vectors import VectorStore
from rag.models import Vectors
from rag.records import Scope
from rag.serialise import answer_json
from rag.settings import Settings

COUNT = 12
TEXTS = 72
"""Different sentences and passages of these papers: those of one topic share a sentence."""
RECORDS = [record(n, paper_id=f"paper{n}") for n in range(COUNT)]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "index"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write(tmp_path / "papers.jsonl", RECORDS)


def counts(report: Report) -> tuple[int, int, int, int]:
    """Added, changed, unchanged, removed."""
    return len(report.added), len(report.changed), len(report.unchanged), len(report.removed)


def ids(root: Path) -> list[str]:
    with open_index(root) as index:
        return list(index.papers)


def folders(root: Path) -> list[str]:
    return sorted(path.name for path in (root / "builds").iterdir())


# What is reported and kept


def test_the_first_build_is_reported_and_answers(root: Path, source: Path) -> None:
    report = build(root, source)
    assert counts(report) == (COUNT, 0, 0, 0)
    assert (report.entries, report.papers, report.embedded) == (COUNT, COUNT, TEXTS)
    assert report.sources == (str(source),)
    assert folders(root) == [report.build_id]
    with open_index(root) as index:
        assert index.build_id == report.build_id
        assert index.manifest.counts == manifest.Counts(COUNT, COUNT, 4 * COUNT, 2 * COUNT)
        assert index.search_keywords("corpus3", 1)[0][0] == "paper3"


def test_nothing_changed_builds_nothing_and_loads_no_model(root: Path, source: Path) -> None:
    first = build(root, source)
    again = build(root, embedder=unloadable())
    assert counts(again) == (0, 0, COUNT, 0)
    assert (again.build_id, again.embedded) == (first.build_id, 0)


def test_added_changed_and_removed_papers_are_told_apart(root: Path, source: Path) -> None:
    build(root, source)
    write(
        source,
        [RECORDS[0] | {"abstract": "Something new is said. And more."}, *RECORDS[2:], record(40, paper_id="new")],
    )
    report = build(root)
    assert report.added == ("new",)
    assert report.changed == ("paper0",)
    assert report.removed == ("paper1",)
    assert len(report.unchanged) == COUNT - 2
    assert ids(root) == ["paper0", *(f"paper{n}" for n in range(2, COUNT)), "new"]


def test_only_texts_that_are_new_are_embedded(root: Path, source: Path) -> None:
    build(root, source)
    first, *rest = RECORDS
    longer = first | {"abstract": first["abstract"] + " One more sentence is added."}
    embedder = FakeEmbedder()
    report = build(root, write(source, [longer, *rest]), embedder=lazy(embedder))
    sentence, passage = embedder.encoded
    assert sentence == f"{first['title']}. One more sentence is added."
    assert passage.startswith(first["title"])
    assert passage.endswith(" One more sentence is added.")
    assert report.embedded == 2
    with open_index(root) as index:
        texts = [f"{first['title']}. {sentence.text}" for sentence in index.sentences("paper0")]
        assert np.array_equal(index.sentence_vectors("paper0"), FakeEmbedder().encode(texts))


def test_a_changed_year_is_searched_at_once_and_loads_no_model(root: Path, source: Path) -> None:
    build(root, source)
    write(source, [RECORDS[0] | {"year": 2050}, *RECORDS[1:]])
    report = build(root, embedder=unloadable())
    assert (report.changed, report.embedded) == (("paper0",), 0)
    with open_index(root) as index:
        found = index.search_vectors(FakeEmbedder().encode(["retrieval"])[0], 5, Scope(year_from=2040))
        assert {passage.paper_id for passage, _ in found} == {"paper0"}


def test_a_doi_learned_later_finds_the_paper_under_its_old_id(root: Path, tmp_path: Path) -> None:
    source = write(tmp_path / "papers.jsonl", [record(1, year=None)])
    (before,) = build(root, source).added
    write(source, [record(1, doi="10.5555/ABC")])
    assert build(root, embedder=unloadable()).changed == (before,)
    with open_index(root) as index:
        paper = index.paper("doi:10.5555/abc")
        assert paper is not None
        assert paper.paper_id == before


def test_another_embedder_embeds_everything_again(root: Path, source: Path) -> None:
    build(root, source)
    other = FakeEmbedder()
    other.name, other.fingerprint = "other", "other-1"  # type: ignore[misc]
    report = build(root, embedder=lazy(other))
    assert counts(report) == (0, 0, COUNT, 0)
    assert report.embedded == TEXTS
    open_index(root, "other", "other-1").close()


def test_other_settings_embed_everything_again_under_another_id(
    root: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = build(root, source)
    monkeypatch.setattr(keywords, "K1", keywords.K1 + 0.1)
    with pytest.raises(IndexMismatch):
        open_index(root)
    again = build(root)
    assert (counts(again), again.embedded) == ((0, 0, COUNT, 0), TEXTS)
    assert again.build_id != first.build_id
    assert len(ids(root)) == COUNT


def test_the_same_papers_from_another_file_are_looked_for_there_from_then_on(root: Path, source: Path) -> None:
    build(root, source)
    moved = Path(shutil.copy(source, source.with_name("moved.jsonl")))
    assert counts(build(root, moved, embedder=unloadable())) == (0, 0, COUNT, 0)
    with open_index(root) as index:
        assert index.manifest.sources == (str(source), str(moved))


def test_progress_counts_up_to_the_total(root: Path, source: Path) -> None:
    heard: list[tuple[int, int, str]] = []
    build(root, source, progress=lambda *step: heard.append(step))
    assert heard[-1] == (TEXTS, TEXTS, "texts")
    assert [done for done, _, _ in heard] == sorted({done for done, _, _ in heard})


def test_a_skipped_record_is_reported_or_fails_strictly(root: Path, source: Path) -> None:
    write(source, [*RECORDS, {"title": "No abstract"}])
    assert len(build(root, source).skipped) == 1
    with pytest.raises(StrictProblem):
        build(root, strict=True)


def test_a_dry_run_tells_and_writes_nothing(root: Path, source: Path) -> None:
    report = build(root, source, dry_run=True, embedder=unloadable())
    assert counts(report) == (COUNT, 0, 0, 0)
    assert not root.exists()
    build(root, source)
    before = ids(root)
    write(source, RECORDS[:5])
    assert counts(build(root, dry_run=True)) == (0, 0, 5, COUNT - 5)
    assert ids(root) == before


def test_what_calibration_finds_is_kept(root: Path, source: Path) -> None:
    def calibrate(index: LiveIndex) -> Mapping[str, float]:
        vector = FakeEmbedder().encode(["speech"])[0]
        return {"answer": index.search_vectors(vector, 1)[0][1], "papers": len(index.papers)}

    build(root, source, calibrate=calibrate)
    with open_index(root) as index:
        assert index.manifest.calibration["papers"] == COUNT
        assert 0 < index.manifest.calibration["answer"] < 1


def test_an_index_without_calibration_gets_one(root: Path, source: Path) -> None:
    build(root, source)
    build(root, calibrate=lambda index: {"answer": 0.5}, embedder=unloadable())
    with open_index(root) as index:
        assert dict(index.manifest.calibration) == {"answer": 0.5}


# Two builds of one collection


def ranking(root: Path) -> list[list[tuple[str, float]]]:
    with open_index(root) as index:
        vectors = FakeEmbedder().encode(TOPICS)
        return [[(p.passage_id, score) for p, score in index.search_vectors(v, 20)] for v in vectors]


def test_two_builds_rank_alike(tmp_path: Path, source: Path) -> None:
    """One from nothing, one grown step by step."""
    build(tmp_path / "one", source)
    for end in (3, 7, COUNT):
        build(tmp_path / "two", write(source, RECORDS[:end]))
    assert ranking(tmp_path / "one") == ranking(tmp_path / "two")


def answers(root: Path) -> list[str]:
    """Everything that is answered to some questions, but for how long it took."""
    with Assistant(open_index(root), FakeEmbedder(), None, Settings()) as assistant:
        questions = ("Does method3 need 5 examples only?", "Compare speech and vision", "What is known of speech?")
        given = [assistant.ask(question, summary=summary) for question in questions for summary in (False, True)]
    assert any(answer.answered for answer in given)
    return [json.dumps(answer_json(answer) | {"timings": None}) for answer in given]


def test_two_builds_answer_with_the_same_bytes(tmp_path: Path, source: Path) -> None:
    """One from nothing, one grown step by step."""
    build(tmp_path / "one", source)
    for end in (3, 7, COUNT):
        build(tmp_path / "two", write(source, RECORDS[:end]))
    assert answers(tmp_path / "one") == answers(tmp_path / "two")


# What goes wrong


def fails(kind: type[BaseException]) -> Callable[[object], Mapping[str, float]]:
    def failing(_: object) -> Mapping[str, float]:
        raise kind("no reason")

    return failing


@pytest.mark.parametrize("kind", [KeyboardInterrupt, IndexDamaged, RuntimeError, MemoryError])
@pytest.mark.parametrize("step", ["check", "calibrate"])
def test_whatever_ends_a_build_the_live_one_answers_on(
    root: Path, source: Path, step: str, kind: type[BaseException]
) -> None:
    live = build(root, source).build_id
    write(source, RECORDS[:3])
    expected = FootnoteError if kind is IndexDamaged else kind
    with pytest.raises(expected, match="no reason"):
        build(root, **{step: fails(kind)})
    assert folders(root) == [live]
    assert len(ids(root)) == COUNT
    assert counts(build(root)) == (0, 0, 3, COUNT - 3)


def test_a_full_disk_is_one_line(root: Path, source: Path) -> None:
    def full(_: Path) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(FootnoteError, match="is full: make room"):
        build(root, source, check=full)
    assert folders(root) == []


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path, source: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="choose another place"):
        build(tmp_path / "file", source)


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_no_permission_is_one_line(tmp_path: Path, source: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)
    with pytest.raises(BadInput, match="choose another place"):
        build(tmp_path / "closed" / "index", source)


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="file names are Unicode there")
def test_a_file_name_that_is_not_unicode_is_kept_as_it_is(root: Path, tmp_path: Path) -> None:
    (tmp_path / "papers").mkdir()
    write(tmp_path / "papers" / os.fsdecode(b"m\xfcller.jsonl"), RECORDS)
    assert counts(build(root, tmp_path / "papers"))[0] == COUNT
    assert counts(build(root)) == (0, 0, COUNT, 0)


def test_a_build_whose_place_is_taken_leaves_the_old_one_live(root: Path, source: Path) -> None:
    live = build(root, source).build_id
    staged, taken = root / "builds" / ".staging-new", root / "builds" / "taken"
    for folder in (staged, taken):
        folder.mkdir()
        (folder / "papers.jsonl").touch()
    with pytest.raises(OSError, match="taken"):
        staging.go_live(root, staged, "taken")
    assert manifest.live_build(root).name == live


@pytest.mark.skipif(sys.platform == "win32", reason="folders cannot be synced")
def test_every_file_is_on_the_disk_itself_before_its_build_is_live(
    root: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut cannot be tested: what is asked of the system can."""
    synced: set[int] = set()
    fsync = os.fsync

    def recording(descriptor: int) -> None:
        synced.add(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", recording)
    folder = root / "builds" / build(root, source).build_id
    assert [path.name for path in (folder, *folder.rglob("*")) if path.stat().st_ino not in synced] == []


def test_what_a_later_release_wrote_is_built_anew(root: Path, source: Path) -> None:
    build(root, source)
    folder = root / "builds" / folders(root)[0]
    described = json.loads((folder / "manifest.json").read_text())
    papers = folder / "papers.jsonl"
    papers.write_text("".join(json.dumps(json.loads(line) | {"pages": 9}) + "\n" for line in papers.open()))
    size, digest = papers.stat().st_size, hashlib.sha256(papers.read_bytes()).hexdigest()
    described |= {"schema": 999, "files": described["files"] | {"papers.jsonl": [size, digest]}}
    (folder / "manifest.json").write_text(json.dumps(described))
    assert build(root).papers == COUNT
    assert len(ids(root)) == COUNT


def test_what_a_killed_builder_left_is_swept_away(root: Path, source: Path) -> None:
    build(root, source)
    (root / "builds" / ".staging-0123" / "chroma").mkdir(parents=True)
    (root / "builds" / ".trash-0123").mkdir()
    build(root)
    assert len(folders(root)) == 1


def test_a_second_builder_is_told_who_is_at_work(root: Path, source: Path) -> None:
    build(root, source)
    with locks.building(root), pytest.raises(IndexBusy, match=f"process {os.getpid()}"):
        build(root)
    assert counts(build(root)) == (0, 0, COUNT, 0)


def test_an_empty_collection_is_refused(root: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no papers in"):
        build(root, write(tmp_path / "empty.jsonl", []))


def test_an_empty_collection_is_told_with_the_first_reason(root: Path, tmp_path: Path) -> None:
    bare = write(tmp_path / "bare.jsonl", [{"title": f"Paper {n}"} for n in range(4)])
    with pytest.raises(BadInput, match=r"nothing was indexed \(.*bare\.jsonl:1: no abstract: skipped, and 3 more\)$"):
        build(root, bare)
    (tmp_path / "sizes.csv").write_text("Name,Size\na,1\n")
    with pytest.raises(BadInput, match=r"a header that names title and abstract: skipped\)$"):
        build(root, tmp_path / "sizes.csv")


def test_an_index_inside_its_source_is_no_source(tmp_path: Path) -> None:
    write(tmp_path / "papers.jsonl", RECORDS)
    root = tmp_path / "index"
    build(root, tmp_path)
    assert counts(build(root, embedder=unloadable())) == (0, 0, COUNT, 0)
    write(tmp_path / "papers.jsonl", RECORDS[:5])
    assert counts(build(root)) == (0, 0, 5, COUNT - 5)


@pytest.mark.parametrize(
    "name", ["papers.jsonl", "spans.jsonl", "sentences.npy", "passages.npy", "bm25/vocab.index.json"]
)
def test_a_damaged_index_is_repaired(root: Path, source: Path, name: str) -> None:
    first = build(root, source).build_id
    file = root / "builds" / first / name
    file.write_bytes(file.read_bytes()[:-1])
    report = build(root)
    assert report.papers == COUNT
    assert report.build_id != first
    assert open_index(root).notes == ()
    assert ids(root) == [f"paper{n}" for n in range(COUNT)]


def test_a_build_without_its_lock_is_repaired(root: Path, source: Path) -> None:
    """No reader can hold it: it would never be searched again."""
    (root / "builds" / build(root, source).build_id / locks.READER_LOCK).unlink()
    build(root, embedder=unloadable())
    assert len(ids(root)) == COUNT


@pytest.mark.parametrize("name", ["chroma.sqlite3", "*/data_level0.bin"])
@pytest.mark.parametrize("damage", ["gone", "garbage"])
def test_a_damaged_vector_store_is_repaired_without_a_model(root: Path, source: Path, name: str, damage: str) -> None:
    file = next((root / "builds" / build(root, source).build_id / "chroma").glob(name))
    file.unlink()
    if damage == "garbage":
        file.write_bytes(b"garbage" * 1000)
    build(root, embedder=unloadable())
    with open_index(root) as index:
        index.search_vectors(FakeEmbedder().encode(["speech"])[0], 5)
        assert index.notes == ()


def test_without_a_manifest_the_sources_must_be_named_again(root: Path, source: Path) -> None:
    (root / "builds" / build(root, source).build_id / "manifest.json").write_text("{}")
    with pytest.raises(IndexDamaged, match="naming its files"):
        build(root)
    assert counts(build(root, source)) == (COUNT, 0, 0, 0)


def test_without_a_name_the_sources_must_be_named_again(root: Path, source: Path) -> None:
    build(root, source)
    (root / "CURRENT").unlink()
    with pytest.raises(IndexDamaged, match=r"CURRENT is gone: .*naming its files"):
        build(root)
    assert counts(build(root, source)) == (COUNT, 0, 0, 0)


# Readers at the same time


def test_a_reader_keeps_its_build_until_it_lets_go(root: Path, source: Path) -> None:
    first = build(root, source).build_id
    with open_index(root) as reader:
        second = build(root, write(source, RECORDS[:5])).build_id
        assert folders(root) == sorted([first, second])
        assert len(reader.search_vectors(FakeEmbedder().encode(["speech"])[0], 100)) == 2 * COUNT
        assert len(ids(root)) == 5
    third = build(root, write(source, RECORDS[:4])).build_id
    assert folders(root) == [third]


def test_going_back_to_an_earlier_collection_while_it_is_read(root: Path, source: Path) -> None:
    first = build(root, source).build_id
    with open_index(root):
        build(root, write(source, RECORDS[:5]))
        again = build(root, write(source, RECORDS)).build_id
    assert again == f"{first}-2"
    assert len(ids(root)) == COUNT


# Other processes

BUILDER = """
import signal
import sys
from pathlib import Path
from index_cases import build
signal.signal(signal.SIGINT, signal.default_int_handler)  # which a job in the background starts without
def wait(_):
    print("staged", flush=True)
    sys.stdin.read()
build(Path(sys.argv[1]), Path(sys.argv[2]), check=wait)
"""


def builder(root: Path, source: Path) -> subprocess.Popen[str]:
    """Another process that has staged a build and waits before it goes live."""
    process = subprocess.Popen(
        [sys.executable, "-c", BUILDER, str(root), str(source)],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "staged\n"
    return process


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("number", ["SIGKILL", "SIGTERM", "SIGINT"])
def test_a_builder_that_is_killed_leaves_the_live_index(root: Path, source: Path, number: str) -> None:
    build(root, source)
    write(source, RECORDS[:3])
    process = builder(root, source)
    with pytest.raises(IndexBusy, match=f"process {process.pid}"):
        build(root)
    process.send_signal(signal.Signals[number])
    process.wait(timeout=30)
    assert len(ids(root)) == COUNT
    assert counts(build(root)) == (0, 0, 3, COUNT - 3)
    assert len(folders(root)) == 1


@pytest.mark.slow
@pytest.mark.parametrize("delay_ms", range(0, 400, 40))
def test_killed_at_any_moment(root: Path, source: Path, delay_ms: int) -> None:
    build(root, source)
    write(source, RECORDS[:3])
    script = BUILDER.replace("check=wait", "").replace("def wait", "print('go', flush=True)\ndef wait")
    process = subprocess.Popen(
        [sys.executable, "-c", "import chromadb, rag.index.build\n" + script, str(root), str(source)],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(delay_ms / 1000)
    process.kill()
    process.wait(timeout=30)
    assert len(ids(root)) in (3, COUNT)
    assert build(root).papers == 3
    assert len(folders(root)) == 1


def spoil(folder: Path, kind: str) -> None:
    graph = next((folder / "chroma").glob("*/data_level0.bin"))
    if kind == "graph gone":
        graph.unlink()
    elif kind == "scribbled":
        size = graph.stat().st_size
        graph.write_bytes(np.random.default_rng(0).bytes(size))
    elif kind == "store gone":
        shutil.rmtree(folder / "chroma")
    else:
        store = VectorStore.open(folder / "chroma")
        store._collection.delete(ids=["paper0#0"])
        store.close()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["graph gone", "scribbled", "store gone", "one passage missing"])
def test_a_damaged_store_does_not_pass_the_check(root: Path, source: Path, kind: str) -> None:
    folder = root / "builds" / build(root, source).build_id
    verify.in_another_process(folder)
    spoil(folder, kind)
    with pytest.raises(IndexDamaged) as told:
        verify.in_another_process(folder)
    assert "\n" not in str(told.value)


@pytest.mark.slow
def test_the_check_runs_this_package_wherever_it_is_called(
    root: Path, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "rag").mkdir()
    (tmp_path / "rag" / "__init__.py").write_text("raise SystemExit('the wrong package')")
    monkeypatch.chdir(tmp_path)
    build(root, source, check=verify.in_another_process)


@pytest.mark.slow
def test_the_shipped_collection_is_indexed_where_nothing_is_named(root: Path) -> None:
    report = build(root, check=verify.in_another_process)
    assert (report.entries, report.papers) == (429, 314)
    assert len(report.merged) == 429 - 314
    assert counts(build(root, embedder=unloadable())) == (0, 0, 314, 0)


class RandomEmbedder(FakeEmbedder):
    """Vectors without any structure: the hardest for a graph, and without ties."""

    fingerprint = "random"
    dimension = 384

    def encode(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        seeds = [np.frombuffer(text.encode()[-64:].rjust(64), dtype="<u4") for text in texts]
        rows = [np.random.default_rng(seed).normal(size=self.dimension) for seed in seeds]
        made: Vectors = np.array(rows, dtype=np.float32)
        return made / np.linalg.norm(made, axis=1, keepdims=True)


@pytest.mark.slow
def test_builds_of_a_larger_collection_match_exact_search(tmp_path: Path) -> None:
    source = write(tmp_path / "papers.jsonl", [record(n, paper_id=f"paper{n}") for n in range(700)])
    questions = RandomEmbedder().encode([f"question {n}" for n in range(40)])
    rankings = []
    for name in ("one", "two"):
        build(tmp_path / name, source, embedder=lazy(RandomEmbedder()))
        with open_index(tmp_path / name) as index:
            rows = np.load(index.folder / "passages.npy")["vector"]
            found = [[score for _, score in index.search_vectors(q, 50)] for q in questions]
            assert found == [[score for _, score in exact.nearest(rows, q, 50)] for q in questions]
            rankings.append([index.search_vectors(q, 50) for q in questions])
            assert index.notes == ()
    assert rankings[0] == rankings[1]


def test_the_manifest_is_plain_json_with_what_the_design_names(root: Path, source: Path) -> None:
    folder = root / "builds" / build(root, source).build_id
    fields = json.loads((folder / "manifest.json").read_text())
    assert fields["complete"] is True
    assert {"schema", "sources", "embedder", "settings", "calibration", "counts", "files"} <= set(fields)
    assert Manifest.read(folder).files.keys() >= {"papers.jsonl", "spans.jsonl", "sentences.npy", "passages.npy"}
