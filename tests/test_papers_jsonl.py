"""JSON lines and arrays: own records, the arXiv snapshot, BEIR, CSL; broken lines cost themselves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rag.papers import read_papers
from rag.papers.jsonl import read
from rag.papers.reading import Draft, Problem
from rag.records import Paper

ABSTRACT = "We count trees. The count is right."


def paper_of(tmp_path: Path, entry: object) -> Paper:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(entry))
    return read_papers([path], strict=True).papers[0]


def told(text: str) -> list[str | int | None]:
    return [item.title if isinstance(item, Draft) else item.line for item in read(text, Path("a.jsonl"))]


def test_own_records_keep_their_id_and_aliases(tmp_path: Path) -> None:
    entry = {"paper_id": "mine-1", "title": "T", "abstract": ABSTRACT, "aliases": ["x"], "doi": "10.5555/1"}
    paper = paper_of(tmp_path, entry)
    assert (paper.paper_id, paper.aliases) == ("mine-1", ("doi:10.5555/1", "x"))


def test_an_unusable_id_is_not_taken(tmp_path: Path) -> None:
    paper = paper_of(tmp_path, {"paper_id": "x" * 200, "title": "T", "abstract": ABSTRACT})
    assert paper.paper_id.startswith("t-")


def test_the_arxiv_snapshot(tmp_path: Path) -> None:
    entry = {
        "id": "0704.0001",
        "title": "Counting\n  trees",
        "abstract": f"  {ABSTRACT}\n",
        "authors": "A. Author, B. Author and C. Author",
        "journal-ref": "J. Trees 1",
        "doi": None,
        "categories": "cs.CV",
        "versions": [{"version": "v1", "created": "Mon, 2 Apr 2007 19:18:42 GMT"}],
        "update_date": "2008-11-26",
    }
    assert paper_of(tmp_path, entry) == Paper(
        paper_id="arxiv:0704.0001",
        title="Counting trees",
        abstract=ABSTRACT,
        authors=("A. Author", "B. Author", "C. Author"),
        year=2007,
        venue="J. Trees 1",
        url="https://arxiv.org/abs/0704.0001",
        source=str(tmp_path / "a.jsonl"),
    )


@pytest.mark.parametrize(
    ("fields", "year", "authors"),
    [
        ({"update_date": "2008-11-26", "authors_parsed": [["Author", "A.", ""]]}, 2008, ("A. Author",)),
        (
            {"issued": {"date-parts": [[2021, 3]]}, "author": [{"family": "Author", "given": "A."}]},
            2021,
            ("A. Author",),
        ),
        ({"author": [{"literal": "A. Author"}], "issued": {"date-parts": [[]]}}, None, ("A. Author",)),
        ({"year": "2019", "authors": [{"name": "A. Author"}, 7]}, 2019, ("A. Author",)),
        ({"year": {"x": 1}, "authors": {"x": 1}, "versions": "v1"}, None, ()),
        ({"year": None, "authors": 5, "versions": [[]], "issued": 3}, None, ()),
        (
            {"authors": "A. Author, Jr (1) ((1) Leiden)", "authors_parsed": [["Author", "A.", "Jr", "Leiden", "MIT"]]},
            None,
            ("A. Author Jr",),
        ),
        (
            {"authors": "A. Author (1), {\\L}. Writer (2, 3) ((1) Leiden, (2) MIT)", "authors_parsed": "x"},
            None,
            ("A. Author", "Ł. Writer"),
        ),
    ],
    ids=["update-date", "csl", "csl-literal", "names", "wrong-types", "other-wrong-types", "parsed", "affiliations"],
)
def test_years_and_authors(
    tmp_path: Path, fields: dict[str, object], year: int | None, authors: tuple[str, ...]
) -> None:
    paper = paper_of(tmp_path, {"title": "T", "abstract": ABSTRACT, **fields})
    assert (paper.year, paper.authors) == (year, authors)


def test_beir_lines(tmp_path: Path) -> None:
    paper = paper_of(tmp_path, {"_id": "4983", "title": "T", "text": ABSTRACT, "metadata": {}})
    assert (paper.abstract, paper.aliases) == (ABSTRACT, ("4983",))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"title": "a"}\n{"title": "b"\n\n{"title": "c"}\n{"tit', ["a", 2, "c", 5]),
        ('{"title": "a"}\n[1]\n"x"\n7\nnull\n', ["a", 2, 3, 4, 5]),
        ('[{"title": "a"},\n {"title": "b"}]', ["a", "b"]),
        ('[{"title": "a"},\n {"title": "b}\n]', ["a", 2]),
        ('[{"title": "a"},\n {"title": oops},\n {"title": "c"}]', ["a", 2, "c"]),
        ('{\n "title": "a"\n}\n{\n "title": "b"\n}', ["a", "b"]),
        ('{"title": "a\u2028b"}', ["a\u2028b"]),
        ('{"title": 1' + "0" * 5000 + "}", [1]),
        ('{"a": ' + "[" * 100_000, [1]),
    ],
    ids=["lines", "not-objects", "array", "truncated", "broken-element", "pretty", "separator", "digits", "depth"],
)
def test_what_is_broken_costs_itself(text: str, expected: list[str | int]) -> None:
    assert told(text) == expected


def test_wrong_types_count_as_absent(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    lines = [
        {"title": 5, "abstract": ABSTRACT},
        {"title": "T", "abstract": ["x"]},
        {"title": "U", "abstract": ABSTRACT},
    ]
    path.write_text("\n".join(map(json.dumps, lines)))
    reading = read_papers([path])
    assert [paper.title for paper in reading.papers] == ["U"]
    assert [problem.reason for problem in reading.problems] == ["no title: skipped", "no abstract: skipped"]


def test_a_problem_says_what_it_is() -> None:
    assert list(read('{"a": 1}\nx', Path("a.jsonl")))[1] == Problem(Path("a.jsonl"), 2, "not valid JSON: skipped")
