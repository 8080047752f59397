"""What came of asking a question, and where it is kept so that it need not be asked again. Knows no metric.

Results lie under the cache folder, one file for each way of answering (models, index, settings, source code), named
by its fingerprint. A line is written as soon as its question is answered, so a killed run loses one answer:

    {"key": "5f0c…", "result": {"answered": true, "statements": [{"text": "…", "citations": [1], …}], …}}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import IO, Any, Final

from rag.errors import BadInput
from rag.records import Confidence, Statement

FILES_KEPT: Final = 40
"""Ways of answering whose results are kept: a few days of changing a prompt, some tens of megabytes."""


@dataclass(frozen=True, slots=True)
class Cited:
    """An entry of an answer's reference list: `evidence` are the sentences that carry its weight."""

    number: int
    paper_id: str
    title: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Picked:
    """A sentence picked as evidence, whether or not a statement came of it."""

    paper_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Withheld:
    """A written sentence that failed the check."""

    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class Result:
    """What came of asking one question once; with `error` nothing else did.

    `ranking` holds `paper_id`s, best first. `first_statement_s` and `total_s` are seconds of the clock on the wall;
    `pieces` is how many the generator gave in `writing_s` seconds (a local model gives one a token). `cached` marks
    what was kept from an earlier run: its times are of another hour and count for nothing.
    """

    answered: bool = False
    confidence: Confidence = "refusal"
    reason: str | None = None
    nearest: float | None = None
    statements: tuple[Statement, ...] = ()
    citations: tuple[Cited, ...] = ()
    ranking: tuple[str, ...] = ()
    evidence: tuple[Picked, ...] = ()
    withheld: tuple[Withheld, ...] = ()
    generator: str = ""
    first_statement_s: float | None = None
    total_s: float | None = None
    pieces: int = 0
    writing_s: float = 0.0
    error: str | None = None
    cached: bool = field(default=False, compare=False)

    @property
    def text(self) -> str:
        """The statements, without their markers."""
        return " ".join(statement.text for statement in self.statements)

    def json(self) -> dict[str, Any]:
        """This result as a JSON object."""
        return asdict(self)


def result_from_json(record: Mapping[str, Any]) -> Result:
    """The result that `json` wrote. Raises KeyError, TypeError or ValueError for anything else."""
    return Result(
        **{
            **record,
            "statements": tuple(
                Statement(each["text"], tuple(each["citations"]), each["support"]) for each in record["statements"]
            ),
            "citations": tuple(Cited(**{**each, "evidence": tuple(each["evidence"])}) for each in record["citations"]),
            "ranking": tuple(record["ranking"]),
            "evidence": tuple(Picked(**each) for each in record["evidence"]),
            "withheld": tuple(Withheld(**each) for each in record["withheld"]),
        }
    )


class ResultStore:
    """The results kept in a folder, which is made when the first one is. Safe to share between threads.

    `fresh` finds nothing of an earlier run, and adds to what there is all the same.
    """

    def __init__(self, folder: Path, *, fresh: bool = False) -> None:
        self._folder = folder
        self._fresh = fresh
        self._known: dict[str, dict[str, Result]] = {}
        self._lock = Lock()

    def get(self, identity: str, key: str) -> Result | None:
        """The kept result, marked as cached; None where there is none."""
        with self._lock:
            return self._read(identity).get(key)

    def add(self, identity: str, key: str, result: Result) -> None:
        """Keep a result. An error is not kept: it may have been the machine's, and is asked again next time."""
        if result.error is not None:
            return
        line = json.dumps({"key": key, "result": result.json()}, ensure_ascii=True)
        with self._lock:
            self._read(identity)[key] = replace(result, cached=True)
            with self._opened(identity) as file:
                file.write(f"{line}\n".encode())

    def _read(self, identity: str) -> dict[str, Result]:
        if identity not in self._known:
            path = self._path(identity)
            lines = path.read_bytes().splitlines() if path.is_file() and not self._fresh else []
            self._known[identity] = dict(filter(None, map(_parsed, lines)))
        return self._known[identity]

    def _opened(self, identity: str) -> IO[bytes]:
        """The file to append to, on a line of its own: a killed run may have left half a line."""
        path = self._path(identity)
        try:
            if not path.exists():
                self._folder.mkdir(parents=True, exist_ok=True)
                self._make_room()
            file = path.open("ab+")
        except OSError as error:
            raise BadInput(f"results cannot be kept in {self._folder}: {error.strerror}; set FOOTNOTE_CACHE") from None
        if file.tell():
            file.seek(-1, 2)
            if file.read(1) != b"\n":
                file.write(b"\n")
        return file

    def _make_room(self) -> None:
        """Drop the files that were written longest ago."""
        files = sorted(self._folder.glob("*.jsonl"), key=lambda file: file.stat().st_mtime)
        for file in files[: max(0, len(files) - FILES_KEPT + 1)]:
            file.unlink(missing_ok=True)

    def _path(self, identity: str) -> Path:
        return self._folder / f"{identity[:32]}.jsonl"


def _parsed(line: bytes) -> tuple[str, Result] | None:
    """Key and result of a line; None for what is no such line, which costs an answer and nothing else."""
    try:
        record = json.loads(line)
        return str(record["key"]), replace(result_from_json(record["result"]), cached=True)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
