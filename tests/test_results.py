from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from eval.results import FILES_KEPT, Cited, Picked, Result, ResultStore, Withheld, result_from_json
from rag.errors import BadInput
from rag.records import Statement

RESULT = Result(
    answered=True,
    confidence="caution",
    reason="may not be what was asked",
    nearest=0.4375,
    statements=(Statement("Pruna halves “memory”.", (1, 2), "supported"),),
    citations=(Cited(1, "pruna", "Pruna", ("Pruna halves memory.",)), Cited(2, "osca", "Osca")),
    ranking=("pruna", "osca"),
    evidence=(Picked("pruna", "Pruna halves memory."),),
    withheld=(Withheld("It doubles.", "no source says so"),),
    generator="scripted (test)",
    first_statement_s=0.5,
    total_s=1.25,
    pieces=12,
    writing_s=0.75,
)


def test_a_result_survives_json() -> None:
    assert result_from_json(json.loads(json.dumps(RESULT.json()))) == RESULT


@pytest.mark.parametrize(
    "record",
    [{}, {"answered": True}, {**RESULT.json(), "statements": [{}]}, {**RESULT.json(), "more": 1}],
    ids=["empty", "fields missing", "no text", "unknown field"],
)
def test_what_is_no_result_is_refused(record: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        result_from_json(record)


def test_a_kept_result_is_found_in_the_next_run_and_marked(tmp_path: Path) -> None:
    ResultStore(tmp_path / "eval").add("identity", "key", RESULT)
    kept = ResultStore(tmp_path / "eval").get("identity", "key")
    assert kept == RESULT
    assert kept is not None
    assert kept.cached
    assert not RESULT.cached


def test_nothing_is_found_under_another_key_or_identity(tmp_path: Path) -> None:
    store = ResultStore(tmp_path)
    store.add("identity", "key", RESULT)
    assert store.get("identity", "other") is None
    assert store.get("other", "key") is None


def test_fresh_finds_nothing_and_what_it_adds_counts_from_then_on(tmp_path: Path) -> None:
    ResultStore(tmp_path).add("identity", "key", RESULT)
    fresh = ResultStore(tmp_path, fresh=True)
    assert fresh.get("identity", "key") is None
    fresh.add("identity", "key", replace(RESULT, nearest=0.9))
    for store in (fresh, ResultStore(tmp_path)):
        found = store.get("identity", "key")
        assert found is not None
        assert found.nearest == 0.9


def test_an_error_is_asked_again(tmp_path: Path) -> None:
    ResultStore(tmp_path).add("identity", "key", Result(error="out of memory"))
    assert ResultStore(tmp_path).get("identity", "key") is None
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("torn", [b'{"key": "b", "res', b"[]\n", b'"x"\n', b"\xff\xfe\n", b'{"key": "b"}\n', b"null"])
def test_half_a_line_costs_nothing_but_itself(tmp_path: Path, torn: bytes) -> None:
    ResultStore(tmp_path).add("identity", "a", RESULT)
    [file] = tmp_path.iterdir()
    with file.open("ab") as stream:
        stream.write(torn)
    ResultStore(tmp_path).add("identity", "c", RESULT)
    store = ResultStore(tmp_path)
    assert [store.get("identity", key) is not None for key in "abc"] == [True, False, True]


def test_the_results_of_long_ago_make_room(tmp_path: Path) -> None:
    for number in range(FILES_KEPT + 3):
        ResultStore(tmp_path).add(f"identity{number}", "key", RESULT)
        os.utime(tmp_path / f"identity{number}.jsonl", (number, number))
    assert len(list(tmp_path.iterdir())) == FILES_KEPT
    assert ResultStore(tmp_path).get("identity0", "key") is None
    assert ResultStore(tmp_path).get(f"identity{FILES_KEPT + 2}", "key") is not None


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match=r"results cannot be kept in .*FOOTNOTE_CACHE"):
        ResultStore(tmp_path / "file" / "eval").add("identity", "key", RESULT)
