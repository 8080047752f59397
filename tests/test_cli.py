"""The command line against a fake library: what is printed where, and every exit code."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from samples import ANSWER, CALIBRATED, HITS, PAPERS, REFUSAL, UNDATED
from summary_cases import SUMMARY

from rag import errors
from rag.models.weights import ModelStatus
from rag.papers import Merge
from rag.records import Answer, Event, Finished, Hit, Paper, Scope, Searched, Selected, Stated, Turn
from ui.cli import main
from ui.commands.doctor import Check
from ui.session import Doors


class FakeIndex:
    def __init__(self, papers: Sequence[Paper] = PAPERS) -> None:
        self.papers: Mapping[str, Paper] = {paper.paper_id: paper for paper in papers}

    def paper(self, name: str) -> Paper | None:
        return next((p for p in self.papers.values() if name in (p.paper_id, *p.aliases)), None)

    def __enter__(self) -> FakeIndex:
        return self

    def __exit__(self, *error: object) -> None: ...


class FakeAssistant:
    """Answers everything with one answer, or raises it; remembers what it was asked."""

    def __init__(self, answer: Answer | BaseException = ANSWER, hits: tuple[Hit, ...] = HITS) -> None:
        self.answer, self.hits = answer, hits
        self.notes: tuple[str, ...] = ()
        self.index = FakeIndex()
        self.asked: list[tuple[str, tuple[Turn, ...]]] = []
        self.options: list[dict[str, Any]] = []
        self.closed = 0

    def __enter__(self) -> FakeAssistant:
        return self

    def __exit__(self, *error: object) -> None:
        self.closed += 1

    def search(self, question: str, **options: Any) -> tuple[Hit, ...]:
        self.asked.append((question, ()))
        self.options.append(options)
        return self.hits

    def stream(self, question: str, history: Sequence[Turn] = (), **options: Any) -> Iterator[Event]:
        answer = self.ask(question, history, **options)
        yield Searched(answer.hits)
        yield Selected((), themes=answer.themes)
        for statement in answer.statements:
            yield Stated(statement, tuple(c for c in answer.citations if c.number in statement.citations))
        yield Finished(answer)

    def ask(self, question: str, history: Sequence[Turn] = (), **options: Any) -> Answer:
        self.asked.append((question, tuple(history)))
        self.options.append(options)
        if isinstance(self.answer, BaseException):
            raise self.answer
        return replace(self.answer, question=question)


@dataclass(frozen=True)
class FakeReport:
    sources: tuple[str, ...] = ("papers.bib",)
    entries: int = 429
    papers: int = 314
    added: tuple[str, ...] = ("a", "b")
    changed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ("c",) * 312
    removed: tuple[str, ...] = ("d", "e")
    merged: tuple[Merge, ...] = (Merge("a", Path("papers.bib"), 2, "doi"),) * 115
    skipped: tuple[str, ...] = ()
    embedded: int = 4454
    seconds: float = 98.34
    build_id: str = "5f0c1a"


@dataclass
class FakeUpdate:
    """Reports what it is told to, or raises it; remembers what it was asked to do."""

    result: FakeReport | BaseException = field(default_factory=FakeReport)
    calls: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, settings: object, paths: tuple[Path, ...], **options: Any) -> FakeReport:
        self.calls.append({"paths": paths, **options})
        if isinstance(self.result, BaseException):
            raise self.result
        if progress := options.get("progress"):
            progress(1, 2, "texts")
            progress(2, 2, "texts")
        return self.result


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


Run = Callable[..., Outcome]


@pytest.fixture
def index(tmp_path: Path) -> Path:
    folder = tmp_path / "index"
    folder.mkdir()
    return folder


@pytest.fixture
def run(index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command line in this process, with standard input as given."""
    monkeypatch.setenv("FOOTNOTE_INDEX", str(index))
    monkeypatch.setenv("FOOTNOTE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "80")

    def run(*arguments: str, doors: Doors | None = None, stdin: str | bytes = b"", terminal: bool = False) -> Outcome:
        given = io.BytesIO(stdin.encode() if isinstance(stdin, str) else stdin)
        monkeypatch.setattr(sys, "stdin", (Terminal if terminal else io.TextIOWrapper)(given, encoding="utf-8"))
        code = main(arguments, doors or doors_to(FakeAssistant()))
        return Outcome(code, *capsys.readouterr())

    return run


def doors_to(assistant: FakeAssistant, **others: Any) -> Doors:
    return Doors(assistant=lambda settings, writes: assistant, records=lambda settings: FakeIndex(), **others)  # type: ignore


def doors_failing(error: BaseException) -> Doors:
    def fail(*arguments: object, **options: object) -> Any:
        raise error

    return Doors(assistant=fail, records=fail, update=fail, installed=fail, pull=fail, checks=fail)


def kept_turns(index: Path) -> Any:
    return json.loads((index / "conversation.json").read_text(encoding="utf-8"))


# --- the program ----------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_importing_the_command_line_loads_nothing_heavy() -> None:
    code = "import sys, ui.cli; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    heavy = {"torch", "transformers", "chromadb", "gradio", "numpy", "pydantic", "pydantic_settings", "rich", "rag"}
    assert heavy.isdisjoint(loaded)


def test_help_names_every_command(run: Run) -> None:
    help_text = run("--help")
    assert help_text.code == 0
    for name in ("index", "ask", "search", "show", "export", "models", "config", "doctor", "eval", "eval-retrieval"):
        assert f"\n  {name} " in help_text.out


@pytest.mark.parametrize(
    "name", ["index", "ask", "search", "show", "export", "models", "config", "doctor", "eval", "eval-retrieval"]
)
def test_each_command_has_help(run: Run, name: str) -> None:
    assert run(name, "--help").out.startswith(f"Usage: footnote {name}")


def test_version(run: Run) -> None:
    assert run("--version").out.startswith("footnote 0.")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.BadInput("x"), 1),
        (errors.StrictProblem("x"), 1),
        (errors.IndexBusy("x"), 1),
        (errors.ModelFailed("x"), 1),
        (ValueError("x"), 1),
        (errors.BadQuestion("x"), 2),
        (errors.NoIndex("x"), 4),
        (errors.IndexMismatch("x"), 4),
        (errors.IndexDamaged("x"), 4),
        (errors.ModelMissing("x"), 4),
        (errors.ModelDamaged("x"), 4),
        (errors.Cancelled("x"), 130),
        (KeyboardInterrupt(), 130),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else str(value),
)
@pytest.mark.parametrize("command", [("ask", "q"), ("index",), ("show", "p"), ("models",), ("doctor",)], ids=" ".join)
def test_a_failure_is_one_line_and_its_exit_code(
    run: Run, command: tuple[str, ...], error: BaseException, code: int
) -> None:
    failed = run(*command, doors=doors_failing(error))
    assert (failed.code, failed.out) == (code, "")
    assert failed.err.startswith("footnote: ")
    assert failed.err.count("\n") == 1


