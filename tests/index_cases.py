"""What the tests of the index share: small collections on disk and builds of them, with the fake embedder."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from conftest import FakeEmbedder

from rag.index import verify
from rag.index.build import LazyEmbedder, Report, update
from rag.models import Embedder

TOPICS = ("retrieval", "folding", "translation", "summaries", "speech", "vision", "planning", "graphs")


def record(number: int, **fields: Any) -> dict[str, Any]:
    """A made-up paper of four sentences; `fields` replace or add to its own."""
    topic = TOPICS[number % len(TOPICS)]
    made = {
        "title": f"On {topic} number{number} of a long series",
        "abstract": f"We study {topic} with method{number} in depth. Earlier work on {topic} needed much more data. "
        f"Our method{number} needs {number + 2} examples only. Experiments on corpus{number} confirm this.",
        "year": 2000 + number,
    }
    return made | fields


def write(path: Path, records: Sequence[Mapping[str, Any]]) -> Path:
    """The records as JSON lines."""
    path.write_text("".join(json.dumps(each) + "\n" for each in records), encoding="utf-8")
    return path


def lazy(embedder: Embedder) -> LazyEmbedder:
    """An embedder that is loaded already."""
    return LazyEmbedder(embedder.name, embedder.fingerprint, lambda: embedder)


def unloadable() -> LazyEmbedder:
    """The fake embedder where it must not be needed."""

    def load() -> Embedder:
        raise AssertionError("the embedder was loaded")

    return LazyEmbedder(FakeEmbedder.name, FakeEmbedder.fingerprint, load)


def build(root: Path, *paths: Path, embedder: LazyEmbedder | None = None, **options: Any) -> Report:
    """Update the index, checking it in this process, which is quicker by a second."""
    options = {"check": verify.check} | options
    return update(root, paths, embedder or lazy(FakeEmbedder()), **options)
