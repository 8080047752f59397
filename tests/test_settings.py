"""Settings: what a person may write, and what is told where it cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.errors import BadInput
from rag.settings import load_settings, origins


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The settings file, which is not there yet; the environment names nothing else."""
    monkeypatch.delenv("FOOTNOTE_CACHE", raising=False)
    monkeypatch.setenv("FOOTNOTE_CONFIG", str(tmp_path / "footnote.toml"))
    return tmp_path / "footnote.toml"


@pytest.mark.parametrize("key", ["index", "cache"])
def test_a_place_may_begin_at_home(file: Path, key: str) -> None:
    file.write_text(f'{key} = "~/papers"\n')
    assert getattr(load_settings(), key) == Path.home() / "papers"


def test_a_home_of_nobody_is_a_name_like_any_other(file: Path) -> None:
    assert load_settings(index=Path("~nobody-of-that-name/x")).index == Path("~nobody-of-that-name/x")


@pytest.mark.parametrize("name", ["INDEX", "CACHE", "GENERATOR", "EMBEDDER"])
def test_an_empty_variable_is_refused_by_name(file: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(f"FOOTNOTE_{name}", "")
    with pytest.raises(BadInput, match=f"setting '{name.lower()}'"):
        load_settings()


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"top_k = ", "not valid TOML"), ('generator = "modèle"'.encode("latin-1"), "not valid TOML")],
    ids=["cut short", "not UTF-8"],
)
def test_a_file_that_cannot_be_read_is_one_line(file: Path, content: bytes, says: str) -> None:
    file.write_bytes(content)
    with pytest.raises(BadInput, match=says) as told:
        load_settings()
    assert "\n" not in str(told.value)


def test_a_folder_in_place_of_the_file_is_not_read(file: Path) -> None:
    file.mkdir()
    assert load_settings().top_k == 10


def test_a_variable_counts_however_it_is_written(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("footnote_top_k", "7")
    settings = load_settings()
    assert (settings.top_k, origins(settings)["top_k"]) == (7, "environment")
