"""Entries of one paper merge; different papers stay apart and keep different ids."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from rag.papers.duplicates import merge
from rag.papers.reading import Draft, Record, finish
from rag.records import Paper

TREES = "We count the trees of a city from photographs. The count is right to within five percent everywhere."
TREES_2 = "We count all the trees of a city from photographs. The count is right to within four percent everywhere."
FLOODS = "Floods of small rivers are forecast by recurrent networks. Peak flow is met six hours ahead."


def records(*drafts: Draft) -> list[Record]:
    made = [finish(draft, Path("refs.bib"))[0] for draft in drafts]
    return [record for record in made if record is not None]


@pytest.mark.parametrize(
    ("first", "second", "by"),
    [
        ({"doi": "10.5555/A"}, {"doi": "https://doi.org/10.5555/a", "title": "Another"}, "doi"),
        ({"arxiv": "2301.00001v1"}, {"url": "https://arxiv.org/abs/2301.00001v3", "title": "Another"}, "arxiv"),
        ({"doi": "10.48550/arXiv.2301.00001"}, {"arxiv": "2301.00001", "title": "Another"}, "arxiv"),
        ({"title": "Counting Trees!"}, {"title": "counting  trees", "abstract": TREES_2}, "title"),
        ({"title": "Trees"}, {"title": "Trees", "abstract": TREES[:60]}, "title"),
        ({"title": "Trees", "doi": "10.5555/a"}, {"title": "Trees", "doi": "10.5555/b"}, "title"),
    ],
    ids=["doi", "arxiv", "arxiv-doi", "similar", "contained", "preprint-and-journal"],
)
def test_the_same_paper_merges(first: dict[str, str], second: dict[str, str], by: str) -> None:
    base = {"title": "Counting Trees", "abstract": TREES}
    papers, merges, _ = merge(records(Draft(1, **{**base, **first}), Draft(9, **{**base, **second})))
    assert len(papers) == 1
    assert papers[0].abstract == TREES
    assert [(m.kept, m.line, m.by) for m in merges] == [(papers[0].paper_id, 9, by)]
    besides = ", though titled 'Another'" if second.get("title") == "Another" else ""
    assert str(merges[0]) == f"refs.bib:9: the same {by} as {papers[0].paper_id}: merged{besides}"


def test_papers_of_one_title_with_other_abstracts_stay_two() -> None:
    papers, merges, _ = merge(records(Draft(1, "Editorial", TREES), Draft(2, "Editorial", FLOODS)))
    assert merges == ()
    assert papers[1].paper_id == f"{papers[0].paper_id}-2"


def test_different_papers_that_share_a_doi_are_both_kept_and_told() -> None:
    """As the posters of one supplement do."""
    trees, floods = Draft(1, "Counting Trees", TREES, doi="10.5555/1"), Draft(2, "Floods", FLOODS, doi="10.5555/1")
    papers, merges, problems = merge(records(trees, floods, replace(floods, line=3)))
    assert [paper.title for paper in papers] == ["Counting Trees", "Floods"]
    assert papers[1].paper_id.startswith("floods-")
    assert papers[1].doi == "10.5555/1"
    assert [(m.kept, m.by) for m in merges] == [(papers[1].paper_id, "title")]
    assert [str(problem) for problem in problems] == [
        "refs.bib:2: the same doi as doi:10.5555/1, yet another title and abstract: both kept"
    ]


def test_a_paper_kept_apart_has_no_name_of_the_other() -> None:
    own = Draft(2, "Floods", FLOODS, doi="10.5555/1", paper_id="mine", aliases=["floods20"])
    papers, _, _ = merge(records(Draft(1, "Counting Trees", TREES, doi="10.5555/1"), own))
    assert (papers[1].paper_id, papers[1].aliases) == ("mine", ("floods20",))


def test_a_shorter_title_is_no_other_paper() -> None:
    short, long = Draft(1, "Trees", TREES, doi="10.5555/1"), Draft(2, "Trees of Rome", FLOODS, doi="10.5555/1")
    assert len(merge(records(short, long))[0]) == 1


def test_a_name_leads_to_one_paper_only() -> None:
    first, second, again = Draft(1, "Same", TREES), Draft(2, "Same", FLOODS), Draft(3, "Same", FLOODS)
    papers, merges, _ = merge(records(first, second, again))
    assert merges[0].kept == papers[1].paper_id
    assert papers[0].paper_id not in papers[1].aliases


def test_the_first_stays_and_is_filled_from_the_others() -> None:
    full = Draft(2, "Trees", TREES_2, ["A. Author"], 2020, "Journal", "https://example.org/1", "10.5555/1")
    papers, _, _ = merge(records(Draft(1, "Trees", TREES, aliases=["trees20"]), full))
    first = records(Draft(1, "Trees", TREES))[0].paper
    assert papers == (
        Paper(
            paper_id=first.paper_id,
            title="Trees",
            abstract=TREES,
            authors=("A. Author",),
            year=2020,
            venue="Journal",
            url="https://example.org/1",
            doi="10.5555/1",
            source="refs.bib",
            aliases=("trees20", "doi:10.5555/1"),
        ),
    )


def test_an_identifier_learned_later_joins_a_third_entry() -> None:
    third = Draft(3, "Zählung", TREES_2, doi="10.5555/1")
    papers, merges, _ = merge(records(Draft(1, "Trees", TREES), Draft(2, "Trees", TREES, doi="10.5555/1"), third))
    assert len(papers) == 1
    assert [m.by for m in merges] == ["title", "doi"]


def test_thousands_of_papers_of_one_title_take_seconds() -> None:
    drafts = [Draft(n, "Editorial", f"Number {n} speaks of {n * 7} and {n * 13}.") for n in range(3_000)]
    begun = time.perf_counter()
    papers, _, _ = merge(records(*drafts))
    assert time.perf_counter() - begun < 15
    assert len({paper.paper_id for paper in papers}) == len(papers)
