"""RIS in and out."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.papers import read_papers
from rag.papers.reading import Draft
from rag.papers.ris import read, write
from rag.records import Paper

ABSTRACT = "We count trees. The count is right."


def told(text: str) -> list[str | int | None]:
    return [item.title if isinstance(item, Draft) else item.line for item in read(text, Path("a.ris"))]


def record(title: str) -> str:
    return f"TY  - JOUR\nTI  - {title}\nAB  - {ABSTRACT}\nER  - \n"


def test_a_record(tmp_path: Path) -> None:
    path = tmp_path / "a.ris"
    path.write_text(
        "1.\nTY  - JOUR\nID  - K1\nT1  - Trees,\n counted\nA1  - Author, Anna\nAU  - Writer, Bo\nY1  - 2020/05/01\n"
        f"N2  - {ABSTRACT}\nT2  - J. Trees\nDO  - 10.5555/1\nUR  - https://example.org/1\nXX  - odd\nER  - \n"
    )
    assert read_papers([path], strict=True).papers == (
        Paper(
            paper_id="doi:10.5555/1",
            title="Trees, counted",
            abstract=ABSTRACT,
            authors=("Anna Author", "Bo Writer"),
            year=2020,
            venue="J. Trees",
            url="https://example.org/1",
            doi="10.5555/1",
            source=str(path),
            aliases=("K1",),
        ),
    )


@pytest.mark.parametrize("tag", ["AB", "N2"])
def test_an_abstract_of_several_lines_with_tags_is_kept_whole(tag: str) -> None:
    lines = [
        "TY  - JOUR",
        f"{tag}  - BACKGROUND: Trees.",
        "TI  - T",
        f"{tag}  - METHODS: Counting",
        "them.",
        "PY  - 2020",
    ]
    [draft] = read("\n".join(lines), Path("a.ris"))
    assert isinstance(draft, Draft)
    assert (draft.abstract, draft.title, draft.year) == ("BACKGROUND: Trees. METHODS: Counting them.", "T", "2020")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (record("One") + "\n" + record("Two"), ["One", "Two"]),
        (record("One").replace("ER  - \n", "") + record("Two"), ["One", "Two"]),
        (record("One") + f"TI  - Lost\nAB  - {ABSTRACT}\nER  - \n" + record("Two"), ["One", 5, "Two"]),
        ("TY  - JOUR\nno tag at all\nTI  - Bad\nER  - \n" + record("Two"), ["Bad", "Two"]),
        (record("One").replace("  - ", " - ") + record("Two"), ["One", "Two"]),
        (record("One") + "TY  - JOUR\nTI  - Cut sh", ["One", "Cut sh"]),
        ("noise\n" + record("One") + "ER  - \nER  - \n", ["One"]),
    ],
    ids=["two", "no-end", "no-start", "untagged-line", "one-space", "truncated", "noise"],
)
def test_a_broken_record_costs_itself(text: str, expected: list[str | int]) -> None:
    assert told(text) == expected


def test_what_is_written_reads_back(tmp_path: Path) -> None:
    paper = Paper(
        "mine", "T: 50% & {x}", ABSTRACT, ("Anna Author",), 2020, "J. Trees", "https://example.org/1", "10.5555/1"
    )
    path = tmp_path / "a.ris"
    path.write_text(write([paper, Paper("other", "Bare", ABSTRACT * 2)]))
    full, bare = read_papers([path], strict=True).papers
    assert (full.title, full.authors, full.year, full.venue, full.url, full.doi) == (
        paper.title,
        paper.authors,
        2020,
        paper.venue,
        paper.url,
        paper.doi,
    )
    assert (full.aliases, bare.aliases) == (("mine",), ("other",))


def test_nothing_is_written_as_nothing() -> None:
    assert write([]) == ""
