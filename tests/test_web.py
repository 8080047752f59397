"""The page as programs meet it: its endpoints, its headers, its login."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from window_cases import ELSEWHERE, FLOODS, TREES, PacedGenerator, served, small_assistant

from rag.assistant import Assistant
from rag.serialise import answer_json, hit_json
from ui.serving import Login

pytestmark = pytest.mark.slow

ANSWER_KEYS = [
    "question",
    "answered",
    "confidence",
    "text",
    "statements",
    "citations",
    "sources",
    "rejected",
    "reason",
    "generator",
    "timings",
]


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    with small_assistant(tmp_path_factory.mktemp("index"), PacedGenerator()) as assistant:
        yield assistant


@pytest.fixture(scope="module")
def address(assistant: Assistant) -> Iterator[str]:
    with served(assistant) as address:
        yield address


def call(address: str, name: str, client: Any = httpx, **given: Any) -> list[tuple[str, Any]]:
    """What a program with nothing but HTTP hears: event and data, in order."""
    joined = client.post(f"{address}/gradio_api/call/v2/{name}", json=given)
    heard = client.get(f"{address}/gradio_api/call/v2/{name}/{joined.json()['event_id']}", timeout=60).text
    blocks = [block.partition("\n") for block in heard.strip().split("\n\n")]
    return [(event.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for event, _, data in blocks]


def timeless(answer: Any) -> Any:
    return {**answer, "timings": None}


def test_ask_streams_the_answer_as_it_grows(address: str, assistant: Assistant) -> None:
    heard = call(address, "ask", question=TREES)
    assert [event for event, _ in heard] == ["generating"] * (len(heard) - 1) + ["complete"]
    answers = [data[0] for _, data in heard]
    assert all(list(answer) == ANSWER_KEYS for answer in answers)
    told = [len(answer["statements"]) for answer in answers]
    assert told == sorted(told)
    assert told[0] == 0
    assert timeless(answers[-1]) == timeless(answer_json(assistant.ask(TREES)))


def test_ask_sums_up_where_it_is_asked_to(address: str, assistant: Assistant) -> None:
    answers = [data[0] for _, data in call(address, "ask", question=TREES, summary=True)]
    assert timeless(answers[-1]) == timeless(answer_json(assistant.ask(TREES, summary=True)))
    assert [theme["about"] for theme in answers[-1]["themes"]] == ["street trees", ""]
    assert answers[-1]["themes"][0]["citations"] == [1, 2]
    assert "themes" not in answers[0]


def test_search_ranks(address: str, assistant: Assistant) -> None:
    [(event, [hits])] = call(address, "search", query=TREES, top_k=3)
    assert event == "complete"
    assert hits == [hit_json(hit) for hit in assistant.search(TREES, top_k=3)]


def test_the_python_client_gets_the_same(address: str, assistant: Assistant) -> None:
    from gradio_client import Client

    client = Client(address, verbose=False)
    answer = client.predict(TREES, api_name="/ask")
    assert timeless(answer) == timeless(answer_json(assistant.ask(TREES)))
    heard = list(client.submit(FLOODS, api_name="/ask"))
    assert len(heard) > 2
    assert heard[-1]["question"] == FLOODS
    assert len(client.predict("trees", top_k=2, api_name="/search")) == 2


def test_a_question_leans_on_the_history_it_comes_with(address: str, assistant: Assistant) -> None:
    turn = {"question": TREES, "cited": ["doi:10.5555/footnote.01"]}
    answer = call(address, "ask", question="What are its errors?", history=[turn])[-1][1][0]
    assert answer["sources"][0]["title"].startswith("Counting Urban Trees")
    bare = call(address, "ask", question="What are its errors?", history=[TREES])[-1][1][0]
    assert bare["answered"]


def test_years_and_papers_narrow_the_answer(address: str) -> None:
    dated = call(address, "ask", question=TREES, year_from=2020)[-1][1][0]
    assert all(citation["year"] >= 2020 for citation in dated["citations"])
    one = call(address, "ask", question=TREES, paper_ids=["doi:10.5555/footnote.02"])[-1][1][0]
    assert [source["paper_id"] for source in one["sources"]] == ["doi:10.5555/footnote.02"]


def test_no_answer_is_an_answer_too(address: str) -> None:
    answer = call(address, "ask", question=ELSEWHERE)[-1][1][0]
    assert (answer["answered"], answer["statements"]) == (False, [])


@pytest.mark.parametrize(
    ("name", "given", "told"),
    [
        ("ask", {"question": " "}, "the question is empty"),
        ("ask", {"question": "x" * 2001}, "2,001 characters"),
        ("ask", {"question": "x" * 5_000_000}, "5,000,000 characters"),
        ("ask", {"question": TREES, "top_k": 0}, "top_k is 0"),
        ("ask", {"question": TREES, "history": [7]}, "a turn is an object"),
        ("ask", {"question": TREES, "summary": "no"}, "summary is true or false"),
        ("search", {"query": ""}, "the question is empty"),
        ("search", {"query": "x", "top_k": 101}, "top_k is 101"),
    ],
    ids=["empty", "long", "megabytes", "no papers", "history", "summary", "empty query", "too many papers"],
)
def test_what_cannot_be_asked_is_told_in_a_line(address: str, name: str, given: dict[str, Any], told: str) -> None:
    [(event, data)] = call(address, name, **given)
    assert event == "error"
    assert told in data["error"]


def test_programs_are_offered_the_two_endpoints_and_no_others(address: str) -> None:
    offered = httpx.get(f"{address}/gradio_api/info").json()
    assert list(offered["named_endpoints"]) == ["/ask", "/search"]
    assert offered["unnamed_endpoints"] == {}


def test_every_answer_carries_the_policy(address: str) -> None:
    for path in ("/", "/config", "/gradio_api/info", "/nothing"):
        assert "default-src 'self'" in httpx.get(address + path).headers["content-security-policy"]


def test_nothing_can_be_uploaded(address: str) -> None:
    assert httpx.post(f"{address}/gradio_api/upload", files={"files": ("a.txt", b"some text")}).status_code >= 400


def test_with_a_login_nothing_is_seen_without_it(assistant: Assistant) -> None:
    with served(assistant, Login({"reader": "secret"})) as address, httpx.Client(base_url=address) as client:
        for path in ("/config", "/gradio_api/info"):
            assert client.get(path).status_code == 401
        assert client.post("/gradio_api/call/v2/ask", json={"question": TREES}).status_code == 401
        assert client.post("/login", data={"username": "reader", "password": "wrong"}).status_code == 400
        assert client.post("/login", data={"username": "reader", "password": "secret"}).status_code == 200
        assert client.get("/gradio_api/info").status_code == 200


def test_with_a_login_a_program_that_logged_in_is_answered(assistant: Assistant) -> None:
    with served(assistant, Login({"reader": "secret"})) as address, httpx.Client(base_url=address) as client:
        client.post("/login", data={"username": "reader", "password": "secret"})
        [*_, (event, [answer])] = call("", "ask", client, question=TREES)
        assert (event, answer["answered"]) == ("complete", True)
        [(event, [hits])] = call("", "search", client, query=TREES, top_k=2)
        assert (event, len(hits)) == ("complete", 2)
