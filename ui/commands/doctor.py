"""`footnote doctor`: is everything here that an answer needs, and whole? Each finding names its remedy.

A check looks closer than a start does: weights and index files are hashed in full, and Chroma is tried in another
process, where damaged files can do no harm.
"""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Literal

from rag.errors import FootnoteError, NoIndex
from ui.outcome import DONE, FAILURE
from ui.render import plain
from ui.session import Session
from ui.terminal import standard_output

if TYPE_CHECKING:
    from rag.index.live import LiveIndex
    from rag.models.weights import ModelStatus
    from rag.settings import Settings

State = Literal["ok", "warning", "failed"]

LIBRARIES = ("footnote", "chromadb", "bm25s", "sentence-transformers", "transformers", "torch")
LITTLE_DISK = 1_500_000_000
"""Bytes: a `models pull` needs about a gigabyte for a moment, a build of the shipped collection 20 MB."""


@dataclass(frozen=True, slots=True)
class Check:
    """One finding; `detail` says what was found and, where it is not ok, what to do."""

    name: str
    state: State
    detail: str


def doctor(session: Session) -> int:
    """Print each finding as it comes; 1 where one failed."""
    from rich.text import Text

    console = standard_output()
    styles = {"ok": "green", "warning": "yellow", "failed": "red"}
    failed = False
    for check in session.doors.checks(session.settings):
        failed |= check.state == "failed"
        line = Text.assemble((f"{check.state:<9}", styles[check.state]), f"{check.name:<11}", plain(check.detail))
        console.print(line, soft_wrap=True)
    return FAILURE if failed else DONE


def checks(settings: Settings) -> Iterator[Check]:
    """Every check, in the order in which things depend on each other."""
    from rag.models.choosing import is_served, without_served
    from rag.models.weights import installed

    yield from libraries()
    yield from places(settings)
    yield from (of_model(status) for status in installed(without_served(settings)))
    if is_served(settings.generator):
        yield of_server(settings.generator)
    if settings.nli:
        yield _guarded("nli", lambda: _entails(settings.nli))
    yield from of_index(settings)


def libraries() -> Iterator[Check]:
    """The versions that run here."""
    found = {name: _version(name) for name in LIBRARIES}
    versions = ", ".join(f"{name} {version}" for name, version in found.items() if version)
    yield Check("versions", "ok", f"Python {platform.python_version()}, {versions}")
    for name, version in found.items():
        if version is None:
            yield Check("versions", "failed", f"{name} is not installed: run `python -m pip install footnote`")


def places(settings: Settings) -> Iterator[Check]:
    """Room and permission where the index and the models lie."""
    for name, folder in (("index disk", settings.index), ("model disk", settings.cache)):
        existing = next(place for place in (folder, *folder.absolute().parents) if place.exists())
        free = shutil.disk_usage(existing).free
        if not os.access(existing, os.W_OK):
            yield Check(name, "warning", f"{existing} cannot be written to: reading works, updating does not")
        elif free < LITTLE_DISK:
            yield Check(name, "warning", f"only {free / 1e9:.1f} GB free at {existing}: make room before updating")
        else:
            yield Check(name, "ok", f"{free / 1e9:.0f} GB free at {existing}")


def of_model(status: ModelStatus) -> Check:
    """A model's finding: without an embedder nothing works, without a generator answers are quoted."""
    if status.present and status.verified:
        return Check(status.kind, "ok", f"{status.name}, {status.origin}, every file verified")
    quoting = status.kind == "generator" and not status.present
    return Check(status.kind, "warning" if quoting else "failed", status.detail or f"{status.name} cannot be used")


def of_server(name: str) -> Check:
    """Whether the server of a served generator answers; where it does not, answers are quoted."""
    from rag.errors import BadInput
    from rag.models.served import open_served

    try:
        generator = open_served(name)
        listed = generator.models()
    except BadInput as error:
        return Check("generator", "failed", str(error))
    except FootnoteError as error:
        return Check("generator", "warning", f"{error}; answers are quoted where it does not write")
    unlisted = "" if generator.model in listed else ", though its list of models does not have this one"
    return Check("generator", "ok", f"{generator.name}, the server answers{unlisted}")


def of_index(settings: Settings) -> Iterator[Check]:
    """The live build: whole, made with the embedder in use, its vector store sound."""
    from rag.index.live import open_index

    try:
        with open_index(settings.index) as index:
            papers = len(index.papers)
            yield Check("index", "ok", f"{papers:,} papers, build {index.build_id}, at {settings.index}")
            yield _guarded("files", lambda: _files_whole(index))
            yield _guarded("embedder", lambda: _made_with(index, settings))
            yield _guarded("Chroma", lambda: _chroma_sound(index), otherwise="warning")
    except NoIndex as error:
        yield Check("index", "failed", str(error))


def _entails(name: str) -> str:
    from rag.models.entailment import entailing_label, find_entailment

    weights = find_entailment(name)
    entailing_label(weights)
    return f"{weights.name}, {weights.origin}, every file verified; wordings have to be entailed too"


def _files_whole(index: LiveIndex) -> str:
    from rag.errors import IndexDamaged
    from rag.index.manifest import damaged

    files = index.manifest.files
    if bad := damaged(index.folder, files, in_full=True):
        raise IndexDamaged(f"{', '.join(sorted(bad))} not what the manifest says: run `footnote index`")
    return f"{len(files)} index files verified"


def _made_with(index: LiveIndex, settings: Settings) -> str:
    from rag.errors import IndexMismatch
    from rag.models.weights import find_embedder

    weights, made = find_embedder(settings.embedder, settings.cache), index.manifest.embedder
    if weights.fingerprint != made.fingerprint:
        raise IndexMismatch(
            f"the index was made with {made.name!r}, the settings say {weights.name!r}: run `footnote index`"
        )
    return f"the index was made with {weights.name}, which is in use"


def _chroma_sound(index: LiveIndex) -> str:
    from rag.index.verify import in_another_process

    in_another_process(index.folder)
    return "finds the nearest passages that exact search finds"


def _guarded(name: str, look: Callable[[], str], otherwise: State = "failed") -> Check:
    try:
        return Check(name, "ok", look())
    except (FootnoteError, OSError) as error:
        return Check(name, otherwise, str(error))


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
