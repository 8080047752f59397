"""The fakes that the tests share: small, handwritten, deterministic."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from rag.models import Generator, Limits, Message, Vectors


class FakeEmbedder:
    """Bag-of-words vectors: texts that share words are near each other, and nothing needs to be loaded."""

    name = "fake"
    fingerprint = "fake-embedder-1"
    dimension = 64
    window = 256

    def __init__(self) -> None:
        self.encoded: list[str] = []

    @property
    def sentences(self) -> FakeEmbedder:
        return self

    def encode(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        self.encoded += texts
        if progress is not None:
            progress(len(texts))
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in zip(vectors, texts, strict=True):
            row[0] = 1e-3
            for word in re.findall(r"\w+", text.lower()):
                row[hashlib.sha256(word[:6].encode()).digest()[0] % self.dimension] += 1.0
            row /= np.linalg.norm(row)
        return vectors

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) + 2 for text in texts]


class ScriptedGenerator(Generator):
    """Says what it was told to say, in pieces of three characters; records the prompts it was given."""

    name = "scripted (test)"
    fingerprint = "scripted"

    def __init__(self, *scripts: str | Exception) -> None:
        self.scripts = list(scripts)
        self.prompts: list[Sequence[Message]] = []
        self.ended = 0

    def stream(self, messages: Sequence[Message], limits: Limits) -> Iterator[str]:
        self.prompts.append(messages)
        script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
        try:
            if isinstance(script, Exception):
                raise script
            for start in range(0, len(script), 3):
                if limits.cancelled.is_set():
                    return
                yield script[start : start + 3]
        finally:
            self.ended += 1


@pytest.fixture(scope="session", autouse=True)
def nobodys_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No setting or key of the person who runs the tests counts, here or in the processes that tests start.

    The cache stays where it is: the slow tests find the pulled models there.
    """
    theirs = [name for name in os.environ if name.upper().startswith("FOOTNOTE_") or name == "OPENAI_API_KEY"]
    with pytest.MonkeyPatch.context() as patch:
        for name in theirs:
            if name.upper() != "FOOTNOTE_CACHE":
                patch.delenv(name)
        patch.setenv("FOOTNOTE_CONFIG", str(tmp_path_factory.mktemp("settings") / "absent.toml"))
        yield


@pytest.fixture
def embedder() -> FakeEmbedder:
    return FakeEmbedder()


@pytest.fixture(scope="session")
def shipped_index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped collection, indexed by the command with the real embedder; the generator is pulled if need be."""
    folder = tmp_path_factory.mktemp("shipped") / "index"
    assert footnote("models", "pull").returncode == 0
    indexed = footnote("index", "--index", str(folder))
    assert indexed.returncode == 0, indexed.stderr
    (folder.parent / "report.txt").write_text(indexed.stdout, encoding="utf-8")
    return folder


def footnote(*arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a person would, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "ui.cli", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=os.environ | environment,
        check=False,
    )
