"""The JSON shapes of docs/design.md."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from samples import ANSWER, CALIBRATED, HITS, REFUSAL, UNDATED
from summary_cases import SUMMARY

from rag.errors import BadInput
from rag.records import Turn
from rag.serialise import MAX_CITED, MAX_QUESTION, answer_json, hit_json, paper_json, turn_from_json, turn_json
from rag.settings import load_settings


def test_an_answer_has_exactly_the_shape_of_the_design() -> None:
    assert answer_json(ANSWER, "q1") == {
        "id": "q1",
        "question": "Do calibrated language models have to hallucinate?",
        "answered": True,
        "confidence": "answer",
        "text": "Yes, for arbitrary facts. [1] We show a lower bound. [1] [2]",
        "statements": [
            {"text": "Yes, for arbitrary facts.", "citations": [1], "support": "supported"},
            {"text": "We show a lower bound.", "citations": [1, 2], "support": "quoted"},
        ],
        "citations": [
            {
                "number": 1,
                "paper_id": "arxiv:2311.14648",
                "title": "Calibrated Language Models Must Hallucinate",
                "authors": ["A. Author", "B. Author"],
                "year": 2023,
                "url": "https://example.org/calibrated",
                "evidence": [{"text": "We show a lower bound.", "start": 0, "end": 22}],
            },
            {
                "number": 2,
                "paper_id": "instructretro-0a1b2c",
                "title": UNDATED.title,
                "authors": [],
                "year": None,
                "url": None,
                "evidence": [],
            },
        ],
        "sources": [
            {"paper_id": "arxiv:2311.14648", "title": CALIBRATED.title, "score": 0.032787},
            {"paper_id": "instructretro-0a1b2c", "title": UNDATED.title, "score": 0.016129},
        ],
        "rejected": 1,
        "reason": None,
        "generator": "scripted (test)",
        "timings": {"search_s": 0.05, "total_s": 3.1},
    }


def test_keys_come_in_the_order_of_the_design() -> None:
    keys = "id question answered confidence text statements citations sources rejected reason generator timings"
    assert list(answer_json(REFUSAL, "q")) == keys.split()


def test_a_summary_has_its_themes_by_number_after_its_statements() -> None:
    body = answer_json(SUMMARY)
    assert body["themes"] == [
        {"about": "lower bound, calibration", "citations": [1, 2], "opposed": [[1, 2]]},
        {"about": "", "citations": [3], "opposed": []},
    ]
    keys = list(body)
    assert keys[keys.index("statements") + 1] == "themes"


def test_a_summary_that_states_nothing_yet_has_no_theme_yet() -> None:
    assert answer_json(replace(SUMMARY, statements=(), citations=()))["themes"] == []


def test_an_answer_without_an_id_has_none() -> None:
    assert "id" not in answer_json(ANSWER)


def test_a_refusal_states_nothing_but_names_its_sources() -> None:
    body = answer_json(REFUSAL)
    assert (body["answered"], body["text"], body["statements"], body["citations"]) == (False, "", [], [])
    assert [source["paper_id"] for source in body["sources"]] == [hit.paper.paper_id for hit in HITS]  # type: ignore


def test_a_hit_has_exactly_the_shape_of_the_design() -> None:
    assert hit_json(HITS[1]) == {
        "paper_id": "instructretro-0a1b2c",
        "title": UNDATED.title,
        "score": 0.016129,
        "dense_rank": 3,
        "keyword_rank": None,
        "year": None,
        "url": None,
    }


def test_a_paper_keeps_every_field_and_invents_none() -> None:
    assert paper_json(CALIBRATED)["aliases"] == ["calibrated23"]
    unknown = {key for key, value in paper_json(UNDATED).items() if value in (None, [])}
    assert unknown == {"authors", "year", "venue", "url", "doi", "source", "aliases"}


def test_a_turn_survives_the_round_trip() -> None:
    turn = Turn("What is RETRO?", ("a", "b"))
    assert turn_from_json(json.loads(json.dumps(turn_json(turn)))) == turn


def test_a_turn_without_citations_cited_nothing() -> None:
    assert turn_from_json({"question": "q"}) == Turn("q")


def test_a_turn_may_hold_any_question_that_can_be_asked() -> None:
    longest = "q" * MAX_QUESTION
    assert turn_from_json({"question": longest}) == Turn(longest)
    assert load_settings(max_question_chars=MAX_QUESTION)
    with pytest.raises(BadInput, match="max_question_chars"):
        load_settings(max_question_chars=MAX_QUESTION + 1)


@pytest.mark.parametrize(
    ("value", "named"),
    [
        pytest.param(None, "nothing", id="null"),
        pytest.param(["q"], "a list", id="list"),
        pytest.param({}, "question", id="no-question"),
        pytest.param({"question": 3}, "question", id="question-is-a-number"),
        pytest.param({"question": " \n"}, "blank", id="blank-question"),
        pytest.param({"question": "q" * (MAX_QUESTION + 1)}, "20,001 characters long, 20,000 are", id="long-question"),
        pytest.param({"question": "q", "cited": "a"}, "cited", id="cited-is-a-string"),
        pytest.param({"question": "q", "cited": [1]}, "cited", id="cited-holds-a-number"),
        pytest.param({"question": "q", "cited": ["a"] * (MAX_CITED + 1)}, str(MAX_CITED), id="too-many"),
    ],
)
def test_what_is_no_turn_is_refused_by_name(value: object, named: str) -> None:
    with pytest.raises(BadInput, match=named):
        turn_from_json(value)
