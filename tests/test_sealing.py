"""Folders of model files: made whole or not at all, verified to the byte, and removed only where nobody reads them."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from rag.errors import ModelDamaged
from rag.models.sealing import MANIFEST, fingerprint, hash_files, hold, is_sealed, retire, seal, sealed_files, stage

needs_locks = pytest.mark.skipif(sys.platform == "win32", reason="without shared locks nothing is retired")


def make_sealed(home: Path, content: str = "{}") -> Path:
    """A sealed folder of one file."""
    with stage(home.parent, ".lock", ".making-") as staging:
        made = staging / "made"
        made.mkdir()
        (made / "config.json").write_text(content)
        seal(made, home, of="a test")
    return home


def test_sealed_files_may_be_read_by_whom_new_files_may_be(tmp_path: Path) -> None:
    with stage(tmp_path, ".lock", ".making-") as staging:
        made = staging / "made"
        made.mkdir()
        (made / "model.safetensors").write_text("weights")
        (made / "model.safetensors").chmod(0o600)
        seal(made, tmp_path / "home")
    assert (tmp_path / "home" / "model.safetensors").stat().st_mode == (tmp_path / "home" / MANIFEST).stat().st_mode


def retire_all(*folders: Path) -> None:
    with stage(folders[0].parent, ".lock", ".making-") as staging:
        retire(folders, staging)


# --- staged ---------------------------------------------------------------------------------------------------------


def test_what_fails_midway_leaves_nothing(tmp_path: Path) -> None:
    def fail() -> None:
        with stage(tmp_path, ".lock", ".making-") as staging:
            (staging / "half.json").write_text("{")
            raise ValueError("midway")

    with pytest.raises(ValueError, match="midway"):
        fail()
    assert {path.name for path in tmp_path.iterdir()} <= {".lock"}


def test_what_a_killed_process_left_goes_and_what_others_stage_stays(tmp_path: Path) -> None:
    for name in (".making-killed", ".other-staging"):
        (tmp_path / name).mkdir()
    with stage(tmp_path, ".lock", ".making-"):
        assert not (tmp_path / ".making-killed").exists()
    assert (tmp_path / ".other-staging").exists()


def test_a_second_one_waits_for_its_turn_and_says_so(tmp_path: Path) -> None:
    waits, enters = threading.Event(), threading.Event()

    def second() -> None:
        with stage(tmp_path, ".lock", ".making-", waits.set):
            enters.set()

    thread = threading.Thread(target=second)
    with stage(tmp_path, ".lock", ".making-"):
        thread.start()
        assert waits.wait(10)
        assert not enters.is_set()
    thread.join(10)
    assert enters.is_set()


# --- sealed ---------------------------------------------------------------------------------------------------------


def test_a_sealed_folder_says_what_its_files_are_and_of_what_it_was_made(tmp_path: Path) -> None:
    home = make_sealed(tmp_path / "home")
    assert json.loads((home / MANIFEST).read_text()) == {"of": "a test", "files": hash_files(home)}
    assert sealed_files(home) == hash_files(home)
    assert is_sealed(home, of="a test")
    assert not is_sealed(home, of="another")


def test_sealed_again_it_is_replaced_whole(tmp_path: Path) -> None:
    home = make_sealed(tmp_path / "home")
    (home / "left.json").write_text("{}")
    make_sealed(home, "[]")
    assert {file.name for file in home.iterdir()} == {"config.json", MANIFEST}
    assert {path.name for path in tmp_path.iterdir()} <= {"home", ".lock"}


@pytest.mark.parametrize("file", ["config.json", MANIFEST])
@pytest.mark.parametrize("how", ["changed", "missing", "deep"])
def test_damage_is_noticed(tmp_path: Path, file: str, how: str) -> None:
    damaged = make_sealed(tmp_path / "home") / file
    damaged.unlink()
    if how != "missing":
        damaged.write_text("[" * (100_000 if how == "deep" else 1))
    assert not is_sealed(damaged.parent, of="a test")
    if file == MANIFEST:
        with pytest.raises(ModelDamaged, match="footnote models pull"):
            sealed_files(damaged.parent)


def test_only_files_that_decide_what_is_computed_count(tmp_path: Path) -> None:
    home = make_sealed(tmp_path / "home")
    before = fingerprint(hash_files(home))
    (home / "README.md").write_text("a note")
    assert is_sealed(home, of="a test")
    (home / "added.json").write_text("{}")
    assert not is_sealed(home, of="a test")
    assert fingerprint(hash_files(home)) != before


# --- retired --------------------------------------------------------------------------------------------------------


@needs_locks
def test_what_nobody_holds_is_retired_and_what_somebody_does_stays(tmp_path: Path) -> None:
    free, held = make_sealed(tmp_path / "free"), make_sealed(tmp_path / "held")
    hold(held)
    retire_all(free, held)
    assert (free.exists(), is_sealed(held, of="a test")) == (False, True)
    assert {path.name for path in tmp_path.iterdir()} <= {"held", ".lock"}, "something was left"


@needs_locks
def test_what_replaced_a_damaged_folder_is_held_anew(tmp_path: Path) -> None:
    home = make_sealed(tmp_path / "home")
    hold(home)
    make_sealed(home)
    hold(home)
    retire_all(home)
    assert home.exists()


@pytest.mark.parametrize("there", [True, False], ids=["not sealed", "not there"])
def test_what_was_not_sealed_is_neither_held_nor_retired(tmp_path: Path, there: bool) -> None:
    folder = tmp_path / "models" / "mine"
    if there:
        folder.mkdir(parents=True)
    hold(folder)
    retire_all(folder)
    assert folder.exists() is there


def test_where_there_are_no_shared_locks_everything_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = make_sealed(tmp_path / "home")
    monkeypatch.setattr(sys, "platform", "win32")
    hold(home)
    retire([home], tmp_path)
    assert home.exists()


HOLDER = """
import sys, time
from pathlib import Path
from rag.models.sealing import hold
hold(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


@needs_locks
@pytest.mark.slow
def test_another_process_holds_until_it_is_killed(tmp_path: Path) -> None:
    home = make_sealed(tmp_path / "home")
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(home)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        retire_all(home)
        assert home.exists()
        holder.kill()
    retire_all(home)
    assert not home.exists()
