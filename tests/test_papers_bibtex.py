"""BibTeX in and out."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from rag.papers import read_papers
from rag.papers.bibtex import read, recognises, write
from rag.papers.reading import Draft, Problem
from rag.records import Paper

ABSTRACT = "We count trees. The count is right."


def read_one(tmp_path: Path, text: str) -> Paper:
    path = tmp_path / "refs.bib"
    path.write_text(text)
    return read_papers([path], strict=True).papers[0]


def told(text: str) -> list[str | int | None]:
    return [item.title if isinstance(item, Draft) else item.line for item in read(text, Path("refs.bib"))]


def test_an_entry(tmp_path: Path) -> None:
    paper = read_one(
        tmp_path,
        r"""@string{jt = "J. Trees"}
        @article{author2020trees,
          title = {Counting {\"U}rban {TREES} of $\alpha$},
          author = "Author, Anna and Bo Writer and {The Trees and Forests Group} and others",
          journal = jt, year = 2020, month = jan,
          url = {https://example.org/a\_b}, doi = {10.5555/1},
          abstract = {We count. It is right in 5\% of
             all cases.},
        }""",
    )
    assert paper == Paper(
        paper_id="doi:10.5555/1",
        title="Counting Ürban TREES of α",
        abstract="We count. It is right in 5% of all cases.",
        authors=("Anna Author", "Bo Writer", "The Trees and Forests Group"),
        year=2020,
        venue="J. Trees",
        url="https://example.org/a_b",
        doi="10.5555/1",
        source=str(tmp_path / "refs.bib"),
        aliases=("author2020trees",),
    )


def test_an_arxiv_entry(tmp_path: Path) -> None:
    fields = "eprint = {2301.00001v2}, archivePrefix = {arXiv}, date = {2023-01-02}"
    paper = read_one(tmp_path, f"@misc{{k, title = {{T}}, abstract = {{{ABSTRACT}}}, {fields}}}")
    assert (paper.paper_id, paper.url, paper.year) == ("arxiv:2301.00001", "https://arxiv.org/abs/2301.00001", 2023)


@pytest.mark.parametrize(
    ("author", "expected"),
    [
        ("{Vaswani}, Ashish and {van der Berg}, Anna", ("Ashish Vaswani", "Anna van der Berg")),
        (r"{\"{O}}zt{\"{u}}rk, Ali", ("Ali Öztürk",)),
        ("{van der Berg, Anna}", ("van der Berg, Anna",)),
        ("{WHO, Geneva} and {The Trees and Forests Group}", ("WHO, Geneva", "The Trees and Forests Group")),
        ("King, Jr., Martin Luther and King, Martin Luther, III", ("Martin Luther King Jr.", "Martin Luther King III")),
    ],
    ids=["family-name", "accents", "whole-name", "bodies", "suffix"],
)
def test_a_comma_turns_a_name_round_outside_braces_only(tmp_path: Path, author: str, expected: tuple[str, ...]) -> None:
    fields = f"title = {{T}}, author = {{{author}}}, abstract = {{{ABSTRACT}}}"
    assert read_one(tmp_path, f"@misc{{k, {fields}}}").authors == expected


def test_a_private_note_is_no_abstract(tmp_path: Path) -> None:
    path = tmp_path / "refs.bib"
    path.write_text("@misc{k, title = {T}, annote = {TODO: the proof in section 3 is wrong.}}")
    reading = read_papers([path])
    assert reading.papers == ()
    assert [problem.reason for problem in reading.problems] == ["no abstract: skipped"]


GOOD = f"@misc{{g, title = {{Good}}, abstract = {{{ABSTRACT}}}}}\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{GOOD}@misc{{a, title = {{Unclosed {{ brace}},\n year = 2020\n{GOOD}", ["Good", 2, "Good"]),
        (f"@misc{{a title = {{No comma}}}}\n{GOOD}", [1, "Good"]),
        (f"{GOOD}@misc{{b, title = {{Cut short", ["Good", 2]),
        (f"{GOOD}{GOOD.replace('Good', 'Same key')}", ["Good", "Same key"]),
        (f'@misc{{d, title = {{One}}, title = "Two"}}\n{GOOD}', ["One", "Good"]),
        (f'Anything\n@comment{{x}}\n@preamble{{"x"}}\n% note\n{GOOD}', ["Good"]),
    ],
    ids=["unclosed-brace", "no-comma", "truncated", "same-key", "same-field", "comments"],
)
def test_a_broken_block_costs_itself(text: str, expected: list[str | int]) -> None:
    found = told(text)
    assert [item for item in found if item in ("Good", "Same key", "One")] == [
        item for item in expected if isinstance(item, str)
    ]
    assert [item for item in found if isinstance(item, int)] == [item for item in expected if isinstance(item, int)]


class Listener(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(record.getMessage())


def test_a_broken_block_is_told_once_and_in_one_line() -> None:
    listener = Listener()
    logging.getLogger().addHandler(listener)
    problem = next(iter(read("@misc{a title = {x}}", Path("refs.bib"))))
    logging.getLogger().removeHandler(listener)
    assert isinstance(problem, Problem)
    assert problem.reason.startswith("not valid BibTeX (")
    assert "\n" not in problem.reason
    assert listener.heard == []


def test_an_entry_without_abstract_is_skipped_and_told(tmp_path: Path) -> None:
    path = tmp_path / "refs.bib"
    path.write_text(f"{GOOD}\n@misc{{n,\n title = {{None}}}}\n")
    reading = read_papers([path])
    assert [str(problem) for problem in reading.problems] == [f"{path}:3: no abstract: skipped"]
    assert len(reading.papers) == 1


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("% by hand\n\n@misc{a,\n title={x}}", "refs", True),
        ("see below\n@misc{a, title={x}}", "refs.bib", True),
        ("see below\n@misc{a, title={x}}", "notes.md", False),
        ("@dataclass(frozen=True)\nclass A:\n  x = 1", "a.py", False),
        ("\n" * 100_000, "a.txt", False),
    ],
    ids=["comments", "bib", "notes", "code", "blank"],
)
def test_recognises(text: str, name: str, expected: bool) -> None:
    assert recognises(text, Path(name)) is expected


NASTY = Paper(
    paper_id="doi:10.5555/1",
    title=r"50% of {Sets} & $ Costs_ #1 ~ x^2 \alpha BERT's",
    abstract=r"Costs of $5 and $6, a\b {c} ~20% x^2_i <|im_end|> ``so'' -- é.",
    authors=("Anna Author", "Trees and Forests Group", "B. Writer, Jr."),
    year=2020,
    venue="J. A & B",
    url="https://example.org/a_b?c=%20&d=~e#f",
    doi="10.5555/1",
)


def test_what_is_written_reads_back(tmp_path: Path) -> None:
    again = read_one(tmp_path, write([NASTY]))
    assert (again.paper_id, again.title, again.abstract) == (NASTY.paper_id, NASTY.title, NASTY.abstract)
    assert (again.year, again.venue, again.url, again.doi) == (NASTY.year, NASTY.venue, NASTY.url, NASTY.doi)
    assert again.authors == NASTY.authors


def test_keys_are_unique_and_readable() -> None:
    papers = [NASTY, NASTY, Paper("x", "The Trees of Rome", ABSTRACT), Paper("y", "日本", ABSTRACT, ("李",), 2020)]
    keys = [item.aliases[0] for item in read(write(papers), Path("refs.bib")) if isinstance(item, Draft)]
    assert keys[:2] == ["author202050", "author202050-2"]
    assert keys[2].startswith("the-trees-of-rome-")
    assert len(set(keys)) == 4
    assert all(key.isascii() for key in keys)
