import json
import sys
from pathlib import Path

import pytest
from index_cases import build, record, write

from rag.errors import IndexDamaged
from rag.index import verify


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    report = build(tmp_path / "index", write(tmp_path / "papers.jsonl", [record(n) for n in range(6)]))
    return tmp_path / "index" / "builds" / report.build_id


def run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(sys, "argv", ["verify", str(folder)])
    return verify.main()


def test_a_sound_build_passes(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(folder, monkeypatch) == 0
    assert json.loads(capsys.readouterr().out) == {"error": None}


def test_what_is_wrong_is_one_line_of_json(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "chroma" / "chroma.sqlite3").unlink()
    assert run(folder, monkeypatch) == 1
    assert "no Chroma database" in json.loads(capsys.readouterr().out)["error"]


def test_vectors_that_are_not_the_store_s_are_told(folder: Path) -> None:
    file = folder / "passages.npy"
    content = bytearray(file.read_bytes())
    content[-2000:] = bytes(2000)
    file.write_bytes(content)
    with pytest.raises(IndexDamaged, match=r"finds only \d+% of the nearest passages"):
        verify.check(folder)


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands for the other process")
@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("kill -SEGV $$", "ended by signal 11"),
        ("exit 3", "ended with status 3"),
        ("echo no such module >&2; exit 1", "no such module"),
        ("""echo '{"error": "the reason"}'; exit 1""", "the reason"),
        ("exec sleep 60", "did not end within 0.5 s"),
    ],
    ids=["crashed", "silent", "could not start", "found damage", "hangs"],
)
def test_however_the_other_process_ends_it_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, told: str
) -> None:
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.setattr(verify, "TIMEOUT_S", 0.5)
    with pytest.raises(IndexDamaged, match=told) as raised:
        verify.in_another_process(tmp_path)
    assert "\n" not in str(raised.value)
