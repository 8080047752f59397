"""`footnote chat`: what it refuses, and what it does before the window opens."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from rag.errors import IndexMismatch, NoIndex
from ui.cli import main
from ui.serving import LOGIN
from ui.session import Doors


@dataclass
class Opened(Exception):
    """Raised where the assistant would be opened: the tests go no further."""

    settings: Any


@dataclass
class Library:
    """Doors to a library that has an index, has none, or has another one."""

    missing: Exception | None = None
    updated: list[tuple[Path, ...]] = field(default_factory=list)

    def doors(self) -> Doors:
        return Doors(assistant=self.open, records=self.records, update=self.update)

    def open(self, settings: Any, writes: bool) -> Any:
        raise Opened(settings)

    def records(self, settings: Any) -> Any:
        if self.missing is not None:
            raise self.missing
        return self

    def close(self) -> None:
        pass

    def update(self, settings: Any, paths: tuple[Path, ...], **options: Any) -> Any:
        from test_cli import FakeReport

        self.updated.append(paths)
        return FakeReport()


Chat = Callable[..., int]


@pytest.fixture
def chat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Chat:
    monkeypatch.delenv(LOGIN, raising=False)

    def run(library: Library, *arguments: str) -> int:
        given = ("chat", "--no-open", "--port", "0", "--index", str(tmp_path / "index"), *arguments)
        return main(given, library.doors())

    return run


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_other_machines_are_let_in_with_a_login_only(chat: Chat, host: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert chat(Library(), "--host", host) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert f"{LOGIN}=user:password" in line


def test_with_a_login_other_machines_are_let_in(
    chat: Chat, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(LOGIN, "reader:secret")
    chat(Library(), "--host", "0.0.0.0")
    assert "Opened" in capsys.readouterr().err


def test_a_malformed_login_is_told(
    chat: Chat, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(LOGIN, "reader")
    assert chat(Library()) == 1
    assert "a login has the form user:password" in capsys.readouterr().err


def test_without_an_index_the_bundled_collection_is_indexed_first(
    chat: Chat, capsys: pytest.CaptureFixture[str]
) -> None:
    library = Library(NoIndex("no index"))
    chat(library)
    assert library.updated == [()]
    told = capsys.readouterr().err
    assert told.index("there is no index yet") < told.index("Opened")


def test_an_index_that_is_there_is_not_made_again(chat: Chat) -> None:
    library = Library()
    chat(library)
    assert library.updated == []


def test_an_index_of_another_kind_is_left_alone(chat: Chat, capsys: pytest.CaptureFixture[str]) -> None:
    library = Library(IndexMismatch("made with another embedder: index again"))
    assert chat(library) == 4
    assert library.updated == []
    assert "another embedder" in capsys.readouterr().err


@pytest.mark.slow
def test_the_window_says_where_it_is_and_ends_when_interrupted(tmp_path: Path) -> None:
    """The real program on a small index; the network look-ups of gradio's import stay off."""
    from rag.models.weights import find_embedder
    from rag.settings import load_settings

    settings = load_settings(index=tmp_path / "index")
    try:
        find_embedder(settings.embedder, settings.cache)
    except Exception as error:
        pytest.skip(f"no embedder here: {error}")
    records = Path(__file__).parent / "data" / "records.jsonl"
    environment = os.environ | {"FOOTNOTE_INDEX": str(tmp_path / "index"), "FOOTNOTE_GENERATOR": "none"}
    program = [sys.executable, "-m", "ui.cli"]
    subprocess.run([*program, "index", str(records)], env=environment, check=True, capture_output=True)
    window = subprocess.Popen(
        [*program, "chat", "--no-open", "--port", "0"], env=environment, stderr=subprocess.PIPE, text=True
    )
    assert window.stderr is not None
    try:
        assert any("the window is open at http://127.0.0.1:" in line for line in window.stderr)
    finally:
        window.send_signal(signal.SIGINT)
    assert window.wait(20) in (0, 130)
