r"""BibTeX, in and out; the only door to bibtexparser.

    @article{author2020deep,
      title = {Deep {BERT} Models},
      author = {Author, Anna and Writer, Bo},
      year = 2020,
      abstract = {We show that 5\% suffice.},
    }

The citation key is only ever an alias: it is the person's name for the paper, and changes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rag.papers import authors, identifiers
from rag.papers.reading import Draft, Problem
from rag.records import Paper
from rag.text import STOP_WORDS

_ANY_BLOCK = re.compile(r"^[ \t]*@[A-Za-z]{1,40}\s*[{(]", re.MULTILINE)
_FIRST_ENTRY = re.compile(r"@[A-Za-z]{1,40}\s{0,9}\{\s{0,9}[^\s,{}()=]{0,200}\s{0,9}[,=]")
_ESCAPES = {
    **{sign: "\\" + sign for sign in "{}%&#_$"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}


def recognises(text: str, path: Path) -> bool:
    """Whether an entry comes first, after comments; in a `.bib` file anything may stand before it."""
    if path.suffix.lower() == ".bib":
        return _ANY_BLOCK.search(text) is not None
    lines = (line.strip() for line in text[:20_000].split("\n"))
    return _FIRST_ENTRY.match("\n".join(line for line in lines if line and line[0] != "%")) is not None


def read(text: str, path: Path) -> Iterator[Draft | Problem]:
    """The entries in order, and a problem for each block that is broken; the blocks beside it are read."""
    for block in _library(text).blocks:
        line = (block.start_line or 0) + 1
        kind = type(block).__name__
        if kind == "Entry":
            yield _draft(block.key, {field.key: field.value for field in block.fields}, line)
        elif kind.startswith("Duplicate") and type(block.ignore_error_block).__name__ == "Entry":
            entry = block.ignore_error_block  # given as it stands in the file, delimiters included
            fields = {field.key: _bare(field.value) for field in reversed(entry.fields)}
            yield _draft(entry.key, fields, line)
        elif kind.endswith("FailedBlock") or kind.startswith("Duplicate"):
            yield Problem(path, line, f"not valid BibTeX ({_reason(block)}): skipped")


def write(papers: Sequence[Paper]) -> str:
    """The papers as BibTeX that `read` turns into papers of the same text; keys are unique and readable."""
    taken: set[str] = set()
    return "\n".join(_entry(paper, _key(paper, taken)) for paper in papers)


def _library(text: str) -> Any:
    import logging

    import bibtexparser

    # It logs every block it cannot read; each is told as a problem here, so once is enough.
    logging.getLogger("bibtexparser").addHandler(logging.NullHandler())
    logging.getLogger("bibtexparser").propagate = False
    return bibtexparser.parse_string(text)


def _reason(block: Any) -> str:
    first = str(getattr(block.error, "abort_reason", block.error)).split("\n")[0]
    return first.rstrip(". ")[:200]


def _bare(value: object) -> str:
    text = str(value).strip()
    return text[1:-1] if text[:1] + text[-1:] in ("{}", '""') and len(text) > 1 else text


def _draft(key: str, given: Mapping[str, object], line: int) -> Draft:
    fields = {name.casefold(): str(value) for name, value in given.items()}

    def field(*names: str) -> str:
        return next((fields[name] for name in names if fields.get(name, "").strip()), "")

    arxiv = field("eprint") if "arxiv" in field("archiveprefix", "eprinttype", "eprint").casefold() else ""
    return Draft(
        line=line,
        title=field("title"),
        abstract=field("abstract"),
        authors=authors.from_bibtex(field("author")),
        year=field("year", "date"),
        venue=field("journal", "booktitle", "journaltitle", "school", "publisher"),
        url=_unescaped(field("url", "howpublished")),
        doi=_unescaped(field("doi")),
        arxiv=arxiv or field("arxiv", "arxivid"),
        aliases=[key.strip()],
        braces=True,
    )


def _unescaped(text: str) -> str:
    """A link as it is: BibTeX programs escape signs in it, and wrap it in a command."""
    wrapped = re.fullmatch(r"\s*\\url\{([^{}]*)\}\s*", text)
    return re.sub(r"\\([%&#_${}~])", r"\1", wrapped.group(1) if wrapped else text)


def _entry(paper: Paper, key: str) -> str:
    arxiv = next((name[6:] for name in (paper.paper_id, *paper.aliases) if name.startswith("arxiv:")), "")
    fields = {
        "title": _braced(paper.title),
        "author": " and ".join(_author(name) for name in paper.authors),
        "year": str(paper.year or ""),
        "journal": _escaped(paper.venue),
        "doi": paper.doi,
        "eprint": arxiv,
        "archiveprefix": "arXiv" if arxiv else "",
        "url": paper.url,
        "abstract": _escaped(paper.abstract),
    }
    lines = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items() if value)
    return f"@{'article' if paper.venue else 'misc'}{{{key},\n{lines}}}\n"


def _escaped(text: str) -> str:
    return "".join(_ESCAPES.get(character, character) for character in text)


def _braced(title: str) -> str:
    """The title, escaped, with words that hold a capital after their first letter kept from being lowered."""
    words = (_escaped(word) for word in title.split(" "))
    return " ".join(f"{{{word}}}" if re.search(r".[A-Z]", word) else word for word in words)


def _author(name: str) -> str:
    whole = "," in name or " and " in name.casefold()
    return f"{{{_escaped(name)}}}" if whole else _escaped(name)


def _key(paper: Paper, taken: set[str]) -> str:
    """Family name, year and first telling word of the title: "author2020deep", then "author2020deepb"."""
    words = re.findall(r"[a-z0-9]+", _ascii(paper.title).lower())
    word = next((word for word in words if word not in STOP_WORDS), "paper")
    name = re.sub(r"[^a-z0-9]", "", _ascii(authors.family(paper.authors[0])).lower()) if paper.authors else ""
    stem = f"{name}{paper.year or ''}{word}" if name else identifiers.of_title(paper.title)
    key, number = stem, 2
    while key in taken:
        key, number = f"{stem}-{number}", number + 1
    taken.add(key)
    return key


def _ascii(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
