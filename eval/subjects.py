"""What is put to the test: assistants that share one index and one embedder and differ in who writes.

Quoting without a language model is always among them: the line that every model has to beat. Each subject carries a
fingerprint of everything that decides its answers, so that results are found again exactly as long as they hold.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

import rag
from rag.errors import BadInput, ModelMissing
from rag.models import Generator, Limits, Message, iterating
from rag.records import Event, Paper, Scope, Turn

if TYPE_CHECKING:
    from rag.index.live import LiveIndex
    from rag.models import Embedder
    from rag.settings import Settings

QUOTES_ONLY: Final = "none"
"""The name of the subject without a language model, as `--generator` knows it."""

ENGINES: Final = (
    "bm25s",
    "chromadb",
    "numpy",
    "openvino",
    "pysbd",
    "PyStemmer",
    "sentence-transformers",
    "torch",
    "transformers",
)
"""Packages whose next release may answer differently."""

NOT_DECISIVE: Final = frozenset({"index", "cache", "generator", "embedder", "nli"})
"""Settings that say where things lie; the models they name are known by their fingerprints."""


class Answering(Protocol):
    """What the evaluation needs of an assistant."""

    def stream(self, question: str, history: Sequence[Turn] = (), *, scope: Scope = Scope()) -> Iterator[Event]:
        """Events as they happen, `Finished` last."""


@dataclass(frozen=True, slots=True)
class Written:
    """How many pieces a generator gave, and how many seconds it took over them."""

    pieces: int = 0
    seconds: float = 0.0


def nothing_written() -> Written:
    """The meter of an assistant without a generator."""
    return Written()


@dataclass(frozen=True)
class Subject:
    """One way of answering: `identity` is a fingerprint of all that decides the answers.

    `written` tells what the generator gave in this thread since it was last asked.
    """

    name: str
    assistant: Answering
    papers: Mapping[str, Paper]
    identity: str
    written: Callable[[], Written] = nothing_written


@contextmanager
def open_subjects(
    settings: Settings, generators: Sequence[str], told: Callable[[str], None]
) -> Iterator[list[Subject]]:
    """The subjects for these generators, quotations first; index and embedder are loaded once.

    A default generator that was never pulled is `told` and left out. Raises NoIndex, IndexMismatch, ModelMissing,
    BadInput where two have the same name, and what else opening raises.
    """
    from rag.index.live import open_index
    from rag.models.embedder import load_embedder
    from rag.models.weights import find_embedder

    weights = find_embedder(settings.embedder, settings.cache)
    with open_index(settings.index, weights.name, weights.fingerprint) as index:
        yield on_index(index, load_embedder(weights, settings.device), settings, generators, told)


def on_index(
    index: LiveIndex, embedder: Embedder, settings: Settings, generators: Sequence[str], told: Callable[[str], None]
) -> list[Subject]:
    """The same on an index that is open already; the NLI model, which judges what is written, is opened for writers."""
    from rag.assistant import Assistant, open_entailment

    named = [_load(name, settings, told) for name in dict.fromkeys(generators) if name != QUOTES_ONLY]
    writers = [writer for writer in named if writer is not None]
    _refuse_namesakes([writer.name for writer in writers])
    entailment = open_entailment(settings) if writers else None
    identify = _identifier(settings, index, embedder)
    quoting = Assistant(index, embedder, None, settings)
    subjects = [Subject(QUOTES_ONLY, quoting, index.papers, identify(QUOTES_ONLY, "", ""))]
    for writer in writers:
        metered = MeteredGenerator(writer)
        assistant = Assistant(index, embedder, metered, settings, entailment=entailment)
        identity = identify(writer.name, writer.fingerprint, entailment.fingerprint if entailment else "")
        subjects.append(Subject(writer.name, assistant, index.papers, identity, metered.take))
    return subjects


def _refuse_namesakes(names: Sequence[str]) -> None:
    """Figures and baselines go by name: of two with the same one, only one would be told."""
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise BadInput(f"two of the generators are called {twice!r}: rename the folder of one, or evaluate them apart")


def _load(name: str, settings: Settings, told: Callable[[str], None]) -> Generator | None:
    from rag.models.choosing import open_generator

    try:
        return open_generator(name, settings.cache, settings.device, settings.engine)
    except ModelMissing as error:
        if name != "default":
            raise
        told(f"{error}; quotations alone are evaluated")
        return None


def _identifier(settings: Settings, index: LiveIndex, embedder: Embedder) -> Callable[[str, str, str], str]:
    """From the name and fingerprint of a generator, and that of what judges it, to the identity of the subject."""
    shared = {
        "source": source_fingerprint(),
        "engines": {name: _version(name) for name in ENGINES},
        "settings": settings.model_dump(mode="json", exclude=set(NOT_DECISIVE)),
        "build": index.build_id,
        "calibration": dict(index.manifest.calibration),
        "embedder": embedder.fingerprint,
    }
    return lambda name, fingerprint, nli: digest({**shared, "generator": [name, fingerprint], "nli": nli})


def digest(value: Any) -> str:
    """sha256 of a JSON value, in hexadecimal."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def source_fingerprint(folder: Path | None = None) -> str:
    """One sha256 over every file of a package: code, prompts and learned weights. Any changed line changes it."""
    folder = folder or Path(rag.__file__).parent
    hashed = hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder).as_posix()
        if file.is_file() and "__pycache__" not in name and not file.name.startswith("."):
            hashed.update(f"{name}\0{hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return hashed.hexdigest()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


Piece = TypeVar("Piece")


class MeteredGenerator(Generator):
    """A generator with a meter on it, read per thread: assistants are shared, questions are not."""

    def __init__(self, generator: Generator) -> None:
        self.name = generator.name
        self.fingerprint = generator.fingerprint
        self.taught = generator.taught
        self._generator = generator
        self._meter = threading.local()

    def stream(self, messages: Sequence[Message], limits: Limits) -> Iterator[str]:
        """What the generator gives; only the time it takes itself is counted, not what is done with the pieces."""
        return self._measured(self._generator.stream(messages, limits))

    def stream_batch(self, prompts: Sequence[Sequence[Message]], limits: Limits) -> Iterator[tuple[int, str | None]]:
        """The same for several prompts at once; that one is complete counts as no piece."""
        whole = bool(limits.guards)  # then a piece is an answer, and says nothing of the speed
        return self._measured(self._generator.stream_batch(prompts, limits), counted=not whole)

    def _measured(self, pieces: Iterator[Piece], *, counted: bool = True) -> Iterator[Piece]:
        with closing(iterating(pieces)) as measured:
            while True:
                started = time.perf_counter()
                piece = next(measured, None)
                written = isinstance(piece, str) or (isinstance(piece, tuple) and piece[1] is not None)
                self._add(time.perf_counter() - started, int(written and counted))
                if piece is None:
                    return
                yield piece

    def take(self) -> Written:
        """What was written in this thread since the last call."""
        written: Written = getattr(self._meter, "written", Written())
        self._meter.written = Written()
        return written

    def _add(self, seconds: float, pieces: int) -> None:
        so_far: Written = getattr(self._meter, "written", Written())
        self._meter.written = Written(so_far.pieces + pieces, so_far.seconds + seconds)
