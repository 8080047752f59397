"""Exchanges, papers and the page's small parts as HTML; knows no Gradio, no model and no state.

Titles, abstracts, questions and model text are untrusted: every text is normalised and escaped here, and only http(s)
addresses become links. The ids that scripts and anchors go by are made here too:

    turn-3                an exchange
    cite-3-2-1            the citation of source 1 in the second statement of exchange 3
    part-3-1              the part of a summary, exchange 3, that speaks of source 1
    source-3-1            the card of source 1 beside exchange 3; found-3-7 that of the paper ranked 7th
    nearest-3-7           the link of a refusal that leads there
    mark-3-1-4            sentence 4 of its abstract, marked

What can be opened has an id too, by which it stays open when the page shows a newer picture of the exchange.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from urllib.parse import quote

from rag.answering.prompts import NO_ANSWER
from rag.records import Answer, Citation, Evidence, Hit, Paper, Scope
from ui.exchange import Exchange
from ui.render import (
    NEAREST,
    NEAREST_SHOWN,
    REFUSAL,
    REFUSAL_OF_ONE,
    answer_markdown,
    byline,
    caution_line,
    plain,
    short_title,
    web_address,
)
from ui.summary import Part, Section, listed, sections

EXPORTS = {"bibtex": "BibTeX", "ris": "RIS", "csl": "CSL-JSON"}
_MADE = {"none (quotations)": "quotations only"}
"""What made an answer, where that is to be said in other words."""

_HEADING = 200
"""Characters of a question that its heading shows in full, also on a phone."""

_READABLE = 20
"""Withheld sentences that are listed; a model that goes on is not worth more."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What all exchanges of a page share: the size of the collection, and the years that sources are shown for."""

    papers: int
    years: Scope = Scope()


def text(raw: str) -> str:
    """`raw` as HTML shows it as it stands."""
    return escape(plain(raw))


def _sentence(raw: str) -> str:
    """`raw` as the beginning of a sentence."""
    line = plain(raw)
    return escape(line[:1].upper() + line[1:])


# --- the page -------------------------------------------------------------------------------------------------------


def header(papers: int, notes: Sequence[str] = ()) -> str:
    """The name of the page, and what there is to know of how it answers."""
    lines = "".join(f'<p class="note">{text(note)}</p>' for note in notes)
    facts = f"{_count(papers, 'paper')} · every sentence carries its source"
    return f'<header class="masthead"><h1>Footnote</h1><p>{facts}</p></header>{lines}'


def welcome(examples: Sequence[str], papers: int) -> str:
    """The page before the first question."""
    asks = "".join(f"<li>{_ask_button(question)}</li>" for question in examples)
    tries = f"<h2>Questions that this collection answers</h2><ul>{asks}</ul>" if examples else ""
    return (
        '<section class="welcome"><p class="lead">Ask about the papers of this collection.</p>'
        f"<p>Answers are made from {papers:,} abstracts and from nothing else. What no abstract supports is not said, "
        f"and each number opens the very sentence it stands on.</p>{tries}</section>"
    )


def conversation(exchanges: Iterable[Exchange], setting: Setting) -> str:
    """Exchanges one below the other."""
    return "".join(turn(exchange, setting, past=True) for exchange in exchanges)


def scope_line(only: Paper | None, edits: str | None, remark: str = "", after: int = 0) -> str:
    """What the next question is about or stands in for, each with a way out, and why one was not taken.

    An edit takes the `after` questions that come after its own with it. Empty where there is nothing to say.
    """
    parts = [f'<p class="notice" role="alert">{_sentence(remark)}</p>'] if remark else []
    if edits is not None:
        goes = f", replaces this answer and the {after} after it" if after else ""
        parts.append(_chip(f"Editing{goes}", edits, "keep"))
    if only is not None:
        parts.append(_chip("Only from", only.title, "widen"))
    return f'<div class="scope">{"".join(parts)}</div>' if parts else ""


