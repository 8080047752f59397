"""Footnote's library: a question in, a cited answer out.

    assistant.py    the front door: Assistant.open(), .ask(), .stream(), .search()
    records.py      the nouns that travel: Paper, Hit, Evidence, Statement, Answer, ...
    errors.py       everything raised on purpose
    settings.py     every setting with its reason
    text.py         untrusted text made safe; sentences with offsets; terms
    papers/         collections in and out, one module per file format
    models/         the only rooms that know model libraries
    index/          papers on disk, ready to be searched
    answering/      from a question to checked statements

Importing it is cheap and does nothing; `Assistant` is loaded on first use.
"""

from typing import TYPE_CHECKING

from rag.records import Answer, Citation, Evidence, Hit, Paper, Scope, Statement, Turn

if TYPE_CHECKING:
    from rag.assistant import Assistant

__all__ = ["Answer", "Assistant", "Citation", "Evidence", "Hit", "Paper", "Scope", "Statement", "Turn"]


def __getattr__(name: str) -> object:
    if name == "Assistant":
        from rag.assistant import Assistant

        return Assistant
    raise AttributeError(f"module 'rag' has no attribute {name!r}")
