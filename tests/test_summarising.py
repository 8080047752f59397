"""Which papers of a summary speak of the same thing, what that is called, and which of them disagree."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from rag.answering.summarising import JOINED, disagree, themes
from rag.models import Vectors
from rag.records import Evidence, Paper, Sentence, Theme
from rag.text import Weight

QUESTION = "What is known of bread?"


def said(paper_id: str, text: str, position: int = 0, title: str = "", more: str = "") -> Evidence:
    """A picked sentence; `more` stands after it in the abstract and was not picked."""
    return Evidence(Paper(paper_id, title, f"{text} {more}"), Sentence(paper_id, position, 0, len(text), text), 1.0)


def pointing(*angles: float) -> list[Vectors]:
    """Unit vectors at these angles, in degrees."""
    return [np.array([np.cos(np.radians(a)), np.sin(np.radians(a))], dtype=np.float32) for a in angles]


def grouped(items: Sequence[Evidence], *angles: float, weight: Weight = lambda term: 3.0) -> tuple[Theme, ...]:
    places = [(item.paper.paper_id, item.sentence.position) for item in items]
    return themes(items, dict(zip(places, pointing(*angles), strict=True)), QUESTION, weight)


def named(*texts: str, weight: Weight = lambda term: 3.0) -> str:
    """What the theme of papers that say this is called."""
    items = [said(name, text) for name, text in zip("abcdefgh", texts, strict=False)]
    return grouped(items, *range(len(items)), weight=weight)[0].about


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
    assert named("Bread of rye rises in warm ovens.", "Wheat bread burns in warm ovens.") == "warm ovens"


def test_a_pair_of_words_comes_before_a_word_that_more_papers_share() -> None:
    texts = ["We look at sour dough in ovens.", "With sour dough ovens stay clean.", "Ash falls in ovens."]
    assert named(*texts) == "sour dough"


def test_a_word_alone_names_a_theme_as_a_noun() -> None:
    assert named("Salt helps in fermentation.", "Yeast dies during fermentation.") == "fermentation"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Salt is used by efficient bakers.", "Efficient ovens are small."),
        ("Furthermore, salt dissolves.", "Furthermore, yeast lives."),
        ("Salt is tasted in leavened cakes.", "Leavened buns shine."),
        ("We solve the shortage of salt.", "Yeast can solve the rest."),
        ("By kneading the rye it warms.", "In kneading the wheat, it tears."),
        ("Sieves improve yields.", "With salt, mills improve."),
        ("To this end, salt is weighed.", "In the end, yeast dies."),
        ("Mills in low-resource areas stop.", "Low-resource villages starve."),
    ],
    ids=["adjective", "adverb", "participle", "verb", "verb in -ing", "direction", "idiom", "compound adjective"],
)
def test_a_word_that_names_nothing_names_no_theme(one: str, other: str) -> None:
    assert named(one, other) == ""


def test_a_part_of_a_longer_name_is_no_name() -> None:
    assert named("Much depends on rough sea salt flakes.", "All rests on rough sea salt flakes.") == ""
    assert named("It depends on rough salt flakes.", "It rests on grey salt flakes.") == "salt flakes"


def test_what_any_paper_of_the_collection_may_say_names_no_theme() -> None:
    texts = "Bread rises in warm ovens.", "Wheat burns in warm ovens."
    assert named(*texts, weight=lambda term: 1.5) == ""
    assert named(*texts, weight=lambda term: 0.2 if term == "warm" else 1.9) == "warm ovens"


def test_what_only_one_paper_tells_has_to_be_rare() -> None:
    items = [said("a", "Rye rises in ovens."), said("b", "Salt dissolves.", more="We thank the makers of ovens.")]
    assert grouped(items, 0, 5, weight=lambda term: 2.0)[0].about == ""
    assert grouped(items, 0, 5, weight=lambda term: 4.0)[0].about == "ovens"


def test_a_name_is_shared_by_half_of_the_papers() -> None:
    texts = ["Rye rises in ovens.", "Wheat burns in ovens.", "Salt dissolves.", "Yeast dies.", "Water boils."]
    assert named(*texts[:4]) == "ovens"
    assert named(*texts) == ""


def test_a_theme_keeps_the_capitals_of_names() -> None:
    assert named("GlutenNet counts loaves.", "Ovens burn what GlutenNet misses.") == "GlutenNet"
    assert named("Loaves travel across Norway.", "Ovens are built in Norway.") == "Norway"


def test_the_plural_of_an_abbreviation_tells_as_little_as_the_abbreviation() -> None:
    rare = {"ptfes": 1.0}
    assert named("A PTFE is heated.", "A PTFE melts.", weight=lambda term: rare.get(term, 3.0)) == ""


@pytest.mark.parametrize(
    ("title", "text"),
    [("A Study of Slow-Proving", "We rely on slow-proving."), ("On Slow-Proving", "Salt dissolves.")],
    ids=["running text has it", "only titles have it"],
)
def test_the_capitals_of_a_title_are_not_those_of_a_name(title: str, text: str) -> None:
    items = [said("a", text, title=title), said("b", "Yeast dies.", title="Lessons from Slow-Proving")]
    assert grouped(items, 0, 5)[0].about == "slow-proving"


def test_a_word_of_the_question_names_no_theme_in_whichever_form() -> None:
    assert named("We write of breads.", "Salt sinks in bread.") == ""


def test_papers_that_share_no_word_make_a_theme_without_a_name() -> None:
    assert grouped(FOUR[:2], 0, 5) == (Theme("", ("a", "b")),)


CONTRARY = {
    "raises, lowers": ("Rye flour increases the gas of a warm loaf.", "Rye flour decreases the gas of a warm loaf."),
    "does not, does": ("Rye loaves do not need a warm oven.", "Rye loaves need a warm oven."),
    "less than, more than": (
        "Rye flour uses 40% less salt than wheat in loaves.",
        "Rye flour uses more salt than wheat in loaves.",
    ),
    "faster, slower": (
        "In warm ovens, rye bakes faster than wheat flour.",
        "In warm ovens, rye bakes slower than wheat flour.",
    ),
    "lower, higher": (
        "The error of the warm oven scale was lower for rye.",
        "The error of the warm oven scale was higher for rye.",
    ),
}
ALIKE = {
    "in other words": ("Rye flour increases the gas of a warm loaf.", "Rye flour raises the gas of a warm loaf."),
    "denied in other words": ("Rye loaves do not need a warm oven.", "Rye loaves need no warm oven."),
    "two directions in other words": (
        "Salt reduces gas and increases the flavour of loaves.",
        "Salt lowers gas and raises the flavour of loaves.",
    ),
    "two directions the other way round": (
        "Salt reduces gas and increases the flavour of loaves.",
        "Salt increases the flavour of loaves and reduces gas.",
    ),
    "directions of two things": ("Salt reduces gas in warm rye loaves.", "Salt increases flavour in warm rye loaves."),
    "not, fails to": (
        "Rye flour does not increase the gas of a warm loaf.",
        "Rye flour fails to increase the gas of a warm loaf.",
    ),
    "unlike matters": ("Rye increases the gas of loaves.", "Snow decreases the reach of radar."),
    "slower, slow": (
        "Loaves of rye are slower in warm ovens than in cold ones.",
        "Loaves of rye are slow in warm ovens.",
    ),
}


@pytest.mark.parametrize(("one", "other"), CONTRARY.values(), ids=CONTRARY.keys())
def test_a_clear_contradiction_is_told(one: str, other: str) -> None:
    assert disagree(one, other)
    assert disagree(other, one)


@pytest.mark.parametrize(("one", "other"), ALIKE.values(), ids=ALIKE.keys())
def test_alike_or_unlike_matters_are_no_contradiction(one: str, other: str) -> None:
    assert not disagree(one, other)
    assert not disagree(other, one)


@pytest.mark.parametrize("pair", [*CONTRARY.values(), *ALIKE.values()], ids=[*CONTRARY, *ALIKE])
def test_no_sentence_contradicts_itself(pair: tuple[str, str]) -> None:
    assert [text for text in pair if disagree(text, text)] == []


@pytest.mark.parametrize(("angle", "opposed"), [(5, (("a", "b"),)), (58, ())], ids=["one matter", "another"])
def test_papers_are_opposed_where_sentences_on_one_matter_disagree(
    angle: float, opposed: tuple[tuple[str, str], ...]
) -> None:
    items = [said(name, text) for name, text in zip("ab", CONTRARY["raises, lowers"], strict=True)]
    assert grouped(items, 0, angle)[0].opposed == opposed


def test_alike_papers_are_not_opposed() -> None:
    items = [said(name, text) for name, text in zip("ab", ALIKE["in other words"], strict=True)]
    assert grouped(items, 0, 5)[0].opposed == ()
