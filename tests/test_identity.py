from dataclasses import replace

import pytest

from rag.index.identity import carry_over
from rag.records import Paper

OLD = Paper("a-title-1f2e3d", "A title", "We study a thing.", source="/refs.bib", aliases=("key2020",))


def carried(*new: Paper, old: tuple[Paper, ...] = (OLD,)) -> list[str]:
    return [paper.paper_id for paper in carry_over(old, new)]


def with_doi(paper: Paper, doi: str) -> Paper:
    return replace(paper, paper_id=f"doi:{doi}", doi=doi)


def test_a_paper_that_gains_a_doi_keeps_its_id_and_the_doi_becomes_an_alias() -> None:
    (found,) = carry_over([OLD], [with_doi(OLD, "10.5555/1")])
    assert found.paper_id == "a-title-1f2e3d"
    assert found.aliases == ("key2020", "doi:10.5555/1")
    assert found.doi == "10.5555/1"


def test_aliases_are_kept_when_the_source_no_longer_names_them() -> None:
    (found,) = carry_over([OLD], [replace(OLD, aliases=("key2021",))])
    assert found.aliases == ("key2020", "key2021")


@pytest.mark.parametrize(
    "new",
    [
        OLD,
        replace(OLD, abstract="We study a thing again.", paper_id="other"),
        replace(OLD, title="A TITLE!", paper_id="other"),
        replace(OLD, title="A better title", abstract="New.", paper_id="other"),
        replace(OLD, source="/elsewhere.bib", aliases=(), paper_id="other"),
    ],
    ids=["unchanged", "revised abstract", "retyped title", "new title under its key", "moved to another file"],
)
def test_the_same_paper_read_again_keeps_its_id(new: Paper) -> None:
    assert carried(new) == ["a-title-1f2e3d"]


@pytest.mark.parametrize(
    "new",
    [
        Paper("new", "Another title", "Another text."),
        Paper("new", "Another title", "Another text.", source="/other.bib", aliases=("key2020",)),
    ],
    ids=["nothing in common", "the same BibTeX key in another file"],
)
def test_another_paper_does_not_take_the_id(new: Paper) -> None:
    assert carried(new) == ["new"]


def test_different_dois_are_different_papers_whatever_their_titles() -> None:
    old = with_doi(OLD, "10.5555/1")
    assert carried(with_doi(OLD, "10.5555/2"), old=(old,)) == ["doi:10.5555/2"]


def test_a_doi_is_the_surest_sign() -> None:
    other = Paper("other", "Second", "Other text.")
    new = [replace(other, doi="10.5555/1", paper_id="doi:10.5555/1")]
    assert carried(*new, old=(replace(OLD, doi="10.5555/1"), other)) == ["a-title-1f2e3d"]


def test_two_papers_of_one_title_are_told_apart_by_their_abstracts() -> None:
    first = replace(OLD, aliases=())
    second = replace(first, paper_id="a-title-1f2e3d-2", abstract="Quite another thing.")
    # Read without the first, the second is given the id without the suffix.
    alone = replace(second, paper_id="a-title-1f2e3d")
    (found,) = carry_over([first, second], [alone])
    assert (found.paper_id, found.aliases) == ("a-title-1f2e3d-2", ())


def test_a_new_paper_never_gets_an_id_in_use() -> None:
    new = replace(OLD, abstract="Quite another thing.", aliases=())
    first, second = carry_over([OLD], [new, OLD])
    assert (first.paper_id, second.paper_id) == ("a-title-1f2e3d-2", "a-title-1f2e3d")


def test_without_old_papers_ids_stay_as_read() -> None:
    assert carried(OLD, Paper("b", "B", "B."), old=()) == ["a-title-1f2e3d", "b"]
