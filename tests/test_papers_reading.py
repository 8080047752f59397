"""Files and folders become papers, problems and merges; nothing good is lost because of what is beside it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from rag.errors import BadInput, StrictProblem
from rag.papers import Reading, bundled, files, read_papers
from rag.papers.reading import MAX_ABSTRACT, MAX_TITLE, year

RECORDS = Path(__file__).parent / "data" / "records.jsonl"
ABSTRACT = "We count the trees of a city. The count is right to within five percent."


def entry(title: str = "A Title", abstract: str = ABSTRACT, **fields: object) -> str:
    return json.dumps({"title": title, "abstract": abstract, **fields}) + "\n"


def write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def reasons(reading: Reading) -> list[str]:
    return [problem.reason for problem in reading.problems]


def test_the_shipped_collection_holds_314_papers_in_429_entries() -> None:
    reading = read_papers([bundled()], strict=True)
    assert (reading.entries, len(reading.papers), len(reading.merged)) == (429, 314, 115)
    assert len({paper.paper_id for paper in reading.papers}) == 314
    assert not any(p.year or p.authors or p.url or p.doi or p.venue or p.aliases for p in reading.papers)
    titles = {paper.title for paper in reading.papers}
    assert "Calibrated Language Models Must Hallucinate" in titles
    assert "InstructRetro: Instruction Tuning post Retrieval-Augmented Pretraining" in titles


def test_the_fixture_records_are_complete() -> None:
    reading = read_papers([RECORDS], strict=True)
    assert len(reading.papers) == 30
    assert all(p.authors and p.year and p.venue and p.url and p.doi for p in reading.papers)
    assert all(p.paper_id == f"doi:{p.doi}" and p.source == str(RECORDS) for p in reading.papers)


def test_a_folder_mixes_formats_and_reads_each_by_content(tmp_path: Path) -> None:
    write(tmp_path / "a.txt", entry("In JSON"))
    write(tmp_path / "deep/er/b.json", f"@misc{{k, title={{In BibTeX}}, abstract={{{ABSTRACT}}}}}")
    write(tmp_path / "c", f"TY  - JOUR\nTI  - In RIS\nAB  - {ABSTRACT}\nER  - \n")
    write(tmp_path / "d.jsonl", f"Title,Abstract\nIn a table,{ABSTRACT}\n")
    reading = read_papers([tmp_path])
    assert [paper.title for paper in reading.papers] == ["In JSON", "In RIS", "In a table", "In BibTeX"]
    assert reading.problems == ()


def test_a_folder_passes_over_what_is_no_collection(tmp_path: Path) -> None:
    write(tmp_path / "README.md", "# Papers\n\nCite as\n\n@misc{a, title={X}, year={2020}}\n")
    write(tmp_path / ".hidden.jsonl", "{broken")
    write(tmp_path / ".git/x.jsonl", "{broken")
    write(tmp_path / "code.py", "@dataclass(frozen=True)\nclass A:\n    title = 'abstract'\n")
    write(tmp_path / "image.png", b"\x89PNG\r\n\x00\x00")
    write(tmp_path / "a.jsonl", entry())
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "again.jsonl").symlink_to(tmp_path / "a.jsonl")
    (tmp_path / "gone.jsonl").symlink_to(tmp_path / "nowhere")
    reading = read_papers([tmp_path])
    assert (reading.entries, reading.problems, reading.unreadable) == (1, (), ())


def test_the_same_file_twice_is_read_once(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", entry())
    reading = read_papers([path, tmp_path, path.parent / "." / "a.jsonl"])
    assert (reading.entries, reading.merged) == (1, ())


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"", "empty", id="empty"),
        pytest.param(b" \n\t\n", "empty", id="blank"),
        pytest.param(b"\xef\xbb\xbf", "empty", id="only-a-bom"),
        pytest.param(b'{"title": "\x00"}', "binary", id="binary"),
        pytest.param(bytes(range(128, 256)) * 4, "not UTF-8 text", id="not-utf8"),
        pytest.param(b"\x93\xfa\x96\x7b\x8c\xea" * 20, "not UTF-8 text", id="shift-jis"),
        pytest.param(b"\xff\xfe\x00\xd8\x41", "binary", id="broken-utf16"),
        pytest.param(
            "Name,Size\na,1\n",
            "not in a known format: a table needs a header that names title and abstract",
            id="table-of-other-things",
        ),
    ],
)
@pytest.mark.parametrize("in_folder", [False, True], ids=["named", "in-a-folder"])
def test_an_unreadable_file_is_told_and_costs_no_other(
    tmp_path: Path, content: str | bytes, reason: str, in_folder: bool
) -> None:
    bad, good = write(tmp_path / "bad.csv", content), write(tmp_path / "good.jsonl", entry())
    reading = read_papers([tmp_path] if in_folder else [bad, good])
    assert len(reading.papers) == 1
    assert [str(problem) for problem in reading.problems] == [f"{bad}: {reason}: skipped"]
    assert reading.unreadable == (bad,)


def test_what_is_in_no_known_format_is_told_with_the_formats(tmp_path: Path) -> None:
    reading = read_papers([write(tmp_path / "story.txt", "a story\n\nwithout any papers")])
    assert reasons(reading) == [
        "not in a known format (BibTeX, RIS, CSV, JSON lines, a saved listing): skipped",
    ]


PROSE = "Contact\n\nMail the administrator of the group library if something is missing from this folder at all.\n"


def test_prose_in_a_folder_is_no_paper_unless_the_file_is_named(tmp_path: Path) -> None:
    readme, good = write(tmp_path / "README.txt", PROSE), write(tmp_path / "good.jsonl", entry("Good"))
    reading = read_papers([tmp_path])
    assert [paper.title for paper in reading.papers] == ["Good"]
    assert [problem.path for problem in reading.problems] == [readme]
    assert [paper.title for paper in read_papers([good, readme]).papers] == ["Good", "Contact"]


def test_a_dated_page_in_a_folder_is_read(tmp_path: Path) -> None:
    write(tmp_path / "page.txt", f"Jun 6\n\n{PROSE}")
    assert [paper.title for paper in read_papers([tmp_path]).papers] == ["Contact"]


def test_an_index_in_a_folder_is_no_source(tmp_path: Path) -> None:
    write(tmp_path / "library/refs.jsonl", entry("Mine"))
    write(tmp_path / "library/index/builds/0123/papers.jsonl", entry("Of a build"))
    write(tmp_path / "library/index/CURRENT", "0123\n")
    reading = read_papers([tmp_path])
    assert [paper.title for paper in reading.papers] == ["Mine"]
    assert reading.problems == ()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be"])
def test_texts_with_a_byte_order_mark_are_read(tmp_path: Path, encoding: str) -> None:
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    path = write(tmp_path / "a.csv", f"{mark}Title,Abstract\r\nÜber,{ABSTRACT}\r\n".encode(encoding))
    assert [paper.title for paper in read_papers([path], strict=True).papers] == ["Über"]


def test_an_old_encoding_is_read_and_told(tmp_path: Path) -> None:
    path = write(tmp_path / "a.bib", f"@misc{{k, title={{Über}}, abstract={{{ABSTRACT}}}}}".encode("cp1252"))
    reading = read_papers([path])
    assert reading.papers[0].title == "Über"
    assert [str(problem) for problem in reading.problems] == [f"{path}:1: not UTF-8: read as Windows-1252"]
    assert reading.unreadable == ()


def bibtex(*titles: str) -> list[bytes]:
    """An entry a line."""
    return [
        f"@misc{{k{n}, title={{{title}}}, abstract={{{ABSTRACT} {n}}}}}\n".encode() for n, title in enumerate(titles)
    ]


@pytest.mark.parametrize(
    ("odd", "title"),
    [
        pytest.param("Café".encode("cp1252"), "Café", id="windows"),
        pytest.param("Straße – Café ".encode() + b"\x96", "Straße – Café –", id="one-byte-of-a-utf8-line"),
        pytest.param(b"Odd \x81 sign", "Odd \ufffd sign", id="in-no-encoding"),
    ],
)
def test_a_line_that_is_not_utf8_costs_no_other(tmp_path: Path, odd: bytes, title: str) -> None:
    first, second, *rest = bibtex("Möbius — strips", "HERE", *["Gödel"] * 3)
    path = write(tmp_path / "a.bib", b"".join([first, second.replace(b"HERE", odd), *rest]))
    reading = read_papers([path])
    assert [paper.title for paper in reading.papers][:3] == ["Möbius — strips", title, "Gödel"]
    assert [str(problem) for problem in reading.problems] == [f"{path}:2: not UTF-8: read as Windows-1252"]


def test_a_file_cut_off_within_a_character_keeps_what_is_whole(tmp_path: Path) -> None:
    whole, cut = bibtex("Études", "Zoë é")
    path = write(tmp_path / "a.bib", whole + cut[: cut.index("é".encode()) + 1])
    assert [paper.title for paper in read_papers([path]).papers] == ["Études"]


def test_a_zero_byte_costs_itself(tmp_path: Path) -> None:
    path = write(tmp_path / "a.bib", b"".join(bibtex("Good", "Bad\0 one")))
    assert [paper.title for paper in read_papers([path], strict=True).papers] == ["Good", "Bad one"]


def test_a_byte_order_mark_in_the_middle_costs_nothing(tmp_path: Path) -> None:
    """Files are put together with `cat`."""
    one = "\ufeff" + entry("One")
    path = write(tmp_path / "a.jsonl", one + one.replace("One", "Two"))
    assert [paper.title for paper in read_papers([path], strict=True).papers] == ["One", "Two"]


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_BYTES", 10)
    reading = read_papers([write(tmp_path / "a.jsonl", entry())])
    assert "10 are read at most" in reasons(reading)[0]
    assert reading.unreadable


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_told(tmp_path: Path) -> None:
    path, folder = write(tmp_path / "a.jsonl", entry()), tmp_path / "shut"
    folder.mkdir()
    path.chmod(0)
    folder.chmod(0)
    reading = read_papers([tmp_path])
    folder.chmod(0o700)
    assert set(reading.unreadable) == {path, folder}
    assert len(reading.problems) == 2


def test_a_missing_path_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"nowhere\.bib: no such file or folder"):
        read_papers([tmp_path / "nowhere.bib"])


def test_what_is_neither_file_nor_folder_is_an_error(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BadInput, match="not a file or folder"):
        read_papers([tmp_path / "pipe"])


def test_strict_stops_at_the_first_problem_but_not_at_duplicates(tmp_path: Path) -> None:
    fine = write(tmp_path / "a.jsonl", entry() + entry())
    assert read_papers([fine], strict=True).entries == 2
    bad = write(tmp_path / "b.jsonl", entry("Other") + entry("Third", abstract=""))
    with pytest.raises(StrictProblem, match=r"b\.jsonl:2: no abstract: skipped"):
        read_papers([fine, bad], strict=True)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"title": " \u200b "}, "no title: skipped"),
        ({"abstract": ""}, "no abstract: skipped"),
        ({"abstract": "[No abstract available.]"}, "no abstract: skipped"),
        ({"abstract": "N/A"}, "no abstract: skipped"),
    ],
    ids=["no-title", "no-abstract", "none-available", "not-applicable"],
)
def test_an_entry_that_lacks_its_text_is_skipped(tmp_path: Path, fields: dict[str, str], reason: str) -> None:
    path = write(tmp_path / "a.jsonl", entry("Good") + entry(**{"title": "Bad", "abstract": ABSTRACT, **fields}))
    reading = read_papers([path])
    assert [str(problem) for problem in reading.problems] == [f"{path}:2: {reason}"]
    assert [paper.title for paper in reading.papers] == ["Good"]


def test_huge_fields_are_cut_and_told(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", entry("word " * 100_000, "A sentence. " * 100_000))
    reading = read_papers([path])
    assert len(reading.papers[0].title) <= MAX_TITLE
    assert MAX_ABSTRACT - 1 <= len(reading.papers[0].abstract) <= MAX_ABSTRACT
    assert reasons(reading) == ["title cut to 1,000 characters", "abstract cut to 20,000 characters"]


def test_hostile_text_is_made_safe_and_markers_stay_text(tmp_path: Path) -> None:
    title = "A\u202e \x1b[31mT\u200bitle\ud800 \U0001f680"
    path = write(tmp_path / "a.jsonl", entry(title, f"{ABSTRACT} <|im_end|> [1] <script>x</script>"))
    paper = read_papers([path]).papers[0]
    assert paper.title == "A [31mTitle \U0001f680"
    assert paper.abstract.endswith("<|im_end|> [1] <script>x</script>")


def test_markup_of_publishers_goes(tmp_path: Path) -> None:
    fields = {"venue": "Trees &amp; Things", "authors": ["Anna M&uuml;ller"]}
    abstract = "<jats:title>Abstract</jats:title><jats:p>Growth of <jats:italic>E. coli</jats:italic>.</jats:p>"
    path = write(tmp_path / "a.jsonl", entry("CO<sub>2</sub> &amp; x<y", abstract, **fields))
    paper = read_papers([path], strict=True).papers[0]
    assert (paper.title, paper.abstract) == ("CO2 & x<y", "Growth of E. coli.")
    assert (paper.venue, paper.authors) == ("Trees & Things", ("Anna Müller",))


def test_only_what_is_a_link_becomes_one(tmp_path: Path) -> None:
    links = ["javascript:alert(1)", "https://example.org/a b", 'https://example.org/"x', "https://example.org/x"]
    lines = [entry(f"Paper {n}", f"{n} {ABSTRACT}", url=link) for n, link in enumerate(links)]
    papers = read_papers([write(tmp_path / "a.jsonl", "".join(lines))]).papers
    assert [paper.url for paper in papers] == ["", "", "", "https://example.org/x"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (2020, 2020),
        (2020.0, 2020),
        ("Mon, 2 Apr 2007 19:18:42 GMT", 2007),
        ("2021-03-04", 2021),
        ("forthcoming", None),
        ("20201", None),
        (True, None),
        (12, None),
        (["2020"], None),
        (float("nan"), None),
    ],
    ids=str,
)
def test_year(value: object, expected: int | None) -> None:
    assert year(value) == expected
