"""The terminal: consoles for the two streams, wrapped lines, a sign of life while something loads.

Answers go to standard output, everything else to standard error. rich honours `NO_COLOR` and plain pipes; its markup
is switched off, so that nothing untrusted is read as a style. Knows no record.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

WIDEST = 92
"""Longer lines are hard to follow, however wide the window is."""


def standard_output() -> Console:
    """Where answers go."""
    return _console(stderr=False)


def standard_error() -> Console:
    """Where progress, notes and questions to the person go."""
    return _console(stderr=True)


def tell(line: str) -> None:
    """One line on standard error, after the program's name; what no terminal should obey is dropped."""
    from rag.text import normalise

    print(f"footnote: {normalise(line)}", file=sys.stderr)


def write(console: Console, text: Text, lead: str = "", style: str = "") -> None:
    """Print `text` wrapped to the window; `lead` stands before the first line, the others are indented as far.

    `style` is laid under the whole.
    """
    from rich.text import Text

    width = max(min(console.width, WIDEST) - len(lead), 20)
    for line in text.wrap(console, width):
        line.rstrip()
        console.print(Text.assemble(lead, line, style=style), soft_wrap=True)
        lead = " " * len(lead)


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Show on a terminal's standard error that something is under way, until the block ends."""
    console = standard_error()
    if not console.is_terminal:
        yield
        return
    with console.status(what, spinner="line"):
        yield


def _console(*, stderr: bool) -> Console:
    from rich.console import Console

    return Console(stderr=stderr, markup=False, highlight=False, emoji=False)
