"""`footnote search`, `show` and `export`: papers, without an answer."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import BadInput
from rag.records import Hit, Paper, Scope
from rag.serialise import hit_json, paper_json
from rag.text import clean_question
from ui.conversation import read_conversation
from ui.outcome import DONE, NO_ANSWER
from ui.render import byline, found_by, plain, web_address
from ui.session import Session, UsageError
from ui.terminal import standard_output, waiting, write

if TYPE_CHECKING:
    from rag.index.live import LiveIndex


def search(
    session: Session,
    query: str,
    *,
    top_k: int | None,
    scope: Scope,
    as_json: bool = False,
) -> int:
    """Rank the papers for `query`."""
    query = clean_question(query, session.settings.max_question_chars)
    with session.assistant(writes=False) as assistant:
        session.note_undated(assistant, scope)
        with waiting("Searching"):
            hits = assistant.search(query, top_k=top_k, scope=scope)
    if as_json:
        _print_json([hit_json(hit) for hit in hits])
    elif hits:
        _print_ranking(hits)
    else:
        session.note("no paper found")
    return DONE if hits else NO_ANSWER


def show(session: Session, name: str, *, as_json: bool = False) -> int:
    """One record, by its id or an alias."""
    with session.doors.records(session.settings) as index:
        paper = _named(index, name)
    if as_json:
        _print_json(paper_json(paper))
    else:
        _print_record(paper)
    return DONE


def export(session: Session, names: Sequence[str], *, format_name: str, output: Path | None, last: bool) -> int:
    """The papers named, those that the last answer cited, or all, in a format that other programs read."""
    if names and last:
        raise UsageError("name papers or give --last, not both")
    with session.doors.records(session.settings) as index:
        if last:
            names = _last_cited(session)
        papers = [_named(index, name) for name in names] if names else list(index.papers.values())
    from rag.papers import write_papers

    text = write_papers(papers, format_name)
    if output is None:
        sys.stdout.write(text)
        return DONE
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"cannot write the export: {error}") from None
    session.note(f"{len(papers):,} {'paper' if len(papers) == 1 else 'papers'} written to {output}")
    return DONE


def _named(index: LiveIndex, name: str) -> Paper:
    paper = index.paper(name)
    if paper is None:
        raise BadInput(f"no paper {name!r} in the index: find ids with `footnote search QUERY`")
    return paper


def _last_cited(session: Session) -> tuple[str, ...]:
    turns = read_conversation(session.settings.index)
    if not turns:
        raise BadInput("there is no last answer: ask something with `footnote ask`")
    if not turns[-1].cited:
        raise BadInput(f"the last answer cited no paper (the question was {turns[-1].question!r})")
    return turns[-1].cited


def _print_ranking(hits: Sequence[Hit]) -> None:
    """A table: rank, title over its id, year where any is known, how it was found."""
    from rich.table import Table
    from rich.text import Text

    dated = any(hit.paper.year for hit in hits)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("", justify="right")
    table.add_column("Title", ratio=1, overflow="fold")
    if dated:
        table.add_column("Year")
    table.add_column("Found by rank", no_wrap=True)
    for rank, hit in enumerate(hits, 1):
        title = Text.assemble(plain(hit.paper.title), ("\n" + plain(hit.paper.paper_id), "dim"))
        year = (str(hit.paper.year or ""),) if dated else ()
        table.add_row(str(rank), title, *year, found_by(hit))
    standard_output().print(table)


def _print_record(paper: Paper) -> None:
    from rich.text import Text

    console = standard_output()
    write(console, Text(plain(paper.title), style="bold"))
    for line in filter(None, (byline(paper), web_address(paper.url))):
        write(console, Text(line))
    console.print()
    write(console, Text(plain(paper.abstract)))
    console.print()
    names = {"id": (paper.paper_id,), "also": paper.aliases, "doi": (paper.doi,), "from": (paper.source,)}
    for label, values in names.items():
        if text := ", ".join(plain(value) for value in values if value):
            write(console, Text(text), f"{label:<6}", "dim")


def _print_json(value: object) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2))
