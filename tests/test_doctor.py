"""The doctor's checks on real folders and small real indexes; no model is loaded."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from entailment_cases import classifier
from samples import CALIBRATED, UNDATED

from rag.index.build import update
from rag.index.content import LazyEmbedder
from rag.models import Embedder
from rag.models.weights import ModelStatus, find_embedder
from rag.serialise import paper_json
from rag.settings import Settings
from ui.commands import doctor


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(index=tmp_path / "a" / "index", cache=tmp_path / "cache")


def test_every_library_is_named_with_its_version() -> None:
    [versions] = doctor.libraries()
    assert versions.state == "ok"
    assert all(f"{name} " in versions.detail for name in doctor.LIBRARIES)


def test_a_missing_library_is_a_failure_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "LIBRARIES", ("footnote", "no-such-library"))
    assert [check.state for check in doctor.libraries()] == ["ok", "failed"]


def test_room_is_measured_where_the_folders_will_be(settings: Settings) -> None:
    index, models = doctor.places(settings)
    assert index.detail.endswith(str(settings.index.parents[1]))
    assert models.name == "model disk"


def test_little_room_is_a_warning(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "LITTLE_DISK", 10**18)
    assert {check.state for check in doctor.places(settings)} == {"warning"}


@pytest.mark.parametrize(
    ("kind", "present", "verified", "state"),
    [
        ("embedder", True, True, "ok"),
        ("embedder", False, False, "failed"),
        ("embedder", True, False, "failed"),
        ("generator", True, True, "ok"),
        ("generator", False, False, "warning"),
        ("generator", True, False, "failed"),
    ],
)
def test_only_a_missing_generator_can_be_done_without(kind: str, present: bool, verified: bool, state: str) -> None:
    status = ModelStatus("m", kind, "folder", Path("/m"), present, verified, "run this")  # type: ignore[arg-type]
    check = doctor.of_model(status)
    assert check.state == state
    assert state == "ok" or check.detail == "run this"


def of_nli(settings: Settings, name: str) -> list[doctor.Check]:
    return [check for check in doctor.checks(settings.model_copy(update={"nli": name})) if check.name == "nli"]


@pytest.mark.slow
def test_an_nli_model_is_looked_at_where_one_is_named(settings: Settings, tmp_path: Path) -> None:
    name = str(classifier(tmp_path / "nli", ["entailment", "not"]))
    [check] = of_nli(settings, name)
    assert check.state == "ok"
    assert check.detail.startswith(f"{name}, folder, every file verified")
    assert of_nli(settings, "") == []


@pytest.mark.slow
def test_an_nli_model_that_cannot_be_used_is_a_failure(settings: Settings, tmp_path: Path) -> None:
    mood = str(classifier(tmp_path / "mood", ["glad", "sad"]))
    for name, told in (("some/model", "footnote models pull some/model"), (mood, "no label for entailment")):
        [check] = of_nli(settings, name)
        assert check.state == "failed"
        assert told in check.detail


def test_no_index_is_a_failure_that_names_the_command(settings: Settings) -> None:
    [check] = doctor.of_index(settings)
    assert check.state == "failed"
    assert "footnote index" in check.detail


@pytest.fixture
def built(settings: Settings, tmp_path: Path, embedder: Embedder) -> Settings:
    """A small index, made with other vectors under the default embedder's fingerprint."""
    source = tmp_path / "papers.jsonl"
    source.write_text("".join(json.dumps(paper_json(paper)) + "\n" for paper in (CALIBRATED, UNDATED)))
    default = find_embedder("default")
    update(settings.index, [source], LazyEmbedder(default.name, default.fingerprint, lambda: embedder))
    return settings


def states(settings: Settings) -> dict[str, str]:
    return {check.name: check.state for check in doctor.of_index(settings)}


@pytest.mark.slow
def test_a_sound_index_passes_every_check(built: Settings) -> None:
    assert states(built) == {"index": "ok", "files": "ok", "embedder": "ok", "Chroma": "ok"}


@pytest.mark.slow
def test_another_embedder_than_the_index_was_made_with_fails(built: Settings, tmp_path: Path) -> None:
    shutil.copytree(find_embedder("default").folder, tmp_path / "other")
    (tmp_path / "other" / "config_extra.json").write_text("{}")
    other = built.model_copy(update={"embedder": str(tmp_path / "other")})
    assert states(other)["embedder"] == "failed"


@pytest.mark.slow
def test_damaged_keyword_files_are_found(built: Settings) -> None:
    damaged = next(path for path in sorted(built.index.glob("builds/*/bm25/*")) if path.stat().st_size)
    damaged.write_bytes(b"\0" * damaged.stat().st_size)
    assert states(built)["files"] == "failed"


@pytest.mark.slow
def test_a_store_without_its_database_is_a_warning(built: Settings) -> None:
    [database] = built.index.glob("builds/*/chroma/chroma.sqlite3")
    database.unlink()
    assert states(built)["Chroma"] == "warning"
