from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest
from answering_cases import PAPERS, Shelf
from conftest import FakeEmbedder, ScriptedGenerator

from eval.subjects import MeteredGenerator, Subject, Written, on_index, open_subjects, source_fingerprint
from rag.errors import BadInput, ModelMissing
from rag.models import Generator, Limits, Message
from rag.settings import Settings


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "package"
    (folder / "answering").mkdir(parents=True)
    (folder / "answering" / "prompts.py").write_text('SYSTEM = "Answer from the evidence."\n')
    (folder / "answering" / "weights.json").write_text('{"cosine": 1.5}')
    return folder


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("answering/prompts.py", 'SYSTEM = "Answer from the evidence!"\n'),
        ("answering/weights.json", '{"cosine": 1.6}'),
        ("answering/new.py", ""),
        ("vocabulary.txt", "word"),
    ],
    ids=["a prompt", "a learned weight", "a new module", "a data file"],
)
def test_any_changed_line_of_the_package_changes_its_fingerprint(package: Path, file: str, text: str) -> None:
    before = source_fingerprint(package)
    (package / file).write_text(text)
    assert source_fingerprint(package) != before


def test_what_running_leaves_behind_does_not(package: Path) -> None:
    before = source_fingerprint(package)
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "prompts.pyc").write_text("x")
    (package / ".prompts.py.swp").write_text("x")
    assert source_fingerprint(package) == before


def test_a_moved_file_changes_it(package: Path) -> None:
    before = source_fingerprint(package)
    (package / "answering" / "prompts.py").rename(package / "prompts.py")
    assert source_fingerprint(package) != before


def test_the_library_itself_is_what_is_meant() -> None:
    assert source_fingerprint() == source_fingerprint(Path(__file__).parent.parent / "rag")


# --- the meter --------------------------------------------------------------------------------------------------------

LIMITS = Limits()


def test_a_meter_counts_pieces_and_is_reset_by_reading_it() -> None:
    metered = MeteredGenerator(ScriptedGenerator("abcdef"))
    assert "".join(metered.stream([], LIMITS)) == "abcdef"
    assert "".join(metered.stream([], LIMITS)) == "abcdef"
    written = metered.take()
    assert written.pieces == 4
    assert written.seconds > 0
    assert metered.take() == Written()


def test_closing_it_ends_the_computation() -> None:
    inner = ScriptedGenerator("abcdef")
    metered = MeteredGenerator(inner)
    pieces = metered.stream([Message("user", "x")], LIMITS)
    next(pieces)
    pieces.close()  # type: ignore[attr-defined]
    assert inner.ended == 1
    assert metered.take().pieces == 1


def test_each_thread_reads_its_own() -> None:
    metered = MeteredGenerator(ScriptedGenerator("abcdef"))
    list(metered.stream([], LIMITS))
    elsewhere: list[Written] = []
    thread = threading.Thread(target=lambda: elsewhere.append(metered.take()))
    thread.start()
    thread.join()
    assert elsewhere == [Written()]
    assert metered.take().pieces == 2


class Failing(Generator):
    name = "failing"
    fingerprint = "f"

    def stream(self, messages: Sequence[Message], limits: Limits) -> Iterator[str]:
        yield "a"
        raise RuntimeError("no")


def test_what_fails_still_fails() -> None:
    with pytest.raises(RuntimeError, match="no"):
        list(MeteredGenerator(Failing()).stream([], LIMITS))


# --- opening ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """An index of three papers with the embedder that is installed; no generator was ever pulled."""
    from rag.indexing import update_index
    from rag.settings import Settings

    root = tmp_path_factory.mktemp("subjects")
    papers = root / "papers.jsonl"
    topics = ("folding", "tides", "moss")
    lines = (f'{{"title": "On {each}", "abstract": "We study {each}. It is twice as good."}}' for each in topics)
    papers.write_text("\n".join(lines))
    settings = Settings(index=root / "index", cache=root / "cache")
    update_index(settings, [papers])
    return settings


@pytest.mark.slow
def test_quotations_are_always_there_and_a_missing_default_is_told(settings: Settings) -> None:
    told: list[str] = []
    with open_subjects(settings, ["default"], told.append) as subjects:
        assert [each.name for each in subjects] == ["none"]
        assert len(subjects[0].papers) == 3
        assert list(subjects[0].assistant.stream("What is topic 2?"))
    assert "footnote models pull" in told[0]


@pytest.mark.slow
def test_a_named_generator_that_is_missing_ends_the_run(settings: Settings) -> None:
    with pytest.raises(ModelMissing), open_subjects(settings, ["some/model"], print):
        pass


@pytest.mark.slow
def test_identities_follow_what_decides_the_answers(settings: Settings) -> None:
    def identity(changed: Settings) -> str:
        with open_subjects(changed, ["none"], print) as [subject]:
            return subject.identity

    same = identity(settings)
    assert identity(settings) == same
    assert identity(settings.model_copy(update={"generator": "none"})) == same
    assert identity(settings.model_copy(update={"top_k": 3})) != same


class OpenShelf(Shelf):
    """A shelf that subjects take for an open index."""

    build_id = "made-up"
    manifest = SimpleNamespace(calibration={})


SERVED = "openai:http://127.0.0.1:9/v1#m"


def made(settings: Settings, *generators: str, told: Callable[[str], None] = print) -> list[Subject]:
    return on_index(OpenShelf(*PAPERS), FakeEmbedder(), settings, generators, told)  # type: ignore[arg-type]


@pytest.mark.parametrize("generators", [(), ("none",), ("default",)], ids=["nobody", "none", "a missing default"])
def test_an_nli_model_is_not_asked_for_where_nobody_writes(generators: tuple[str, ...], tmp_path: Path) -> None:
    settings = Settings(cache=tmp_path)
    [subject] = made(settings.model_copy(update={"nli": "some/model"}), *generators, told=lambda _: None)
    assert subject.name == "none"
    assert subject.identity == made(settings)[0].identity, "quotations never meet it"


def test_where_somebody_writes_a_missing_nli_model_ends_the_run(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="footnote models pull some/model"):
        made(Settings(cache=tmp_path, nli="some/model"), SERVED)


def test_quotations_come_first_and_each_writer_once(tmp_path: Path) -> None:
    quoting, writing = made(Settings(cache=tmp_path), SERVED, "none", SERVED)
    assert quoting.name == "none"
    assert writing.name.startswith("m")
    assert writing.identity != quoting.identity


def test_two_writers_of_one_name_are_refused_for_figures_go_by_name(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="called 'm"):
        made(Settings(cache=tmp_path), SERVED, SERVED.replace("/v1", "/v2"))


class Willing:
    """A guard that allows anything."""

    def begins(self, text: str) -> bool:
        return True

    def ends(self, text: str, certainty: float) -> bool:
        return True


def test_an_answer_that_comes_in_one_piece_tells_nothing_of_the_speed() -> None:
    metered = MeteredGenerator(ScriptedGenerator("abcdef"))
    list(metered.stream_batch([[Message("user", "x")]], Limits(guards=[Willing()])))
    assert metered.take().pieces == 0