def _chip(label: str, value: str, leave: str) -> str:
    return (
        f'<p class="chip"><b>{label}</b> <span>{text(value)}</span>'
        f'<button type="button" data-do="{leave}" aria-label="{label}: leave">✕</button></p>'
    )


# --- an exchange ----------------------------------------------------------------------------------------------------


def turn(exchange: Exchange, setting: Setting, *, past: bool = False) -> str:
    """A question with its answer and, beside it, its sources; `past` where others come after it."""
    return (
        f'<article class="turn {exchange.stage}" id="turn-{exchange.number}" data-number="{exchange.number}">'
        f'<div class="said">{_question(exchange)}{_progress(exchange, setting)}{_body(exchange, setting)}</div>'
        f"{_sources(exchange, setting, past)}</article>"
    )


def _question(exchange: Exchange) -> str:
    edit = "" if exchange.under_way else f'<button type="button" data-do="edit" {_number(exchange)}>Edit</button>'
    question = text(exchange.question)
    whole = f' title="{question}"' if len(exchange.question) > _HEADING else ""
    return f'<div class="asked"><h2{whole}>{question}</h2>{edit}</div>'


def _progress(exchange: Exchange, setting: Setting) -> str:
    """What was asked for, what was done, with times, and what is being done."""
    timings, done = exchange.answer.timings, [*_wanted(exchange)]
    searched = _count(1 if exchange.only else setting.papers, "paper")
    if "search_s" in timings:
        done.append(f"searched {searched} in {_seconds(timings['search_s'])}")
    if "evidence_s" in timings and exchange.read:
        done.append(f"read {_count(exchange.read, 'abstract')} in {_seconds(timings['evidence_s'])}")
    if exchange.stage == "finished" and exchange.answer.answered:
        done.append(f"{_seconds(timings['total_s'])} in all" if "total_s" in timings else "")
    doing = {
        "waiting": "waiting for its turn",
        "searching": f"searching {searched}",
        "reading": "reading",
        "writing": "writing",
    }.get(exchange.stage, "")
    steps = [f"<li>{step}</li>" for step in done if step]
    if doing:
        steps.append(f'<li class="doing">{doing} <span class="ticking" aria-hidden="true"></span></li>')
    return f'<div role="status"><ol class="progress">{"".join(steps)}</ol></div>' if steps else ""


def _wanted(exchange: Exchange) -> Iterator[str]:
    """Whatever makes it other than an ordinary question to all papers."""
    years = exchange.years
    if exchange.summary:
        yield "summary"
    if exchange.only:
        yield f"only from {text(short_title(exchange.only))}"
    if years.by_year:
        ends = dict.fromkeys(str(year or "") for year in (years.year_from, years.year_to))
        yield f"only from {'–'.join(ends)}"


def _body(exchange: Exchange, setting: Setting) -> str:
    answer = exchange.answer
    if _refused(exchange):
        return _refusal(exchange, setting) + _after(exchange)
    caution = f'<p class="caution">{text(caution_line(answer.reason))}</p>' if answer.confidence == "caution" else ""
    said = _summed_up(exchange) if answer.themes else _statements(exchange, range(len(answer.statements)))
    statements = f'<div class="statements" aria-live="polite">{said}</div>'
    return (caution if said else "") + statements + _remark(exchange) + _withheld(exchange) + _after(exchange)


def _refused(exchange: Exchange) -> bool:
    return exchange.stage == "finished" and not exchange.answer.answered


def _statements(exchange: Exchange, places: Iterable[int]) -> str:
    return "".join(_statement(exchange, place) for place in places)


def _statement(exchange: Exchange, place: int) -> str:
    statement = exchange.answer.statements[place]
    worded = f"<q>{text(statement.text)}</q>" if statement.support == "quoted" else text(statement.text)
    title = (
        "the paper’s own words" if statement.support == "quoted" else "worded by the model, checked against the paper"
    )
    cites = "".join(_cite(exchange, place, number) for number in statement.citations)
    return f'<p class="statement {statement.support}" title="{title}">{worded}&nbsp;{cites}</p>'