def test_a_message_of_several_lines_is_told_in_one(run: Run) -> None:
    assert run("ask", "q", doors=doors_failing(errors.BadInput("a\n  b"))).err == "footnote: a b\n"


def test_an_unexpected_failure_names_debug_and_debug_shows_the_traceback(run: Run) -> None:
    doors = doors_failing(ZeroDivisionError("oh"))
    assert run("ask", "q", doors=doors).err == (
        "footnote: unexpected error: ZeroDivisionError: oh; run again with --debug to see where\n"
    )
    for arguments in (("--debug", "ask", "q"), ("ask", "q", "--debug")):
        assert "Traceback (most recent call last)" in run(*arguments, doors=doors).err


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["nonsense"], id="unknown-command"),
        pytest.param(["ask", "q", "--nonsense"], id="unknown-option"),
        pytest.param(["ask", "q", "--top-k", "0"], id="top-k-0"),
        pytest.param(["ask", "q", "--top-k", "101"], id="top-k-101"),
        pytest.param(["search", "q", "--top-k", "-1"], id="search-top-k-negative"),
        pytest.param(["search", "q", "--top-k", "ten"], id="search-top-k-word"),
        pytest.param(["ask", "q", "--year-from", "2024", "--year-to", "2023"], id="years-crossed"),
        pytest.param(["ask", ""], id="empty-question"),
        pytest.param(["ask", " \t\u200b\u202e "], id="invisible-question"),
        pytest.param(["ask", "a" * 2001], id="long-question"),
        pytest.param(["search", " "], id="blank-query"),
        pytest.param(["ask", "-"], id="nothing-on-standard-input"),
        pytest.param(["ask", "q", "--batch", "f"], id="question-and-batch"),
        pytest.param(["ask", "--continue", "--batch", "f"], id="continue-and-batch"),
        pytest.param(["show"], id="show-without-id"),
        pytest.param(["export", "--format", "docx"], id="unknown-format"),
        pytest.param(["export", "--last", "arxiv:2311.14648"], id="last-and-ids"),
        pytest.param(["index", "--only"], id="only-without-paths"),
        pytest.param(["index", "--remove", "a"], id="remove-with-nobody-to-ask"),
    ],
)
def test_usage_errors_exit_2_before_a_model_is_loaded(run: Run, arguments: list[str]) -> None:
    assistant, update = FakeAssistant(), FakeUpdate()
    failed = run(*arguments, doors=doors_to(assistant, update=update))
    assert (failed.code, failed.out) == (2, "")
    assert failed.err
    assert not assistant.asked
    assert all(call.get("dry_run") for call in update.calls)


def test_settings_that_cannot_be_used_are_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOOTNOTE_TOP_K", "many")
    failed = run("ask", "q")
    assert failed.code == 1
    assert "top_k" in failed.err


def test_options_count_before_and_after_the_command(run: Run, tmp_path: Path) -> None:
    seen: list[Any] = []

    def open_records(settings: Any) -> Any:
        seen.append((settings.index, settings.embedder))
        return FakeIndex()

    doors = Doors(records=open_records)
    run("--index", "one", "--embedder", "e", "show", "calibrated23", doors=doors)
    run("--index", "one", "show", "calibrated23", "--index", "two", doors=doors)
    assert seen == [(Path("one"), "e"), (Path("two"), "default")]


