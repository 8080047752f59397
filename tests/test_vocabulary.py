"""What the words of a question tell about the collection."""

from __future__ import annotations

from collections import Counter

import pytest

from rag.answering.vocabulary import all_in_one, mended, unknown_share, unknown_words
from rag.records import Paper
from rag.text import terms

PAPERS = (
    Paper("glaciers", "How glaciers move", "Glaciers slide on water."),
    Paper("bees", "Bees", "Bees find home by landmarks, and training lengthens their flights."),
)
HELD = Counter(term for paper in PAPERS for term in set(terms(f"{paper.title} {paper.abstract}")))


def held(term: str) -> int:
    return HELD[term]


@pytest.mark.parametrize(
    ("question", "unknown"),
    [
        pytest.param("Do glaciers move in Atlantis?", ("Atlantis",), id="one word, as typed"),
        pytest.param("How do bees find home?", (), id="all known"),
        pytest.param("Zebras and zebras and Zebras", ("Zebras", "zebras"), id="each spelling once"),
        pytest.param("What is it?", (), id="function words"),
        pytest.param("bee-glacier", (), id="a compound of known words"),
        pytest.param("???", (), id="no words"),
        pytest.param("glacires", (), id="two letters exchanged"),
        pytest.param("glaciiers", (), id="a letter too many"),
        pytest.param("glacuers", (), id="a wrong letter"),
        pytest.param("trainng landmrks", (), id="a letter lost"),
        pytest.param("glacurires", ("glacurires",), id="two slips"),
        pytest.param("beds", ("beds",), id="too short to be a slip"),
        pytest.param("What is 'foobarium'?", ("foobarium",), id="without its quotation marks"),
        pytest.param("x" * 20_000, ("x" * 20_000,), id="too long to be a slip"),
    ],
)
def test_words_that_no_paper_holds(question: str, unknown: tuple[str, ...]) -> None:
    assert unknown_words(question, held) == unknown


@pytest.mark.parametrize(
    ("question", "share"),
    [
        pytest.param("Do glaciers move in Atlantis?", 0.5, id="by weight"),
        pytest.param("glacires", 0.0, id="a slip"),
        pytest.param("Zebras?", 1.0, id="nothing known"),
        pytest.param("What is it?", 0.0, id="function words"),
    ],
)
def test_share_of_what_no_paper_holds(question: str, share: float) -> None:
    weights = {"atlanti": 2.0}
    assert unknown_share(question, lambda term: weights.get(term, 1.0), held) == share


@pytest.mark.parametrize(
    ("question", "read", "put_in"),
    [
        pytest.param(
            "how do glacires mvoe on watr", "how do glaciers mvoe on watr", ("glaciers",), id="not what is short"
        ),
        pytest.param(
            "trainng and landmrks, trainng",
            "training and landmarks, training",
            ("training", "landmarks"),
            id="each once",
        ),
        pytest.param("glacuers or glaciiers?", "glaciers or glaciers?", ("glaciers",), id="one word twice"),
        pytest.param("do glaciers slide?", "do glaciers slide?", (), id="nothing mistyped"),
        pytest.param("do placiers slide?", "do placiers slide?", (), id="nobody mistypes the first letter"),
        pytest.param("does Glacires or gLacires slide?", "does Glacires or gLacires slide?", (), id="names"),
        pytest.param("a flight of fancys", "a flight of fancys", (), id="no paper holds what may be meant"),
        pytest.param("do bees find wager?", "do bees find wager?", (), id="a word of the language"),
        pytest.param("bees' trainng-flights", "bees' trainng-flights", (), id="a compound of which a part is known"),
        pytest.param("'glacires' and “trainng”", "'glaciers' and “training”", ("glaciers", "training"), id="quoted"),
        pytest.param("???", "???", (), id="no words"),
    ],
)
def test_mistyped_words_are_mended(question: str, read: str, put_in: tuple[str, ...]) -> None:
    assert mended(question, held, {"wager", "flight", "fancy"}.__contains__) == (read, put_in)


def test_the_likeliest_slip_is_mended() -> None:
    """A lost letter before a wrong one, whatever more papers hold; then the word of the most papers."""
    papers = {"financ": 1, "final": 9, "modem": 1, "model": 2}
    assert mended("finace modek", lambda term: papers.get(term, 0), lambda _: False)[0] == "finance model"


@pytest.mark.parametrize(
    ("question", "told"),
    [
        pytest.param("What are landmarks?", True, id="a name by itself"),
        pytest.param("Do bees find glaciers?", False, id="over two papers"),
        pytest.param("Do bees find zebras?", False, id="one word too many"),
        pytest.param("What is it?", False, id="no words"),
    ],
)
def test_whether_one_paper_holds_every_word(question: str, told: bool) -> None:
    assert all_in_one(question, PAPERS) is told