def _cite(exchange: Exchange, place: int, number: int) -> str:
    """The number of a source, leading to its card; `data-marks` names the sentences that back this statement."""
    name = f"cite-{exchange.number}-{place + 1}-{number}"
    return f'<a {_leads(exchange, number, [place])} id="{name}" aria-label="source [{number}]">[{number}]</a>'


def _leads(exchange: Exchange, number: int, places: Iterable[int]) -> str:
    """The attributes of a link to the card of a source, at the sentences that back these statements."""
    paper = next(citation.paper for citation in exchange.answer.citations if citation.number == number)
    marks = " ".join(
        f"mark-{exchange.number}-{number}-{item.sentence.position}"
        for place in places
        for item in exchange.backing[place]
        if item.paper.paper_id == paper.paper_id
    )
    return f'class="cite" href="#source-{exchange.number}-{number}" data-marks="{marks}"'


# --- a summary ------------------------------------------------------------------------------------------------------


def _summed_up(exchange: Exchange) -> str:
    """What is stated, paper by paper under its theme; papers that may disagree face each other."""
    return "".join(_section(exchange, section) for section in sections(exchange.answer))


def _section(exchange: Exchange, section: Section) -> str:
    heading = f"<h3>{text(section.heading)}</h3>" if section.heading else ""
    rows = "".join(_row(exchange, section, row) for row in section.rows)
    return f'<section class="theme">{heading}{rows}</section>'


def _row(exchange: Exchange, section: Section, row: Sequence[Part]) -> str:
    parts = "".join(_part(exchange, part) for part in row)
    if len(row) == 1:
        return parts
    numbers = {part.citation.number for part in row}
    pairs = [listed(pair) for pair in section.opposed if numbers.issuperset(pair)]
    which = f": {'; '.join(pairs)}" if len(pairs) > 1 else ""
    return f'<div class="opposed"><p>These may disagree{which}</p><div class="sides">{parts}</div></div>'


def _part(exchange: Exchange, part: Part) -> str:
    number = part.citation.number
    link = f'<a {_leads(exchange, number, part.places)} id="part-{exchange.number}-{number}">'
    title = f"<h4>{link}{text(short_title(part.citation.paper))}</a></h4>"
    return f'<div class="part">{title}{_statements(exchange, part.places)}</div>'


# --- what follows an answer -----------------------------------------------------------------------------------------


def _remark(exchange: Exchange) -> str:
    """What there is to say of how the answer ended, where it did not end as it should."""
    if exchange.stage == "stopped":
        return _notice("Stopped.", exchange)
    if exchange.stage in ("failed", "busy"):
        return _notice(f"{_sentence(exchange.problem).rstrip('.')}.", exchange)
    if exchange.stage == "finished" and exchange.answer.confidence == "answer" and exchange.answer.reason:
        return f'<p class="remark">{_sentence(exchange.answer.reason)}</p>'
    return ""


def _notice(line: str, exchange: Exchange) -> str:
    role = ' role="alert"' if exchange.stage == "failed" else ""
    retry = f'<button type="button" class="primary" data-do="retry" {_number(exchange)}>Try again</button>'
    return f'<p class="notice"{role}>{line} {retry}</p>'


def _refusal(exchange: Exchange, setting: Setting) -> str:
    """No answer: why, and what comes nearest."""
    why = _sentence((exchange.answer.reason or "").removeprefix(NO_ANSWER))
    beside = _beside(exchange.answer, setting.years)[:NEAREST_SHOWN]
    nearest = "".join(f"<li>{_nearest(exchange, rank, hit.paper)}</li>" for rank, hit in beside)
    listing = f"<h3>{NEAREST}</h3><ul>{nearest}</ul>" if nearest and not exchange.only else ""
    return f'<div class="refusal"><p><b>{_refusal_of(exchange)}.</b> {why}</p>{listing}</div>'