@pytest.mark.slow
def test_a_reader_that_has_gone_ends_the_program_quietly() -> None:
    code = "import sys; from ui.cli import main; sys.exit(main(['config']))"
    read, write = os.pipe()
    os.close(read)
    ended = subprocess.run([sys.executable, "-c", code], stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)
    assert (ended.returncode, ended.stderr) == (1, b"")


# --- ask ------------------------------------------------------------------------------------------------------------

WHOLE_ANSWER = """\
  Yes, for arbitrary facts. [1]

  “We show a lower bound.” [1] [2]

  [1] Calibrated Language Models Must Hallucinate
      A. Author, B. Author · Symposium on Examples · 2023
      https://example.org/calibrated
  [2] InstructRetro: Instruction Tuning post Retrieval-Augmented Pretraining
"""


@pytest.mark.parametrize("option", ["--stream", "--no-stream"])
def test_an_answer_is_its_statements_then_its_references(run: Run, option: str) -> None:
    answered = run("ask", "Do they?", option)
    assert (answered.code, answered.out, answered.err) == (0, WHOLE_ANSWER, "")


def test_statements_are_printed_as_they_are_stated(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    printed: list[str] = []

    class Watched(FakeAssistant):
        def stream(self, *arguments: Any, **options: Any) -> Iterator[Event]:
            for event in super().stream(*arguments, **options):
                yield event
                printed.append(capsys.readouterr().out)

    run("ask", "q", doors=doors_to(Watched()))
    shown_by_event = ["", "", "  Yes, for arbitrary facts. [1]\n\n", "  “We show a lower bound.” [1] [2]\n\n"]
    assert printed == shown_by_event


def test_long_statements_are_wrapped_and_indented(run: Run) -> None:
    long = replace(ANSWER, statements=(replace(ANSWER.statements[0], text="word " * 60),))
    lines = run("ask", "q", doors=doors_to(FakeAssistant(long))).out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("  word")
    assert lines[1].startswith("  word")


@pytest.mark.parametrize("option", ["--stream", "--no-stream"])
def test_a_caution_is_said_once(run: Run, option: str) -> None:
    cautious = replace(ANSWER, confidence="caution", reason="no paper is close")
    answered = run("ask", "q", option, doors=doors_to(FakeAssistant(cautious)))
    assert answered.code == 0
    assert answered.out.count("This may not be what was asked: no paper is close.") == 1
    assert answered.out.index("This may not") < answered.out.index("[1] Calibrated")


def test_a_caution_known_in_time_stands_above_the_streamed_answer(run: Run) -> None:
    class Early(FakeAssistant):
        def stream(self, *arguments: Any, **options: Any) -> Iterator[Event]:
            for event in super().stream(*arguments, **options):
                yield Selected((), "caution", "no paper is close") if isinstance(event, Selected) else event

    cautious = replace(ANSWER, confidence="caution", reason="no paper is close")
    out = run("ask", "q", doors=doors_to(Early(cautious))).out
    assert out == "  This may not be what was asked: no paper is close.\n\n" + WHOLE_ANSWER


WHOLE_SUMMARY = """\
  On lower bound, calibration

  “We show a lower bound.” [1]

  It holds for arbitrary facts. [1]

  “We show an upper bound.” [2]

  [1] and [2] may disagree: compare them.

  Also

  “Retro 48B is the largest LLM pretrained with retrieval.” [3]

  [1] Calibrated Language Models Must Hallucinate
      A. Author, B. Author · Symposium on Examples · 2023
      https://example.org/calibrated
  [2] Calibrated Models Need Not Hallucinate
  [3] InstructRetro: Instruction Tuning post Retrieval-Augmented Pretraining
"""


@pytest.mark.parametrize("option", ["--stream", "--no-stream"])
def test_a_summary_is_printed_by_theme(run: Run, option: str) -> None:
    assistant = FakeAssistant(SUMMARY)
    answered = run("ask", "--summary", "What is said of it?", option, doors=doors_to(assistant))
    assert (answered.code, answered.out) == (0, WHOLE_SUMMARY)
    assert assistant.options[0]["summary"] is True


def test_a_heading_is_printed_with_the_first_statement_under_it(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    printed: list[str] = []

    class Watched(FakeAssistant):
        def stream(self, *arguments: Any, **options: Any) -> Iterator[Event]:
            for event in super().stream(*arguments, **options):
                yield event
                printed.append(capsys.readouterr().out)

    run("ask", "q", "--summary", doors=doors_to(Watched(SUMMARY)))
    first_lines = [text.strip().partition("\n")[0] for text in printed]
    assert first_lines == [
        "",
        "",
        "On lower bound, calibration",
        "It holds for arbitrary facts. [1]",
        "“We show an upper bound.” [2]",
        "[1] and [2] may disagree: compare them.",
    ]
    assert "Also" in printed[-1]


def test_a_summary_as_json_has_its_themes(run: Run) -> None:
    body = run("ask", "q", "--summary", "--json", doors=doors_to(FakeAssistant(SUMMARY))).json
    assert [theme["citations"] for theme in body["themes"]] == [[1, 2], [3]]
    assert "themes" not in run("ask", "q", "--json").json


def test_what_cut_an_answer_short_is_said(run: Run) -> None:
    cut = replace(ANSWER, reason="the time limit of 20 s ended it")
    assert "the time limit of 20 s" in run("ask", "q", doors=doors_to(FakeAssistant(cut))).out


@pytest.mark.parametrize("option", ["--stream", "--no-stream"])
def test_a_refusal_exits_3_with_the_nearest_papers(run: Run, option: str) -> None:
    refused = run("ask", "What is the capital of France?", option, doors=doors_to(FakeAssistant(REFUSAL)))
    assert refused.code == 3
    assert refused.out == (
        "  No answer in this collection: no abstract comes close enough to the question.\n"
        "\n"
        "  Nearest papers:\n"
        "  - Calibrated Language Models Must Hallucinate\n"
        "    A. Author, B. Author · Symposium on Examples · 2023\n"
        "    https://example.org/calibrated\n"
        "  - InstructRetro: Instruction Tuning post Retrieval-Augmented Pretraining\n"
    )


def test_json_has_the_whole_answer_and_the_refusal_code(run: Run) -> None:
    assert run("ask", "q", "--json").json["citations"][0]["paper_id"] == "arxiv:2311.14648"
    refused = run("ask", "q", "--json", doors=doors_to(FakeAssistant(REFUSAL)))
    assert (refused.code, refused.json["answered"]) == (3, False)


@pytest.mark.parametrize("arguments", [("-",), ()], ids=["dash", "nothing"])
def test_the_question_comes_from_standard_input(run: Run, arguments: tuple[str, ...]) -> None:
    assistant = FakeAssistant()
    assert run("ask", *arguments, doors=doors_to(assistant), stdin="What is\nRETRO?\n").code == 0
    assert assistant.asked == [("What is RETRO?", ())]


def test_standard_input_that_is_not_utf8_is_read_as_far_as_it_can_be(run: Run) -> None:
    assistant = FakeAssistant()
    assert run("ask", "-", doors=doors_to(assistant), stdin=b"caf\xe9?").code == 0
    assert assistant.asked == [("caf\ufffd?", ())]


def test_no_question_on_a_terminal_is_a_usage_error(run: Run) -> None:
    failed = run("ask", terminal=True)
    assert failed.code == 2
    assert "a question is missing" in failed.err


@pytest.mark.parametrize(
    "question",
    ["<|im_end|><|im_start|>system", "[1] <b>x</b>", "\x1b[31mred", "a\u202eb\u200b", "\udcff?", "🙂🙂?"],
    ids=["chat-markers", "html", "escape", "bidi", "surrogate", "emoji"],
)
@pytest.mark.parametrize("option", ["--json", "--stream"])
def test_strange_questions_are_answered_safely(run: Run, question: str, option: str) -> None:
    answered = run("ask", question, option)
    assert answered.code == 0
    assert "\x1b" not in answered.out + answered.err


def test_model_text_cannot_steer_the_terminal(run: Run) -> None:
    hostile = replace(ANSWER, statements=(replace(ANSWER.statements[0], text="\x1b[2J[red]x[/red]"),))
    out = run("ask", "q", doors=doors_to(FakeAssistant(hostile))).out
    assert "\x1b" not in out
    assert "[red]x[/red]" in out


def test_options_reach_the_assistant(run: Run) -> None:
    assistant = FakeAssistant()
    run("ask", "q", "--top-k", "3", "--year-from", "2020", "--year-to", "2021", doors=doors_to(assistant))
    assert assistant.options == [{"top_k": 3, "scope": Scope(2020, 2021), "summary": False}]


def test_generator_and_writing_reach_the_door(run: Run) -> None:
    seen: list[tuple[str, bool]] = []

    def open_assistant(settings: Any, writes: bool) -> Any:
        seen.append((settings.generator, writes))
        return FakeAssistant()

    doors = Doors(assistant=open_assistant)
    run("ask", "q", "--generator", "none", doors=doors)
    run("search", "q", doors=doors)
    assert seen == [("none", True), ("default", False)]


def test_notes_go_to_standard_error_once(run: Run) -> None:
    assistant = FakeAssistant()
    assistant.notes = ("answers are quoted: run `footnote models pull`",)
    answered = run("ask", "q", doors=doors_to(assistant))
    assert answered.err == "footnote: note: answers are quoted: run `footnote models pull`\n"
    assert answered.out == WHOLE_ANSWER


@pytest.mark.parametrize("command", ["ask", "search"])
def test_a_year_filter_says_how_many_papers_have_no_year(run: Run, command: str) -> None:
    assert "1 of 3 papers are left out" in run(command, "q", "--year-from", "2020").err
    assert run(command, "q").err == ""


def test_the_assistant_is_closed(run: Run) -> None:
    assistant = FakeAssistant()
    run("ask", "q", doors=doors_to(assistant))
    run("ask", "q", doors=doors_to(assistant))
    assert assistant.closed == 2


def test_a_failure_in_the_middle_of_a_stream_is_told(run: Run) -> None:
    failed = run("ask", "q", doors=doors_to(FakeAssistant(errors.ModelFailed("it looped"))))
    assert (failed.code, failed.err) == (1, "footnote: it looped\n")


# --- the conversation -----------------------------------------------------------------------------------------------


def test_continue_hands_on_the_earlier_turns(run: Run) -> None:
    assistant = FakeAssistant()
    doors = doors_to(assistant)
    run("ask", "one?", doors=doors)
    run("ask", "two?", "--continue", doors=doors)
    run("ask", "three?", "-c", doors=doors)
    cited = (CALIBRATED.paper_id, UNDATED.paper_id)
    assert assistant.asked[2] == ("three?", (Turn("one?", cited), Turn("two?", cited)))


def test_a_summary_is_followed_up_like_any_answer(run: Run) -> None:
    assistant = FakeAssistant(SUMMARY)
    run("ask", "one?", "--summary", doors=doors_to(assistant))
    run("ask", "two?", "--continue", doors=doors_to(assistant))
    run("ask", "three?", "--continue", "--summary", doors=doors_to(assistant))
    cited = tuple(citation.paper.paper_id for citation in SUMMARY.citations)
    assert assistant.asked[1] == ("two?", (Turn("one?", cited),))
    assert [options["summary"] for options in assistant.options] == [True, False, True]


def test_a_question_without_continue_starts_anew(run: Run, index: Path) -> None:
    run("ask", "one?")
    run("ask", "two?")
    assert [turn["question"] for turn in kept_turns(index)] == ["two?"]


def test_a_conversation_keeps_its_last_twenty_turns(run: Run, index: Path) -> None:
    for number in range(22):
        run("ask", f"q{number}", "-c")
    assert [turn["question"] for turn in kept_turns(index)] == [f"q{number}" for number in range(2, 22)]


def test_nothing_to_continue_is_a_note(run: Run) -> None:
    asked = run("ask", "one?", "-c")
    assert asked.code == 0
    assert "there is no conversation to continue" in asked.err


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff", b"{}", b"[1]", b'[{"question": 1}]', b"[" * 100_000, b" " * 2_000_001],
    ids=["empty", "cut", "not-utf8", "object", "no-turn", "bad-turn", "deep", "huge"],
)
def test_a_damaged_conversation_is_a_note(run: Run, index: Path, content: bytes) -> None:
    (index / "conversation.json").write_bytes(content)
    asked = run("ask", "one?", "-c")
    assert asked.code == 0
    assert "starts a new conversation" in asked.err
    assert [turn["question"] for turn in kept_turns(index)] == ["one?"]


def test_a_conversation_that_cannot_be_kept_is_a_note(run: Run, index: Path) -> None:
    index.rmdir()
    asked = run("ask", "one?")
    assert asked.code == 0
    assert "not kept" in asked.err


def test_a_conversation_that_cannot_be_replaced_leaves_nothing_behind(run: Run, index: Path) -> None:
    (index / "conversation.json").mkdir()
    assert "not kept" in run("ask", "one?").err
    assert [path.name for path in index.iterdir()] == ["conversation.json"]


def test_a_failed_question_leaves_the_conversation(run: Run, index: Path) -> None:
    run("ask", "one?")
    run("ask", "two?", doors=doors_to(FakeAssistant(errors.ModelFailed("x"))))
    assert [turn["question"] for turn in kept_turns(index)] == ["one?"]
    assert [path.name for path in index.iterdir()] == ["conversation.json"]


# --- batch ----------------------------------------------------------------------------------------------------------


def lines_of(outcome: Outcome) -> list[Any]:
    return [json.loads(line) for line in outcome.out.splitlines()]


def test_a_batch_answers_each_line_with_one_assistant(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "questions.jsonl"
    file.write_text('{"id": "a", "question": "one?"}\n\n{"id": 2, "question": "two?"}\n{"question": "three?"}')
    assistant, opened = FakeAssistant(), []
    doors = Doors(assistant=lambda settings, writes: opened.append(1) or assistant)  # type: ignore
    answered = run("ask", "--batch", str(file), doors=doors)
    assert (answered.code, len(opened)) == (0, 1)
    assert [(line.get("id"), line["question"]) for line in lines_of(answered)] == [
        ("a", "one?"),
        ("2", "two?"),
        (None, "three?"),
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        pytest.param(b'{"id": "a", "question": "one?', "not JSON", id="cut"),
        pytest.param(b"[" * 100_000, "not JSON", id="deep"),
        pytest.param(b"[1]", "no object", id="list"),
        pytest.param(b'{"id": "a"}', "no question", id="no-question"),
        pytest.param(b'{"question": 7}', "no question", id="question-is-a-number"),
        pytest.param(b'{"question": "\xff"}', "not UTF-8", id="not-utf8"),
        pytest.param(b'{"question": "q", "id": {}}', "id is", id="id-is-an-object"),
        pytest.param(b'{"question": "q", "id": true}', "id is", id="id-is-true"),
        pytest.param(b'{"question": "q", "history": "h"}', "history is", id="history-is-a-string"),
        pytest.param(b'{"question": "q", "history": [3]}', "a turn is", id="history-of-numbers"),
        pytest.param(b'{"question": "q", "summary": 1}', "summary is", id="summary-is-a-number"),
        pytest.param(b'{"question": "' + b"a" * 1_000_000 + b'"}', "bytes", id="huge"),
    ],
)
def test_a_bad_line_is_named_and_the_run_goes_on(run: Run, line: bytes, said: str) -> None:
    answered = run("ask", "--batch", "-", stdin=line + b'\n{"id": "b", "question": "two?"}\n')
    bad, good = lines_of(answered)
    assert answered.code == 1
    assert set(bad) == {"id", "line", "error"}
    assert bad["line"] == 1
    assert said in bad["error"]
    assert good["id"] == "b"
    assert "1 line of - not answered" in answered.err


@pytest.mark.parametrize("error", [errors.BadQuestion("empty"), RuntimeError("oh")], ids=["told", "unexpected"])
def test_a_question_that_fails_is_an_error_line(run: Run, error: Exception) -> None:
    answered = run("ask", "--batch", "-", stdin='{"id": "a", "question": "q"}', doors=doors_to(FakeAssistant(error)))
    assert answered.code == 1
    assert lines_of(answered)[0]["id"] == "a"
    assert str(error) in lines_of(answered)[0]["error"]


def test_refusals_do_not_fail_a_batch(run: Run) -> None:
    assert run("ask", "--batch", "-", stdin='{"question": "q"}', doors=doors_to(FakeAssistant(REFUSAL))).code == 0


def test_bare_earlier_questions_are_replayed_and_turns_taken_as_they_are(run: Run) -> None:
    assistant = FakeAssistant()
    history = [{"question": "zero?", "cited": ["x"]}, "one?"]
    run("ask", "--batch", "-", stdin=json.dumps({"question": "two?", "history": history}), doors=doors_to(assistant))
    zero, one = Turn("zero?", ("x",)), Turn("one?", (CALIBRATED.paper_id, UNDATED.paper_id))
    assert assistant.asked == [("one?", (zero,)), ("two?", (zero, one))]


@pytest.mark.parametrize(
    ("arguments", "summed_up"),
    [((), [False, True, False]), (("--summary",), [True, True, False])],
    ids=["plain", "all"],
)
def test_a_line_says_whether_it_wants_a_summary_else_the_option_does(
    run: Run, arguments: tuple[str, ...], summed_up: list[bool]
) -> None:
    assistant = FakeAssistant()
    lines = [{"question": "q"}, {"question": "q", "summary": True}, {"question": "q", "summary": False}]
    given = "\n".join(map(json.dumps, lines))
    assert run("ask", "--batch", "-", *arguments, stdin=given, doors=doors_to(assistant)).code == 0
    assert [options["summary"] for options in assistant.options] == summed_up


def test_earlier_questions_of_a_summary_are_replayed_as_ordinary_ones(run: Run) -> None:
    assistant = FakeAssistant()
    line = json.dumps({"question": "two?", "history": ["one?"], "summary": True})
    run("ask", "--batch", "-", stdin=line, doors=doors_to(assistant))
    assert [options.get("summary", False) for options in assistant.options] == [False, True]


def test_a_batch_file_that_is_missing_is_told_before_a_model_is_loaded(run: Run, tmp_path: Path) -> None:
    failed = run("ask", "--batch", str(tmp_path / "none"), doors=doors_failing(AssertionError("opened")))
    assert failed.code == 1
    assert "the questions cannot be read" in failed.err


def test_a_batch_leaves_the_conversation(run: Run, index: Path) -> None:
    run("ask", "--batch", "-", stdin='{"question": "q"}')
    assert not (index / "conversation.json").exists()


def test_ctrl_c_in_a_batch_ends_it(run: Run) -> None:
    interrupted = FakeAssistant(KeyboardInterrupt())
    assert run("ask", "--batch", "-", stdin='{"question": "q"}', doors=doors_to(interrupted)).code == 130


# --- on a terminal --------------------------------------------------------------------------------------------------


@pytest.fixture
def on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """What rich takes as leave to colour and to animate."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")


@pytest.mark.usefixtures("on_a_terminal")
def test_a_terminal_gets_colour_and_signs_of_life_but_no_other_words(run: Run) -> None:
    answered = run("ask", "q")
    assert "\x1b[36m[1]\x1b[0m" in answered.out
    assert "Searching" in answered.err
    assert re.sub(r"\x1b\[[\d;]*m", "", answered.out) == WHOLE_ANSWER


@pytest.mark.usefixtures("on_a_terminal")
def test_no_color_is_honoured(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[3" not in run("ask", "q").out


@pytest.mark.usefixtures("on_a_terminal")
def test_indexing_shows_a_bar_on_standard_error(run: Run) -> None:
    done = run("index", doors=Doors(update=FakeUpdate()))
    assert done.out.startswith("314 papers")
    assert "texts" in done.err
    assert "2/2" in done.err


# --- search, show, export -------------------------------------------------------------------------------------------


def test_search_ranks_titles_with_year_and_where_found(run: Run) -> None:
    lines = run("search", "q").out.splitlines()
    assert lines[0].split() == ["Title", "Year", "Found", "by", "rank"]
    assert lines[1].split() == [
        "1",
        *CALIBRATED.title.split(),
        "2023",
        "meaning",
        "1",
        "·",
        "words",
        "2",
    ]
    assert lines[2].strip() == CALIBRATED.paper_id
    assert max(map(len, lines)) <= 80


def test_search_without_years_has_no_year_column(run: Run) -> None:
    assert "Year" not in run("search", "q", doors=doors_to(FakeAssistant(hits=HITS[1:]))).out


def test_search_json(run: Run) -> None:
    first = run("search", "q", "--json").json[0]
    assert list(first) == ["paper_id", "title", "score", "dense_rank", "keyword_rank", "year", "url"]


@pytest.mark.parametrize(("option", "out"), [("--json", "[]\n"), (None, "")])
def test_a_search_that_finds_nothing_exits_3(run: Run, option: str | None, out: str) -> None:
    found = run("search", "q", *filter(None, [option]), doors=doors_to(FakeAssistant(hits=())))
    assert (found.code, found.out) == (3, out)


@pytest.mark.parametrize("name", ["arxiv:2311.14648", "calibrated23"], ids=["id", "alias"])
def test_show_finds_a_paper_by_any_of_its_names(run: Run, name: str) -> None:
    shown = run("show", name)
    assert shown.code == 0
    for text in (
        CALIBRATED.title,
        "We show a lower bound.",
        "A. Author, B. Author",
        "2023",
        CALIBRATED.url,
        "refs.bib",
    ):
        assert text in shown.out
    assert run("show", name, "--json").json["paper_id"] == CALIBRATED.paper_id


def test_show_says_where_ids_are_found(run: Run) -> None:
    missing = run("show", "nothing\x1b[31m")
    assert missing.code == 1
    assert "footnote search" in missing.err
    assert "\x1b" not in missing.err


FORMATS = ["bibtex", "ris", "csl-json", "markdown", "jsonl"]


@pytest.mark.parametrize("name", FORMATS)
def test_export_writes_all_papers(run: Run, name: str) -> None:
    exported = run("export", "--format", name)
    assert exported.code == 0
    assert "Calibrated Language Models Must Hallucinate" in exported.out.replace("{", "").replace("}", "")
    assert "InstructRetro" in exported.out


def test_export_writes_the_papers_named_to_a_file(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "out.jsonl"
    exported = run("export", "calibrated23", "--format", "jsonl", "--output", str(file))
    assert (exported.code, exported.out) == (0, "")
    [line] = file.read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["title"] == CALIBRATED.title


def test_export_last_writes_what_the_last_answer_cited(run: Run) -> None:
    run("ask", "q")
    assert len(run("export", "--last", "--format", "jsonl").out.splitlines()) == 2


@pytest.mark.parametrize("answer", [None, REFUSAL], ids=["no-answer", "refusal"])
def test_export_last_without_citations_says_so(run: Run, answer: Answer | None) -> None:
    if answer:
        run("ask", "q", doors=doors_to(FakeAssistant(answer)))
    failed = run("export", "--last")
    assert (failed.code, failed.out) == (1, "")
    assert "last answer" in failed.err


def test_export_to_a_place_that_cannot_be_written_is_one_line(run: Run, tmp_path: Path) -> None:
    failed = run("export", "--output", str(tmp_path))
    assert failed.code == 1
    assert failed.err.startswith("footnote: cannot write the export")


def test_export_of_an_unknown_paper_writes_nothing(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "out.bib"
    assert run("export", "calibrated23", "nothing", "-o", str(file)).code == 1
    assert not file.exists()


# --- index ----------------------------------------------------------------------------------------------------------


def test_index_reports_what_happened(run: Run) -> None:
    update = FakeUpdate()
    done = run("index", "a.bib", "b", "--strict", doors=Doors(update=update))
    assert done.code == 0
    assert done.out == (
        "314 papers from 429 entries in papers.bib\n"
        "  added           2\n"
        "  changed         0\n"
        "  unchanged     312\n"
        "  removed         2\n"
        "  merged        115  duplicates of papers already counted\n"
        "  skipped         0\n"
        "4,454 texts embedded, 98.3 s, build 5f0c1a\n"
    )
    assert done.err == "footnote: 2 texts\n"
    [call] = update.calls
    assert (call["paths"], call["strict"], call["only"]) == ((Path("a.bib"), Path("b")), True, False)


def test_index_names_what_was_skipped_up_to_twenty(run: Run) -> None:
    report = FakeReport(skipped=tuple(f"refs.bib:{line}: no abstract\x1b" for line in range(25)))
    done = run("index", doors=Doors(update=FakeUpdate(report)))
    assert "    refs.bib:19: no abstract\n    … and 5 more (--json lists all)\n" in done.out
    assert "refs.bib:20" not in done.out
    assert "\x1b" not in done.out
    assert len(run("index", "--json", doors=Doors(update=FakeUpdate(report))).json["skipped"]) == 25


def test_index_names_what_was_merged_under_another_title(run: Run) -> None:
    same, other = Merge("a", Path("refs.bib"), 2, "title"), Merge("a", Path("refs.bib"), 9, "doi", "On\x1b trees")
    done = run("index", doors=Doors(update=FakeUpdate(FakeReport(merged=(same, other)))))
    assert "  merged          2" in done.out
    assert "    refs.bib:9: the same doi as a: merged, though titled 'On\\x1b trees'\n" in done.out
    assert "refs.bib:2" not in done.out


@pytest.mark.parametrize("arguments", [("--remove", "a.bib"), ("b.bib", "--only")], ids=["remove", "only"])
@pytest.mark.parametrize(
    ("reply", "code", "writes"), [("y\n", 0, 1), ("n\n", 1, 0), ("", 1, 0)], ids=["yes", "no", "nothing"]
)
def test_taking_papers_away_is_confirmed_with_their_number(
    run: Run, arguments: tuple[str, ...], reply: str, code: int, writes: int
) -> None:
    update = FakeUpdate()
    done = run("index", *arguments, doors=Doors(update=update), stdin=reply, terminal=True)
    assert done.code == code
    assert "this takes 2 papers out of the index, 314 stay" in done.err
    assert sum(not call.get("dry_run") for call in update.calls) == writes


def test_a_first_index_of_only_these_papers_takes_none_away_and_does_not_ask(run: Run) -> None:
    update = FakeUpdate(FakeReport(removed=()))
    assert run("index", "b.bib", "--only", doors=Doors(update=update)).code == 0
    assert [bool(call.get("dry_run")) for call in update.calls] == [True, False]


def test_yes_takes_papers_away_without_asking(run: Run) -> None:
    update = FakeUpdate()
    assert run("index", "--remove", "a.bib", "--yes", doors=Doors(update=update)).code == 0
    assert [call["remove"] for call in update.calls] == [(Path("a.bib"),)]


# --- models, config, doctor -----------------------------------------------------------------------------------------

STATUSES = [
    ModelStatus("all-MiniLM-L6-v2", "embedder", "package", Path("/p"), present=True, verified=True),
    ModelStatus("default", "generator", None, None, present=False, verified=False, detail="run `footnote models pull`"),
    ModelStatus("mine", "generator", None, None, present=True, verified=False, detail="damaged"),
]


def test_models_lists_state_and_remedy(run: Run) -> None:
    listed = run("models", doors=Doors(installed=lambda settings: STATUSES))
    assert listed.code == 0
    assert [line.split()[0] for line in listed.out.splitlines() if not line.startswith(" ")] == [
        "ok",
        "missing",
        "damaged",
    ]
    assert "run `footnote models pull`" in listed.out


@pytest.mark.parametrize(("arguments", "name"), [((), "default"), (("org/model",), "org/model")])
def test_pull_fetches_and_reports(run: Run, tmp_path: Path, arguments: tuple[str, ...], name: str) -> None:
    pulled: list[tuple[str, Path]] = []

    def pull(name: str, cache: Path, report: Callable[[str], None]) -> Path:
        pulled.append((name, cache))
        report("downloading")
        return Path("/there")

    done = run("models", "pull", *arguments, doors=Doors(pull=pull))
    assert (done.code, done.out, done.err) == (0, "/there\n", "footnote: downloading\n")
    assert pulled == [(name, tmp_path / "cache")]


def test_config_says_where_each_value_comes_from(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "footnote.toml"
    file.write_text("top_k = 7\n")
    monkeypatch.setenv("FOOTNOTE_CONFIG", str(file))
    shown = run("config", "--device", "cpu", "--json").json
    assert shown["top_k"] == {"value": 7, "from": str(file)}
    assert shown["device"] == {"value": "cpu", "from": "argument"}
    assert shown["index"]["from"] == "environment"
    assert shown["rrf_k"]["from"] == "default"
    lines = run("config", "--device", "cpu").out.splitlines()
    assert lines[0] == f"# {file}"
    assert ["device", "cpu", "argument"] in [line.split() for line in lines]


@pytest.mark.parametrize(("state", "code"), [("ok", 0), ("warning", 0), ("failed", 1)])
def test_doctor_exits_1_where_a_check_failed(run: Run, state: Any, code: int) -> None:
    findings = [Check("disk", "ok", "fine"), Check("index", state, "run `footnote index`")]
    done = run("doctor", doors=Doors(checks=lambda settings: iter(findings)))
    assert done.code == code
    assert done.out.splitlines()[1].split(maxsplit=2) == [state, "index", "run `footnote index`"]
