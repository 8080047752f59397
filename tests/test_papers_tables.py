"""CSV, TSV and their kin: columns by name, broken rows cost themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.papers import read_papers
from rag.papers.reading import Draft
from rag.papers.tables import read, recognises

A = "We count trees."


def told(text: str) -> list[str | int | None]:
    return [item.title if isinstance(item, Draft) else item.line for item in read(text, Path("a.csv"))]


def test_columns_are_found_by_name(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text(
        '"Key","Author","Publication Year","Abstract Note","TITLE","DOI","Url","Publication Title"\n'
        f'K1,"Author, Anna; Writer, Bo",2020-05-01,{A},"Trees, counted",10.5555/1,https://example.org/1,J. Trees\n'
    )
    paper = read_papers([path], strict=True).papers[0]
    assert (paper.title, paper.authors, paper.year) == ("Trees, counted", ("Anna Author", "Bo Writer"), 2020)
    assert (paper.paper_id, paper.aliases) == ("doi:10.5555/1", ("K1",))
    assert (paper.url, paper.venue) == ("https://example.org/1", "J. Trees")


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"], ids=["comma", "tab", "semicolon", "bar"])
def test_delimiters(delimiter: str) -> None:
    drafts = list(read(f"Title{delimiter}Abstract\n\nOne{delimiter}{A}\n", Path("a")))
    assert drafts == [Draft(3, "One", A, (), "", aliases=[""])]


@pytest.mark.parametrize("above", ["sep=;", '"About the data: Exported on Jan 05, 2024. Criteria: x"'])
def test_a_line_above_the_header_is_passed_over(above: str) -> None:
    assert list(read(f"{above}\nTitle;Abstract;PubYear\nOne;{A};2020\n", Path("a"))) == [
        Draft(3, "One", A, (), "2020", aliases=[""])
    ]


def test_the_columns_of_web_of_science(tmp_path: Path) -> None:
    path = tmp_path / "savedrecs.txt"
    path.write_text(
        "\ufeffPT\tAU\tAF\tTI\tSO\tAB\tPY\tDI\tUT\n"
        f"J\tAuthor, A; Writer, B\tAuthor, Anna; Writer, Bo\tTrees\tJ TREES\t{A}\t2020\t10.5555/1\tWOS:1\n"
    )
    paper = read_papers([path], strict=True).papers[0]
    assert (paper.title, paper.authors, paper.year) == ("Trees", ("Anna Author", "Bo Writer"), 2020)
    assert (paper.venue, paper.paper_id, paper.aliases) == ("J TREES", "doi:10.5555/1", ("WOS:1",))


def test_lines_are_counted_over_quoted_newlines() -> None:
    text = f'title,abstract\nOne,"{A}\nMore\n\nof it."\nTwo,{A}\n'
    assert [(item.line, item.abstract) for item in read(text, Path("a")) if isinstance(item, Draft)] == [
        (2, f"{A}\nMore\n\nof it."),
        (6, A),
    ]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (f"One,{A}\nTwo,x,y,z\nThree,{A}\n", ["One", 3, "Three"]),
        (f'"One,{A}\n"Two","{A}"\nThree,{A}\n', [2, "Two", "Three"]),
        (f'One,{A}\nTwo,"{A}\nThree,{A}', ["One", "Two", "Three"]),
        (f'"a "bare" quote","{A}"\nTwo,{A}\n', ['a bare" quote"', "Two"]),
        (f"One\nTwo,{A}\n", ["One", "Two"]),
    ],
    ids=["too-many-cells", "open-quote", "open-quote-at-the-end", "bare-quote", "too-few-cells"],
)
def test_a_broken_row_costs_itself(rows: str, expected: list[str | int]) -> None:
    assert told(f"title,abstract\n{rows}") == expected


def test_a_huge_cell_is_read() -> None:
    assert told(f"title,abstract\nOne,{'word ' * 100_000}\n") == ["One"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Title,Abstract\n", True), ("title,size\n", False), ("abstract\n", False), ("\n\n", False), ('"x\n', False)],
    ids=["both", "no-abstract", "no-title", "blank", "open-quote"],
)
def test_recognises(text: str, expected: bool) -> None:
    assert recognises(text, Path("a.csv")) is expected
    assert expected or list(read(text, Path("a.csv"))) == []