def _refusal_of(exchange: Exchange) -> str:
    return REFUSAL_OF_ONE if exchange.only else REFUSAL


def _nearest(exchange: Exchange, rank: int, paper: Paper) -> str:
    """A title that leads to its card, as a citation does; no sentence of it is meant."""
    place = f"{exchange.number}-{rank}"
    return f'<a class="cite" href="#found-{place}" data-marks="" id="nearest-{place}">{text(paper.title)}</a>'


def _withheld(exchange: Exchange) -> str:
    """The written sentences that failed the check, closed until somebody wants to see them."""
    if not exchange.withheld:
        return ""
    count = len(exchange.withheld)
    sentences = "sentence" if count == 1 else "sentences"
    items = "".join(f"<li>{text(each.text)} <i>{text(each.reason)}</i></li>" for each in exchange.withheld[:_READABLE])
    summary = f"{count} {sentences} of the model withheld"
    name = f"withheld-{exchange.number}"
    return f'<details class="withheld" id="{name}"><summary>{summary}</summary><ul>{items}</ul></details>'


def _after(exchange: Exchange) -> str:
    """What can be done with an answer, and asked after it."""
    if exchange.under_way:
        return ""
    markdown = answer_markdown(exchange.answer, _refusal_of(exchange))
    tools = [_tool("copy", "Copy", f'data-markdown="{escape(markdown)}"')]
    if exchange.answer.citations:
        papers = " ".join(quote(citation.paper.paper_id) for citation in exchange.answer.citations)
        tools += [
            _tool("export", label, f'data-format="{name}" data-papers="{papers}" aria-label="Export as {label}"')
            for name, label in EXPORTS.items()
        ]
    if exchange.stage == "finished":
        tools.append(_tool("retry", "Ask again", _number(exchange)))
    generator = exchange.answer.generator
    made = f'<span class="made">{text(_MADE.get(generator, generator))}</span>' if generator else ""
    bar = f'<div class="tools">{"".join(tools)}{made}</div>' if exchange.said_something else ""
    return bar + _follow_ups(exchange.follow_ups)


def _follow_ups(questions: Sequence[str]) -> str:
    if not questions:
        return ""
    asks = "".join(f"<li>{_ask_button(question)}</li>" for question in questions)
    return f'<div class="follow-ups"><h3>Ask next</h3><ul>{asks}</ul></div>'


def _tool(what: str, label: str, attributes: str) -> str:
    return f'<button type="button" data-do="{what}" {attributes}>{label}</button>'


def _ask_button(question: str) -> str:
    return f'<button type="button" class="ask" data-do="ask" data-question="{text(question)}">{text(question)}</button>'


def _number(exchange: Exchange) -> str:
    return f'data-number="{exchange.number}"'


def _seconds(seconds: float) -> str:
    return f"<time>{seconds:.1f} s</time>" if seconds >= 0.1 else f"<time>{1000 * seconds:.0f} ms</time>"


# --- sources --------------------------------------------------------------------------------------------------------


def _sources(exchange: Exchange, setting: Setting, past: bool) -> str:
    """The cited papers, then what else was found, by rank: open where it is all that the last answer has to show."""
    answer = exchange.answer
    cited = "".join(_cited(exchange, citation) for citation in answer.citations)
    beside = _beside(answer, setting.years)
    if not cited and not beside:
        return '<aside class="sources"></aside>'
    opened = _refused(exchange) and not past
    also = "" if exchange.under_way or not beside else _also_found(exchange, beside, opened)
    heading = f"<h3>Sources</h3><ol>{cited}</ol>" if cited else ""
    return f'<aside class="sources" aria-label="Sources of answer {exchange.number}">{heading}{also}</aside>'


