"""What one run of a command shares: the settings in force, the doors to the library, what it has told the person.

The doors are the seam for tests: they hold the library's entrances, and nothing behind one is imported before it is
used, so that `footnote show` loads no model and `footnote --help` loads nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ui.terminal import tell, waiting

if TYPE_CHECKING:
    from eval.subjects import Subject
    from rag.assistant import Assistant
    from rag.index.build import Report
    from rag.index.live import LiveIndex
    from rag.models import Embedder
    from rag.models.weights import ModelStatus
    from rag.records import Paper, Scope
    from rag.settings import Settings
    from ui.commands.doctor import Check


class UsageError(Exception):
    """The arguments do not go together; told in one line, exit code 2."""


def open_assistant(settings: Settings, writes: bool) -> Assistant:
    """The assistant on the live index; `writes=False` loads no language model."""
    from rag.assistant import Assistant

    return Assistant.open(settings, writes=writes)


def open_records(settings: Settings) -> LiveIndex:
    """The live index for its records alone: no embedder is loaded, so none needs to match."""
    from rag.index.live import open_index

    return open_index(settings.index)


def update_index(settings: Settings, paths: tuple[Path, ...], **options: Any) -> Report:
    """Build or update the index."""
    from rag.indexing import update_index

    return update_index(settings, paths, **options)


def installed_models(settings: Settings) -> list[ModelStatus]:
    """Which weights are on this machine, verified."""
    from rag.models.weights import installed

    return installed(settings)


def pull_model(name: str, cache: Path, report: Callable[[str], None]) -> Path:
    """Fetch a model's weights; the only door behind which the network is used."""
    from rag.models.pulling import pull

    return pull(name, cache, report)


def system_checks(settings: Settings) -> Iterator[Check]:
    """What `footnote doctor` looks at."""
    from ui.commands.doctor import checks

    return checks(settings)


def open_subjects(
    settings: Settings, generators: Sequence[str], told: Callable[[str], None]
) -> AbstractContextManager[list[Subject]]:
    """What an evaluation compares: an assistant for each generator, and one that quotes only."""
    from eval.subjects import open_subjects

    return open_subjects(settings, generators, told)


def open_corpus(
    papers: Sequence[Paper], settings: Settings, progress: Callable[[int, int], None]
) -> AbstractContextManager[tuple[LiveIndex, Embedder]]:
    """A benchmark's papers, indexed, and the embedder that goes with them."""
    from eval.retrieval import open_corpus

    return open_corpus(papers, settings, lambda done, total, what: progress(done, total))  # noqa: ARG005


@dataclass(frozen=True)
class Doors:
    """The library's entrances that commands go through."""

    assistant: Callable[[Settings, bool], Assistant] = open_assistant
    records: Callable[[Settings], LiveIndex] = open_records
    update: Callable[..., Report] = update_index
    installed: Callable[[Settings], list[ModelStatus]] = installed_models
    pull: Callable[[str, Path, Callable[[str], None]], Path] = pull_model
    checks: Callable[[Settings], Iterator[Check]] = system_checks
    subjects: Callable[[Settings, Sequence[str], Callable[[str], None]], AbstractContextManager[list[Subject]]] = (
        open_subjects
    )
    corpus: Callable[
        [Sequence[Paper], Settings, Callable[[int, int], None]], AbstractContextManager[tuple[LiveIndex, Embedder]]
    ] = open_corpus


@dataclass(frozen=True)
class Session:
    """One run of the program; `arguments` are the settings given on the command line."""

    doors: Doors = field(default_factory=Doors)
    arguments: Mapping[str, object] = field(default_factory=dict)
    debug: bool = False
    _told: set[str] = field(default_factory=set)

    def given(self, **options: object) -> Session:
        """This session with further options; what was not given (None) changes nothing."""
        debug = self.debug or bool(options.pop("debug", False))
        more = {name: value for name, value in options.items() if value is not None}
        return replace(self, debug=debug, arguments={**self.arguments, **more})

    @cached_property
    def settings(self) -> Settings:
        """The settings in force. Raises BadInput where one cannot be used."""
        from rag.settings import load_settings

        return load_settings(**self.arguments)

    @contextmanager
    def assistant(self, *, writes: bool = True) -> Iterator[Assistant]:
        """The assistant, opened; its notes are told before the first use and those that came up in use after it."""
        with waiting("Loading the models"):
            assistant = self.doors.assistant(self.settings, writes)
        with assistant:
            self.note(*assistant.notes)
            yield assistant
            self.note(*assistant.notes)

    def note(self, *lines: str) -> None:
        """Tell the person each line on standard error, once."""
        for line in lines:
            if line not in self._told:
                self._told.add(line)
                tell(f"note: {line}")

    def note_undated(self, assistant: Assistant, scope: Scope) -> None:
        """Where papers are picked by year, say how many were left out for not having one."""
        papers = assistant.index.papers.values()
        undated = sum(paper.year is None for paper in papers)
        if scope.by_year and undated:
            self.note(f"{undated:,} of {len(papers):,} papers are left out because their year is not known")
