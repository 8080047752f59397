from pathlib import Path

import pytest
from index_cases import build, record, write

from rag.errors import BadInput, StrictProblem
from rag.index.live import open_index
from rag.index.sources import BUNDLED, choose
from rag.papers import bundled


@pytest.fixture
def one(tmp_path: Path) -> Path:
    return write(tmp_path / "one.jsonl", [record(n, paper_id=f"one{n}") for n in range(3)])


@pytest.fixture
def two(tmp_path: Path) -> Path:
    return write(tmp_path / "two.jsonl", [record(n, paper_id=f"two{n}") for n in range(10, 12)])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "index"


def ids(root: Path) -> list[str]:
    with open_index(root) as index:
        return list(index.papers)


# Which sources


def test_without_sources_the_shipped_collection_is_one() -> None:
    assert choose((), ()) == (BUNDLED,)


def test_the_shipped_collection_can_be_named_or_pointed_to(one: Path) -> None:
    assert choose((), (one, Path("bundled"))) == (str(one), BUNDLED)
    assert choose((), (bundled(),)) == (BUNDLED,)
    assert choose((BUNDLED, str(one)), (), (Path("bundled"),)) == (str(one),)


def test_sources_are_remembered_in_the_order_in_which_they_came(one: Path, two: Path) -> None:
    assert choose((str(one),), ()) == (str(one),)
    assert choose((str(one),), (two, one)) == (str(one), str(two))
    assert choose((BUNDLED,), (one,)) == (BUNDLED, str(one))


@pytest.mark.parametrize("name", ["~nobody-of-that-name/refs.bib", "loop"])
def test_a_path_that_leads_nowhere_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path("loop").symlink_to("loop")
    with pytest.raises(BadInput, match="no such file or folder"):
        choose((), (Path(name),))


def test_a_file_whose_name_begins_with_a_tilde_is_a_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("~$refs.bib").touch()
    assert choose((), (Path("~$refs.bib"),)) == (str(tmp_path / "~$refs.bib"),)


def test_a_relative_path_is_the_same_source(one: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(one.parent)
    assert choose((str(one),), (Path("one.jsonl"),)) == (str(one),)


def test_only_and_remove_take_away(one: Path, two: Path) -> None:
    assert choose((str(one), BUNDLED), (two,), only=True) == (str(two),)
    assert choose((str(one), str(two)), (), (one,)) == (str(two),)


def test_a_removed_source_need_not_exist_any_more(one: Path, two: Path) -> None:
    one.unlink()
    assert choose((str(one), str(two)), (), (one,)) == (str(two),)


def test_what_cannot_be_chosen_is_one_line(one: Path, two: Path) -> None:
    with pytest.raises(BadInput, match=r"gone\.bib: no such file"):
        choose((), (one.parent / "gone.bib",))
    with pytest.raises(BadInput, match=r"two\.jsonl is not a source; the sources are: .*one\.jsonl"):
        choose((str(one),), (), (two,))
    with pytest.raises(BadInput, match="no papers at all"):
        choose((str(one),), (), (one,))
    with pytest.raises(BadInput, match="--only needs"):
        choose((str(one),), (), only=True)


# What they hold


def test_removing_a_source_removes_its_papers(root: Path, one: Path, two: Path) -> None:
    build(root, one, two)
    assert build(root, remove=(one,)).removed == ("one0", "one1", "one2")
    assert ids(root) == ["two10", "two11"]


def test_a_paper_of_two_sources_stays_when_one_is_removed(root: Path, one: Path, two: Path) -> None:
    write(two, [record(0, paper_id="two0"), record(10, paper_id="two10")])
    build(root, one, two)
    report = build(root, remove=(one,))
    assert report.removed == ("one1", "one2")
    assert ids(root) == ["one0", "two10"]


@pytest.mark.parametrize("how", ["gone", "binary"])
def test_a_source_that_cannot_be_read_removes_nothing(root: Path, one: Path, two: Path, how: str) -> None:
    build(root, one, two)
    before = ids(root)
    if how == "gone":
        one.unlink()
    else:
        one.write_bytes(b"\x00\xff\xfe" * 1000)
    report = build(root)
    assert ids(root) == before
    assert report.removed == ()
    assert any(problem.path == one for problem in report.skipped)


def test_a_file_of_a_folder_that_cannot_be_read_removes_nothing(root: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    bad = write(folder / "a.jsonl", [record(1, paper_id="a1")])
    write(folder / "b.jsonl", [record(2, paper_id="b2")])
    build(root, folder)
    bad.write_bytes(b"\x00\xff\xfe" * 1000)
    assert build(root).removed == ()
    assert sorted(ids(root)) == ["a1", "b2"]


def test_a_file_deleted_from_a_folder_takes_its_papers_with_it(root: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    write(folder / "a.jsonl", [record(1, paper_id="a1")]).unlink()
    write(folder / "b.jsonl", [record(2, paper_id="b2")])
    kept = write(folder / "c.jsonl", [record(3, paper_id="c3")])
    build(root, folder)
    kept.unlink()
    assert build(root).removed == ("c3",)


def test_a_paper_read_from_a_second_file_survives_while_the_first_is_away(root: Path, one: Path, two: Path) -> None:
    """Also what is then removed: the first file still counts as holding it."""
    write(two, [record(0, paper_id="two0"), record(10, paper_id="two10")])
    build(root, one, two)
    one.unlink()
    build(root)
    assert ids(root) == ["one0", "one1", "one2", "two10"]
    build(root, remove=(two,))
    assert ids(root) == ["one0", "one1", "one2"]


def test_a_source_that_is_back_is_read_again(root: Path, one: Path, two: Path) -> None:
    build(root, one, two)
    content = one.read_text()
    one.unlink()
    build(root)
    one.write_text(content)
    report = build(root)
    assert len(report.unchanged) == 5
    assert report.skipped == ()


def test_strictly_a_missing_source_is_a_failure(root: Path, one: Path, two: Path) -> None:
    build(root, one, two)
    one.unlink()
    with pytest.raises(StrictProblem, match=r"one\.jsonl: no such file"):
        build(root, strict=True)