def _cited(exchange: Exchange, citation: Citation) -> str:
    name = f"{exchange.number}-{citation.number}"
    return card(
        citation.paper,
        f'<span class="number">[{citation.number}]</span> ',
        name=f"source-{name}",
        evidence=citation.evidence,
        mark=f"mark-{name}",
    )


def _beside(answer: Answer, years: Scope) -> list[tuple[int, Hit]]:
    cited = {citation.paper.paper_id for citation in answer.citations}
    ranked = enumerate(answer.hits, 1)
    return [(rank, hit) for rank, hit in ranked if hit.paper.paper_id not in cited and years.holds(hit.paper)]


def _also_found(exchange: Exchange, beside: Sequence[tuple[int, Hit]], opened: bool) -> str:
    cards = "".join(
        card(hit.paper, f'<span class="number">{rank}.</span> ', name=f"found-{exchange.number}-{rank}")
        for rank, hit in beside
    )
    name = f"found-{exchange.number}"
    what = "Also found" if exchange.answer.citations else "Found"
    attributes = f'class="also" id="{name}"{" open" if opened else ""}'
    return f"<details {attributes}><summary>{what} ({len(beside)})</summary><ol>{cards}</ol></details>"


def card(
    paper: Paper, lead: str = "", *, name: str = "", evidence: Collection[Evidence] = (), mark: str = "mark"
) -> str:
    """A paper: title, what else is known, the abstract to be opened, with the evidence marked where it stands."""
    details = f'<p class="byline">{text(byline(paper))}</p>' if byline(paper) else ""
    opens = "Abstract" if not evidence else f"Abstract, {_count(len(evidence), 'sentence')} marked"
    identity = f' id="{name}" tabindex="-1"' if name else ""
    toggles = f' id="{name}-abstract"' if name else ""
    only = (
        f'<button type="button" data-do="only" data-paper="{quote(paper.paper_id)}">Ask about this paper only</button>'
    )
    return (
        f'<li class="card"{identity}><p class="title">{lead}{_title(paper)}</p>{details}'
        f'<details{toggles}><summary>{opens}</summary><p class="abstract">{abstract(paper, evidence, mark)}</p>'
        f'<p class="tools">{only}<button type="button" data-do="back">Back to the answer</button></p>'
        "</details></li>"
    )


def abstract(paper: Paper, evidence: Iterable[Evidence], mark: str) -> str:
    """The abstract with its evidence sentences marked, each under the id `mark` with its position.

    It is escaped as it is: it was normalised when it was read, and the offsets hold for it as stored.
    """
    spans = {item.sentence.start: item.sentence for item in evidence}
    cuts = sorted({0, len(paper.abstract), *spans, *(sentence.end for sentence in spans.values())})
    pieces = []
    for start, end in pairwise(cuts):
        piece = escape(paper.abstract[start:end])
        sentence = spans.get(start)
        pieces.append(f'<mark id="{mark}-{sentence.position}">{piece}</mark>' if sentence else piece)
    return "".join(pieces)


def _title(paper: Paper) -> str:
    address = web_address(paper.url) or (f"https://doi.org/{quote(paper.doi)}" if paper.doi else "")
    title = text(paper.title)
    if not address:
        return title
    return f'<a href="{escape(address)}" target="_blank" rel="noopener noreferrer">{title}</a>'


# --- the collection -------------------------------------------------------------------------------------------------


def collection(papers: Sequence[Paper], found: int, total: int) -> str:
    """The first `len(papers)` of `found` papers out of `total`, to be browsed."""
    which = f"{_count(total, 'paper')}" if found == total else f"{found:,} of {_count(total, 'paper')}"
    shown = f", the first {len(papers):,} shown" if len(papers) < found else ""
    cards = "".join(card(paper) for paper in papers)
    return f'<section class="collection"><p role="status">{which}{shown}</p><ol>{cards}</ol></section>'


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
