"""Conversations over a small handwritten collection with the real embedder: by the library, --continue and --batch."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from conftest import footnote

from rag.assistant import Assistant
from rag.records import Answer, Turn
from rag.serialise import answer_json, turn_json
from rag.settings import load_settings

pytestmark = pytest.mark.slow

PAPERS = {
    "icefront": (
        "IceFront: Glacier Retreat from Satellite Radar",
        2019,
        "IceFront draws the fronts of glaciers on satellite radar scenes with a segmentation network. "
        "It is trained on 1,200 scenes of Greenland, and clouds do not disturb it.",
    ),
    "snowline": (
        "Snowline: Measuring Glacier Retreat in Optical Satellite Images",
        2021,
        "A random forest follows the snow line through optical images and derives how fast a glacier retreats. "
        "It learned from 40 years of photographs of the Alps, a third of which clouds make useless.",
    ),
    "moraine": (
        "Moraine: Glacier Outlines from Elevation and Satellite Images",
        2023,
        "Moraine finds the edges of debris-covered glaciers, which cameras in orbit miss, in elevation models. "
        "Experts outlined 600 glaciers of the Himalaya to train it.",
    ),
    "flowermind": (
        "What Honey Bees Remember of Flowers",
        2020,
        "Honey bees learn the colour and the scent of flowers that pay. "
        "We trained 300 honey bees on artificial flowers. "
        "They remembered the colour of a flower for six days after three visits. "
        "Scent was learned after a single visit.",
    ),
    "bumble": (
        "Bumblebees Learn Flowers from One Another",
        2023,
        "Bumblebees learn which flowers pay by watching other bumblebees. Naive bumblebees were shown experienced ones "
        "through a screen. They chose the same flowers in 74 percent of their visits. "
        "Bees that had watched wooden models chose at random.",
    ),
    "sourdough": (
        "The Microbes of Sourdough Bread",
        2018,
        "Sourdough bread rises by wild yeast and bacteria. We sequenced 500 sourdough starters from four continents. "
        "The flour decides which microbes live in a starter, and the climate does not. "
        "Acetic acid bacteria slow the rise of the dough.",
    ),
    "crust": (
        "Why Bread Crust Crackles",
        2022,
        "The crust of bread crackles while it cools. We recorded 90 loaves with microphones. "
        "Loaves baked with steam crackle twice as often. The sound tells how dry the crust is.",
    ),
    "rails": (
        "Hearing Cracks in Railway Tracks",
        2021,
        "Cracks in rails are found by ultrasound trains, which run rarely. We listen to rails with microphones on "
        "ordinary trains. A recurrent network finds 93 percent of the cracks longer than five millimetres. "
        "Switches cause most of the false alarms.",
    ),
    "delays": (
        "Forecasting Train Delays with Graph Networks",
        2023,
        "Delays of trains spread through a railway network. We forecast them with a graph network over stations. "
        "On two years of Swiss timetables it halves the error of the operator's forecast. "
        "Snow is the main cause of what it misses.",
    ),
    "owls": (
        "The Silent Flight of Owls",
        2017,
        "Owls fly without a sound that mice could hear. The fringes of their wings break up the air's turbulence. "
        "Wings without fringes were nine decibels louder in a wind tunnel.",
    ),
}

GLACIERS = "Which approaches to measuring the retreat of glaciers from satellites are there?"
BEES = "How long do honey bees remember the colour of their flowers?"
BACK_TO_THE_FIRST = (GLACIERS, "Just the second paper", "What does the first one say of clouds?")


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("conversations")
    keys = ("paper_id", "title", "year", "abstract")
    records = [dict(zip(keys, (paper_id, *fields), strict=True)) for paper_id, fields in PAPERS.items()]
    (folder / "papers.jsonl").write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    built = footnote("index", str(folder / "papers.jsonl"), "--index", str(folder / "index"))
    assert built.returncode == 0, built.stderr
    return folder / "index"


@pytest.fixture(scope="module")
def assistant(index: Path) -> Iterator[Assistant]:
    with Assistant.open(load_settings(index=index, generator="none")) as opened:
        yield opened


def held(assistant: Assistant, *questions: str, summary: bool = False) -> list[Answer]:
    """The answers of a conversation, each question asked after the turns before it; the first by a summary or not."""
    answers: list[Answer] = []
    for question in questions:
        history = [answer.turn for answer in answers]
        answers.append(assistant.ask(question, history, summary=summary and not answers))
    return answers


def test_a_second_turn_finds_what_the_first_was_about(assistant: Assistant) -> None:
    crust, more = held(assistant, "Why does the crust of bread crackle?", "And what makes them do it more often?")
    assert crust.turn.cited[0] == more.turn.cited[0] == "crust"
    assert "Loaves baked with steam crackle twice as often." in more.text


def test_a_third_turn_reaches_back_over_the_second_to_the_subject(assistant: Assistant) -> None:
    *_, alone = held(assistant, "And how many?")
    *_, third = held(assistant, "Who recorded loaves of bread with microphones?", "What for?", "And how many?")
    assert alone.turn.cited[:1] != ("crust",)
    assert third.turn.cited[0] == "crust"
    assert "We recorded 90 loaves with microphones." in third.text


def test_a_third_turn_reaches_back_to_the_first_paper(assistant: Assistant) -> None:
    listing, second, first = held(assistant, *BACK_TO_THE_FIRST, summary=True)
    assert len(listing.turn.cited) > 2
    assert second.turn.cited == listing.turn.cited[1:2]
    assert first.hits[0].paper.paper_id == listing.turn.cited[0]
    assert listing.turn.cited[0] in first.turn.cited


@pytest.mark.parametrize("order", permutations(("icefront", "snowline", "moraine")), ids=" ".join)
def test_a_paper_is_picked_from_the_list_whatever_its_order(assistant: Assistant, order: tuple[str, ...]) -> None:
    history = [Turn(GLACIERS, order)]
    for which, paper_id in zip(("second", "first", "third"), (order[1], order[0], order[2]), strict=True):
        answer = assistant.ask(f"What is said of clouds in the {which} one?", history)
        assert answer.hits[0].paper.paper_id == paper_id
        history.append(answer.turn)


def test_two_papers_of_a_conversation_are_compared(assistant: Assistant) -> None:
    history = [Turn(GLACIERS, ("icefront", "snowline", "moraine")), Turn("Just the third paper", ("moraine",))]
    both = assistant.ask("How does it compare with the first one?", history)
    assert [hit.paper.paper_id for hit in both.hits] == ["icefront", "moraine"]


@pytest.mark.parametrize("question", [BEES, "How do bumblebees learn which flowers pay?"])
def test_a_change_of_subject_leaves_the_earlier_papers_behind(assistant: Assistant, question: str) -> None:
    alone = assistant.ask(question)
    _, after = held(assistant, GLACIERS, question)
    assert alike(after) == alike(alone)


def test_a_follow_up_after_a_change_of_subject_is_on_the_new_one(assistant: Assistant) -> None:
    *_, scent = held(assistant, GLACIERS, BEES, "And their scent?")
    assert set(scent.turn.cited) <= {"flowermind", "bumble"}


def test_only_a_year_and_what_follows_it_stay_in_that_year(assistant: Assistant) -> None:
    _, only, trained = held(assistant, GLACIERS, "Only in 2023", "What was it trained on?")
    for answer in (only, trained):
        assert answer.turn.cited == ("moraine",)
        assert {hit.paper.year for hit in answer.hits} == {2023}
    assert "600 glaciers of the Himalaya" in trained.text


def test_just_the_second_paper_and_what_follows_it_stay_with_that_paper(assistant: Assistant) -> None:
    listing, only, trained = held(assistant, GLACIERS, "Just the second paper", "What was it trained on?", summary=True)
    assert only.turn.cited == trained.turn.cited == listing.turn.cited[1:2]


def test_the_library_continue_and_batch_answer_alike(assistant: Assistant, index: Path) -> None:
    questions = (GLACIERS, BEES, "And their scent?")
    answers = held(assistant, *questions)
    expected = [alike(answer) for answer in answers]
    assert continued(index, *questions) == expected
    assert in_batch(index, questions, [answer.turn for answer in answers]) == expected
    assert in_batch(index, questions, questions) == expected


def test_they_answer_alike_after_a_summary(assistant: Assistant, index: Path) -> None:
    answers = held(assistant, *BACK_TO_THE_FIRST, summary=True)
    expected = [alike(answer) for answer in answers]
    assert continued(index, *BACK_TO_THE_FIRST, summary=True) == expected
    assert in_batch(index, BACK_TO_THE_FIRST, [answer.turn for answer in answers], summary=True) == expected


def continued(index: Path, first: str, *rest: str, summary: bool = False) -> list[str]:
    """The answers to the questions, asked one by one with --continue."""
    answers = [answered(index, first, *(["--summary"] if summary else []))]
    return answers + [answered(index, question, "--continue") for question in rest]


def answered(index: Path, question: str, *options: str) -> str:
    asked = footnote("ask", question, "--json", "--generator", "none", "--index", str(index), *options)
    assert asked.returncode == 0, asked.stderr
    return same_part(json.loads(asked.stdout))


def in_batch(
    index: Path, questions: Sequence[str], history: Sequence[str | Turn], *, summary: bool = False
) -> list[str]:
    """The answers to the questions in one batch, each with the part of `history` that lies before it."""
    written = [turn_json(each) if isinstance(each, Turn) else each for each in history]
    lines = [
        json.dumps({"question": question, "history": written[:place], "summary": summary and not place})
        for place, question in enumerate(questions)
    ]
    asked = footnote("ask", "--batch", "-", "--generator", "none", "--index", str(index), stdin="\n".join(lines))
    assert asked.returncode == 0, asked.stderr
    return [same_part(json.loads(line)) for line in asked.stdout.splitlines()]


def alike(answer: Answer) -> str:
    return same_part(answer_json(answer))


def same_part(answer: dict[str, Any]) -> str:
    """An answer's JSON without the one part that differs from run to run."""
    return json.dumps({key: value for key, value in answer.items() if key != "timings"}, ensure_ascii=False)
