"""The main job on the shipped collection, with the real models, through the command."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import footnote

pytestmark = pytest.mark.slow

HALLUCINATE = "Do calibrated language models have to hallucinate?"


def asked(index: Path, question: str, *options: str) -> dict[str, Any]:
    # A busy machine must not reach the time limit, the one thing that may change an answer.
    run = footnote("ask", question, "--json", "--index", str(index), *options, FOOTNOTE_TIME_LIMIT_S="600")
    assert run.returncode == 0, run.stderr
    answer: dict[str, Any] = json.loads(run.stdout)
    return answer


def test_indexing_reports_314_papers_from_429_entries(shipped_index: Path) -> None:
    report = (shipped_index.parent / "report.txt").read_text(encoding="utf-8")
    assert "314 papers from 429 entries" in report


def test_indexing_again_changes_and_embeds_nothing(shipped_index: Path) -> None:
    report = json.loads(footnote("index", "--json", "--index", str(shipped_index)).stdout)
    assert (len(report["unchanged"]), report["embedded"]) == (314, 0)
    assert report["added"] == report["changed"] == report["removed"] == []


def test_the_main_question_is_answered_with_citations_and_the_same_bytes_twice(shipped_index: Path) -> None:
    answers = [asked(shipped_index, HALLUCINATE) for _ in range(2)]
    for answer in answers:
        del answer["timings"]
    first, second = (json.dumps(answer) for answer in answers)
    assert first == second
    answer = answers[0]
    assert answer["answered"]
    assert answer["citations"][0]["title"] == "Calibrated Language Models Must Hallucinate"
    assert all(statement["citations"] for statement in answer["statements"])
    assert "necessary" in answer["text"]


def test_a_named_method_is_found_first(shipped_index: Path) -> None:
    answer = asked(shipped_index, "What is InstructRetro?", "--generator", "none")
    title = "InstructRetro: Instruction Tuning post Retrieval-Augmented Pretraining"
    assert answer["sources"][0]["title"] == title


def test_a_question_about_something_else_is_refused(shipped_index: Path) -> None:
    run = footnote("ask", "What is the capital of France?", "--index", str(shipped_index))
    assert run.returncode == 3
    assert "Paris" not in run.stdout


def test_a_batch_answers_every_line(shipped_index: Path) -> None:
    questions = Path(__file__).parent.parent / "eval" / "questions" / "pretraining.jsonl"
    lines = questions.read_text(encoding="utf-8").splitlines()[:20]
    run = footnote("ask", "--batch", "-", "--generator", "none", "--index", str(shipped_index), stdin="\n".join(lines))
    answers = [json.loads(line) for line in run.stdout.splitlines()]
    assert [answer["id"] for answer in answers] == [json.loads(line)["id"] for line in lines]
    assert all(s["citations"] for answer in answers for s in answer["statements"])


NO_NETWORK = """
import socket, sys

def refuse(kind):
    def refused(*arguments, **settings):
        print("TRIED", kind, arguments[-2:], file=sys.stderr)
        raise OSError("the network was tried")
    return refused

ordinary = socket.socket.connect
def connect(self, address):
    return ordinary(self, address) if self.family == socket.AF_UNIX else refuse("connect")(address)

socket.socket.connect = connect
socket.socket.connect_ex = refuse("connect_ex")
socket.getaddrinfo = refuse("getaddrinfo")
socket.gethostbyname = refuse("gethostbyname")
"""


@pytest.mark.parametrize(
    "command",
    [
        ["ask", HALLUCINATE],
        ["search", "memory efficient fine-tuning"],
        ["index"],
    ],
    ids=lambda command: command[0],
)
def test_nothing_is_looked_up_or_connected_to(shipped_index: Path, tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "sitecustomize.py").write_text(NO_NETWORK, encoding="utf-8")
    offline = ["unshare", "-rn"] if _can_unshare() else []
    run = subprocess.run(
        [*offline, sys.executable, "-m", "ui.cli", *command, "--index", str(shipped_index)],
        capture_output=True,
        text=True,
        env={**_plain_environment(), "PYTHONPATH": str(tmp_path)},
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert "TRIED" not in run.stderr


def _can_unshare() -> bool:
    if shutil.which("unshare") is None:
        return False
    return subprocess.run(["unshare", "-rn", "true"], capture_output=True, check=False).returncode == 0


def _plain_environment() -> dict[str, str]:
    import os

    return {key: value for key, value in os.environ.items() if not key.endswith("_OFFLINE")}
