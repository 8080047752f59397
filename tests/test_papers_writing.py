"""Papers become files, and those that can be read again give the same papers."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from rag.errors import BadInput
from rag.papers import FORMATS, authors, bundled, read_papers, write_papers
from rag.records import Paper

RECORDS = Path(__file__).parent / "data" / "records.jsonl"


@pytest.mark.parametrize("format_name", ["bibtex", "csl", "jsonl", "ris"])
@pytest.mark.parametrize("source", [RECORDS, bundled()], ids=["records", "shipped"])
def test_a_written_collection_reads_back(tmp_path: Path, format_name: str, source: Path) -> None:
    papers = read_papers([source]).papers
    path = tmp_path / "export"
    path.write_text(write_papers(papers, format_name), encoding="utf-8")
    again = read_papers([path], strict=True).papers
    assert [(p.paper_id, p.title, p.abstract) for p in again] == [(p.paper_id, p.title, p.abstract) for p in papers]
    assert [(p.authors, p.year, p.venue, p.url, p.doi) for p in again] == [
        (p.authors, p.year, p.venue, p.url, p.doi) for p in papers
    ]


def test_json_lines_keep_ids_and_aliases(tmp_path: Path) -> None:
    paper = Paper("mine", "T", "We count trees.", aliases=("a", "arxiv:2301.00001"))
    (tmp_path / "a.jsonl").write_text(write_papers([paper], "jsonl"))
    again = read_papers([tmp_path / "a.jsonl"], strict=True).papers[0]
    assert (again.paper_id, again.aliases) == (paper.paper_id, paper.aliases)


def test_markdown_is_a_numbered_list_that_cannot_be_broken_out_of() -> None:
    full = Paper("a", "Trees [1] *x* <b>", "x", ("A_B",), 2020, "J.", "https://example.org/a)b")
    doi = Paper("b", "Doi", "x", tuple(f"N{n}" for n in range(8)), doi="10.5555/1")
    assert write_papers([full, doi, Paper("c", "Bare", "x")], "markdown").split("\n") == [
        r"1. A\_B (2020) [Trees \[1\] \*x\* \<b\>](<https://example.org/a)b>). J..",
        "2. N0, N1, N2, N3, N4, N5, et al. [Doi](<https://doi.org/10.5555/1>).",
        "3. *Bare*.",
        "",
    ]


def test_csl_is_what_citation_processors_take() -> None:
    papers = read_papers([RECORDS]).papers[:1]
    item = json.loads(write_papers(papers, "csl"))[0]
    assert item["issued"] == {"date-parts": [[2016]]}
    assert item["author"][0] == {"literal": "A. Author"}


@pytest.mark.parametrize("format_name", sorted(FORMATS))
def test_no_papers_are_no_error(format_name: str) -> None:
    assert write_papers([], format_name).strip() in ("", "[]")


def test_an_unknown_format_names_the_known_ones() -> None:
    with pytest.raises(BadInput, match="'word': choose one of bibtex, csl, jsonl, markdown, ris"):
        write_papers([], "word")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A. Author, B. Author and C. Author", ("A. Author", "B. Author", "C. Author")),
        ("A. Author, B. Author, and C. Author", ("A. Author", "B. Author", "C. Author")),
        ("A. Author and B. Author", ("A. Author", "B. Author")),
        ("Author, Anna; Writer, Bo", ("Anna Author", "Bo Writer")),
        ("Author, Anna and Writer, Bo", ("Anna Author", "Bo Writer")),
        ("Author, Anna", ("Anna Author",)),
        ("Anna Author, Bo Writer", ("Anna Author", "Bo Writer")),
        ("Author, Jr., Anna;", ("Anna Author Jr.",)),
        ("King, Martin Luther, Jr.; Doe, Jane", ("Martin Luther King Jr.", "Jane Doe")),
        ("King, Martin Luther, Jr.", ("Martin Luther King Jr.",)),
        ("Martin Luther King, Jr., Jane Doe", ("Martin Luther King Jr.", "Jane Doe")),
        ("Smith, J., Doe, A.B., Roe, C.", ("J. Smith", "A.B. Doe", "C. Roe")),
        ("Smith, J., Doe, J.-P., & Roe, C.", ("J. Smith", "J.-P. Doe", "C. Roe")),
        ("Anna Author, NASA", ("Anna Author", "NASA")),
        ("van der Berg, Anna", ("Anna van der Berg",)),
        ("Anna Author (MIT, Cambridge), Bo Writer (ETH)", ("Anna Author", "Bo Writer")),
        ("Paul A. (1), Bo B. (3, 4) ((1) Leiden, (2) MIT)", ("Paul A.", "Bo B.")),
        ("Smith, John (57200000001); van der Berg, Anna (57200000002)", ("John Smith", "Anna van der Berg")),
        ("['Anna Author', \"Bo D'Arcy\"]", ("Anna Author", "Bo D'Arcy")),
        ("[]", ()),
        ("", ()),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_lists_of_names(text: str, expected: tuple[str, ...]) -> None:
    assert authors.from_list(text) == expected


@pytest.mark.parametrize("flood", ["(", "((", "()", "\\'", "'", ",", "Jr.,", "A.,", "{", " and "])
def test_a_flood_takes_bounded_time(flood: str) -> None:
    begun = time.perf_counter()
    authors.from_list(f"[{flood * 50_000}]")
    authors.from_list(flood * 50_000)
    authors.from_bibtex(flood * 50_000)
    assert time.perf_counter() - begun < 5
