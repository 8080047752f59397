"""Which papers of a summary speak of the same thing, what that is called, and which of them disagree."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from rag.answering.summarising import JOINED, disagree, themes
from rag.models import Vectors
from rag.records import Evidence, Paper, Sentence, Theme

QUESTION = "What is known of bread?"


def said(paper_id: str, text: str, position: int = 0, title: str = "") -> Evidence:
    return Evidence(Paper(paper_id, title, text), Sentence(paper_id, position, 0, len(text), text), 1.0)


def pointing(*angles: float) -> list[Vectors]:
    """Unit vectors at these angles, in degrees."""
    return [np.array([np.cos(np.radians(a)), np.sin(np.radians(a))], dtype=np.float32) for a in angles]


def grouped(items: Sequence[Evidence], *angles: float) -> tuple[Theme, ...]:
    places = [(item.paper.paper_id, item.sentence.position) for item in items]
    return themes(items, dict(zip(places, pointing(*angles), strict=True)), QUESTION, lambda term: 1.0)


def ids(found: Sequence[Theme]) -> list[tuple[str, ...]]:
    return [theme.paper_ids for theme in found]


NAMED = ["Warm ovens lift rye.", "Salt slows wild yeast.", "Apples sweeten loaves.", "Old flour smells of cellars."]
FOUR = [said(name, text) for name, text in zip("abcd", NAMED, strict=True)]


def test_nothing_makes_no_theme() -> None:
    assert grouped([]) == ()


def test_alike_papers_make_a_theme_and_the_others_come_last() -> None:
    assert ids(grouped(FOUR, 0, 90, 10, 190)) == [("a", "c"), ("b", "d")]
    assert grouped(FOUR, 0, 90, 10, 190)[-1].about == ""


def test_themes_come_in_the_order_of_their_best_paper() -> None:
    assert ids(grouped(FOUR, 0, 90, 95, 5)) == [("a", "d"), ("b", "c")]


def test_papers_that_have_nothing_in_common_stand_alone_together() -> None:
    assert ids(grouped(FOUR, 0, 90, 180, 270)) == [("a", "b", "c", "d")]


@pytest.mark.parametrize("angle", [58, 62])
def test_papers_are_joined_from_a_mean_cosine_on(angle: float) -> None:
    joined = np.cos(np.radians(angle)) >= JOINED
    assert ids(grouped(FOUR[:3], 0, angle, 200)) == ([("a", "b"), ("c",)] if joined else [("a", "b", "c")])


@pytest.mark.parametrize("seed", range(8))
def test_every_paper_is_in_one_theme_once(seed: int) -> None:
    angles = np.random.default_rng(seed).uniform(0, 360, size=8)
    items = [said(name, text, position) for name in "abcd" for position, text in enumerate(NAMED[:2])]
    found = grouped(items, *angles)
    assert sorted(paper_id for theme in found for paper_id in theme.paper_ids) == list("abcd")
    assert found == grouped(items, *angles)
    assert all(set(pair) <= set(theme.paper_ids) for theme in found for pair in theme.opposed)


def test_a_theme_is_named_by_what_its_papers_share_and_the_question_did_not_say() -> None:
    items = [said("a", "Warm ovens lift bread made of rye."), said("b", "In warm ovens wheat bread burns.")]
    assert grouped(items, 0, 5)[0].about == "warm ovens"


def test_a_theme_keeps_the_capitals_of_names() -> None:
    items = [said("a", "GlutenNet counts loaves."), said("b", "Ovens burn what GlutenNet misses.")]
    assert grouped(items, 0, 5)[0].about == "GlutenNet"


def test_a_word_of_the_question_names_no_theme_in_whichever_form() -> None:
    items = [said("a", "Breads rise at noon."), said("b", "Bread sinks in winter.")]
    assert grouped(items, 0, 5)[0].about == ""


def test_papers_that_share_no_word_make_a_theme_without_a_name() -> None:
    assert grouped(FOUR[:2], 0, 5) == (Theme("", ("a", "b")),)


CONTRARY = [
    ("Rye flour increases the gas of a warm loaf.", "Rye flour decreases the gas of a warm loaf."),
    ("Rye loaves do not need a warm oven.", "Rye loaves need a warm oven."),
    ("Rye flour uses 40% less salt than wheat in loaves.", "Rye flour uses more salt than wheat in loaves."),
    ("In warm ovens, rye bakes faster than wheat flour.", "In warm ovens, rye bakes slower than wheat flour."),
    ("The error of the warm oven scale was lower for rye.", "The error of the warm oven scale was higher for rye."),
]
ALIKE = [
    ("Rye flour increases the gas of a warm loaf.", "Rye flour raises the gas of a warm loaf."),
    ("Rye loaves do not need a warm oven.", "Rye loaves need no warm oven."),
    ("Salt reduces gas and increases the flavour of loaves.", "Salt lowers gas and raises the flavour of loaves."),
    ("Salt reduces gas and increases the flavour of loaves.", "Salt increases the flavour of loaves and reduces gas."),
    ("Salt reduces gas in warm rye loaves.", "Salt increases flavour in warm rye loaves."),
    ("Rye flour does not increase the gas of a warm loaf.", "Rye flour fails to increase the gas of a warm loaf."),
    ("Rye increases the gas of loaves.", "Snow decreases the reach of radar."),
    ("Loaves of rye are slower in warm ovens than in cold ones.", "Loaves of rye are slow in warm ovens."),
]


@pytest.mark.parametrize(("one", "other"), CONTRARY)
def test_a_clear_contradiction_is_told(one: str, other: str) -> None:
    assert disagree(one, other)
    assert disagree(other, one)


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_alike_or_unlike_matters_are_no_contradiction(one: str, other: str) -> None:
    assert not disagree(one, other)
    assert not disagree(other, one)


@pytest.mark.parametrize("text", [text for pair in (*CONTRARY, *ALIKE) for text in pair])
def test_no_sentence_contradicts_itself(text: str) -> None:
    assert not disagree(text, text)


@pytest.mark.parametrize(("angle", "opposed"), [(5, (("a", "b"),)), (58, ())], ids=["one matter", "another"])
def test_papers_are_opposed_where_sentences_on_one_matter_disagree(angle: float, opposed: tuple) -> None:
    items = [said("a", CONTRARY[0][0]), said("b", CONTRARY[0][1])]
    assert grouped(items, 0, angle)[0].opposed == opposed


def test_alike_papers_are_not_opposed() -> None:
    assert grouped([said("a", ALIKE[0][0]), said("b", ALIKE[0][1])], 0, 5)[0].opposed == ()
