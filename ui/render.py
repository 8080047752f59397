"""Answers and papers as terminal text and as Markdown; knows no command, no window and no model.

Titles, abstracts and model text are untrusted: here they lose control characters and escape sequences, in terminal
text they are never read as rich markup, in Markdown they are escaped, and only http(s) addresses become links.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from rag.records import Answer, Citation, Hit, Paper, Statement
from rag.text import normalise
from ui.summary import Section, listed, sections

if TYPE_CHECKING:
    from rich.text import Text

CAUTION = "This may not be what was asked"
REFUSAL = "No answer in this collection"
REFUSAL_OF_ONE = "No answer in this paper"
NEAREST = "Nearest papers"
NEAREST_SHOWN = 5
_AUTHORS_SHOWN = 3
_TITLE_SHOWN = 90
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>()#|~$&!])")
_LIST_START = re.compile(r"^(\d{1,9})?([.)+-])")


def plain(text: str) -> str:
    """`text` on one line without control, format and surrogate characters, so that no terminal obeys it."""
    return normalise(text)


def web_address(url: str) -> str:
    """`url` where it is a plain http(s) address, else nothing: no other scheme is worth a link."""
    url = plain(url)
    return url if re.match(r"https?://[^\s\"'<>`\\]+$", url, re.IGNORECASE) else ""


def byline(paper: Paper) -> str:
    """What is known beside the title: authors (three, then their number), venue, year."""
    authors = [plain(author) for author in paper.authors[:_AUTHORS_SHOWN]]
    if more := len(paper.authors) - len(authors):
        authors.append(f"and {more} more")
    known = (", ".join(authors), plain(paper.venue), str(paper.year or ""))
    return " · ".join(part for part in known if part)


def short_title(paper: Paper) -> str:
    """The title; one longer than a line without its subtitle or, where it has none, cut after a word."""
    title = plain(paper.title)
    if len(title) <= _TITLE_SHOWN:
        return title
    beginning = title[:_TITLE_SHOWN]
    return f"{beginning.rpartition(': ')[0] or beginning.rpartition(' ')[0] or beginning}…"


def found_by(hit: Hit) -> str:
    """How search found the paper: its rank by meaning and by words."""
    ranks = (("meaning", hit.dense_rank), ("words", hit.keyword_rank))
    return " · ".join(f"{way} {rank}" for way, rank in ranks if rank is not None)


def caution_line(reason: str | None) -> str:
    """The line that stands above an answer stated with caution."""
    return _sentence(CAUTION, reason)


def disagreements(section: Section) -> list[str]:
    """The lines that point to papers which may disagree."""
    return [f"{listed(pair)} may disagree: compare them." for pair in section.opposed]


def refusal_line(answer: Answer, refusal: str = REFUSAL) -> str:
    """That there is no answer, and why."""
    return _sentence(refusal, answer.reason)


# --- terminal -------------------------------------------------------------------------------------------------------


def statement_text(statement: Statement) -> Text:
    """The statement with its citation numbers; the source's own words stand in quotation marks."""
    from rich.text import Text

    numbers = " ".join(f"[{number}]" for number in statement.citations)
    return Text.assemble(_worded(statement), " ", (numbers, "cyan"))


def answer_texts(answer: Answer, *, finished: bool) -> Iterator[Text]:
    """What is stated, block by block; a summary under its headings, with what may disagree in it.

    The blocks of an answer that is not finished are the first ones of those that it will have.
    """
    from rich.text import Text

    found = sections(answer)
    if not found:
        yield from map(statement_text, answer.statements)
    for section in found:
        if section.heading:
            yield Text(plain(section.heading), style="bold")
        yield from (statement_text(answer.statements[place]) for part in section.parts for place in part.places)
        if finished or section is not found[-1]:
            yield from (Text(line, style="yellow") for line in disagreements(section))


def paper_text(paper: Paper) -> Text:
    """The title, then what else is known, quieter, each on its line."""
    from rich.text import Text

    details = "\n".join(line for line in (byline(paper), web_address(paper.url)) if line)
    return Text.assemble(plain(paper.title), ("\n" + details if details else "", "dim"))


def references(citations: Iterable[Citation]) -> list[tuple[str, Text]]:
    """The numbered reference list: number and text of each entry."""
    return [(f"[{citation.number}]", paper_text(citation.paper)) for citation in citations]


# --- Markdown -------------------------------------------------------------------------------------------------------


def answer_markdown(answer: Answer, refusal: str = REFUSAL) -> str:
    """Question and answer, safe to render: statements, a summary's under headings, then the references.

    A refusal names the nearest papers.
    """
    question = f"**{escape_markdown(plain(answer.question))}**"
    if not answer.answered:
        nearest = [f"- {paper_markdown(hit.paper)}" for hit in answer.hits[:NEAREST_SHOWN]]
        listing = [f"{NEAREST}:", "\n".join(nearest)] if nearest else []
        return _paragraphs(question, escape_markdown(refusal_line(answer, refusal)), *listing)
    caution = f"> {escape_markdown(caution_line(answer.reason))}" if answer.confidence == "caution" else ""
    entries = [f"{citation.number}. {paper_markdown(citation.paper)}" for citation in answer.citations]
    return _paragraphs(question, caution, *_stated_markdown(answer), "\n".join(entries))


def _stated_markdown(answer: Answer) -> Iterator[str]:
    found = sections(answer)
    if not found:
        yield from map(statement_markdown, answer.statements)
    for section in found:
        if section.heading:
            yield f"### {escape_markdown(plain(section.heading))}"
        yield from (statement_markdown(answer.statements[place]) for part in section.parts for place in part.places)
        yield from disagreements(section)


def statement_markdown(statement: Statement) -> str:
    """The statement with its citation numbers, bare: nothing that follows makes a link of them."""
    numbers = " ".join(f"[{number}]" for number in statement.citations)
    return f"{escape_markdown(_worded(statement))} {numbers}"


def paper_markdown(paper: Paper) -> str:
    """One line: the title, linked where an address is known, and what else is known."""
    title, address = escape_markdown(plain(paper.title)), web_address(paper.url)
    linked = f"[{title}](<{address}>)" if address else title
    details = escape_markdown(byline(paper))
    return f"{linked} · {details}" if details else linked


def escape_markdown(text: str) -> str:
    """`text` so that Markdown shows it as it stands: no markup, no HTML, no maths, no list."""
    return _LIST_START.sub(r"\1\\\2", _MARKDOWN.sub(r"\\\1", text))


def _worded(statement: Statement) -> str:
    text = plain(statement.text)
    return f"“{text}”" if statement.support == "quoted" else text


def _sentence(opening: str, reason: str | None) -> str:
    return f"{opening}: {plain(reason).rstrip('.')}." if reason else f"{opening}."


def _paragraphs(*blocks: str) -> str:
    return "\n\n".join(block for block in blocks if block) + "\n"
