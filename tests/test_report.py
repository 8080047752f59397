from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from eval_cases import (
    COLLECTION,
    QUESTIONS,
    AnswersEverything,
    CitesAnotherPaper,
    Fails,
    Honest,
    RefusesEverything,
    subject,
)

from eval.datasets import Question
from eval.figures import ALL
from eval.judge import OverlapJudge
from eval.metrics import Difference, Interval
from eval.page import page
from eval.report import (
    Evaluation,
    difference_text,
    evaluate,
    evaluation_json,
    figure_text,
    read_baseline,
    table,
    verdict,
)
from eval.results import Cited, Picked, Result, ResultStore, Withheld
from eval.runner import Trial, run
from eval.scoring import METRICS, score_trials
from rag.errors import BadInput
from rag.records import Paper, Statement

ABOUT = {"questions": "8 of questions.jsonl", "judge": "word overlap"}
CREATED = "2026-01-31T12:00:00+00:00"


def evaluation(assistants: Mapping[str, Honest], folder: Path, baseline: Path | None = None) -> Evaluation:
    """The evaluation of these assistants, by name."""
    scored = {}
    for name, assistant in assistants.items():
        store = ResultStore(folder / name)
        trials = run(QUESTIONS, subject(assistant), store, quoting=subject(assistant))
        scored[name] = score_trials(trials, COLLECTION, OverlapJudge())
    return evaluate(scored, COLLECTION, ABOUT, CREATED, read_baseline(baseline) if baseline else None)


def written(found: Evaluation, path: Path) -> Path:
    path.write_text(json.dumps(evaluation_json(found)), encoding="utf-8")
    return path


# --- JSON and baseline ------------------------------------------------------------------------------------------------


def test_the_json_holds_every_figure_and_every_answer(tmp_path: Path) -> None:
    record = json.loads(written(evaluation({"none": Honest()}, tmp_path), tmp_path / "out.json").read_text())
    [only] = record["subjects"]
    assert (record["schema"], record["created"], record["about"]) == (1, CREATED, ABOUT)
    assert only["figures"]["facts"]["all"]["value"] == 1
    assert set(only["figures"]["facts"]) == {"all", "split:dev", "split:test", "type:fact", "type:which"}
    assert [row["id"] for row in only["rows"]] == [each.id for each in QUESTIONS]
    assert only["rows"][0]["asked"]["statements"][0]["text"] == "Pruna halves the memory of GPT-9."
    assert only["rows"][0]["hidden"]["reason"] == "not here"
    assert only["rows"][0]["shares"]["facts"] == [1, 1]


def test_nothing_in_the_json_is_beyond_json(tmp_path: Path) -> None:
    found = evaluation({"none": Fails("e")}, tmp_path)
    json.dumps(evaluation_json(found), allow_nan=False)


def test_an_unchanged_assistant_has_not_changed(tmp_path: Path) -> None:
    before = written(evaluation({"none": Honest()}, tmp_path), tmp_path / "before.json")
    after = evaluation({"none": Honest()}, tmp_path, before)
    changes = after.changes["none"]
    assert {"facts", "auroc", "abstention_f1", "aurc"} <= changes.keys()
    assert all((change.value, change.p_value) == (0, 1) for change in changes.values())


def test_a_worse_assistant_is_told_from_the_baseline(tmp_path: Path) -> None:
    before = written(evaluation({"none": Honest()}, tmp_path), tmp_path / "before.json")
    after = evaluation({"none": RefusesEverything()}, tmp_path / "after", before)
    change = after.changes["none"]["facts"]
    assert change.value == -1
    assert verdict(METRICS["facts"], change) == "worse"


def test_only_subjects_of_the_same_name_are_compared(tmp_path: Path) -> None:
    before = written(evaluation({"another": Honest()}, tmp_path), tmp_path / "before.json")
    assert evaluation({"none": Honest()}, tmp_path, before).changes == {}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "No such file"),
        ("", "not an evaluation"),
        ("[]", "not an evaluation"),
        ('{"schema": 1}', "not an evaluation"),
        ('{"schema": 1, "subjects": [{"name": "none", "rows": [{"id": "a"}]}]}', "not an evaluation"),
        ('{"schema": 99, "subjects": []}', "schema 99, this version compares 1"),
        ("\udcff", "not an evaluation"),
    ],
    ids=["missing", "empty", "a list", "no subjects", "half a row", "another schema", "not text"],
)
def test_a_baseline_that_cannot_be_used_is_named(content: str | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / "old.json"
    if content is not None:
        path.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(BadInput, match=message) as told:
        read_baseline(path)
    assert str(told.value).startswith(str(path))


# --- the table --------------------------------------------------------------------------------------------------------


def printed(found: Evaluation) -> str:
    from rich.console import Console

    console = Console(width=200, no_color=True)
    with console.capture() as capture:
        console.print(table(found))
    return capture.get()


def test_the_table_sets_subjects_side_by_side(tmp_path: Path) -> None:
    lines = printed(evaluation({"none": Honest(), "writer": RefusesEverything()}, tmp_path)).splitlines()
    rows = {line.split()[0]: line for line in lines}
    assert lines[0].split() == ["none", "writer", "to", "quotes"]
    assert "1.000 [1.00, 1.00]" in rows["facts"]
    assert "−1.000*" in rows["facts"]
    assert ".000 [.00, .00]" in rows["over_refusal"]
    assert rows["citation_precision"].split()[-1] == "–"


def test_a_name_is_not_read_as_markup(tmp_path: Path) -> None:
    assert "[red]x[/red]" in printed(evaluation({"none": Honest(), "[red]x[/red]\x1b[31m": Honest()}, tmp_path))


@pytest.mark.parametrize(
    ("metric", "value", "low", "high", "expected"),
    [
        ("facts", 0.6123, 0.5549, 0.67, ".612 [.55, .67]"),
        ("facts", 1.0, 0.995, 1.0, "1.000 [.99, 1.00]"),
        ("words", 107.94, 101.2, 115, "107.9 [101.2, 115.0]"),
        ("total_s", 0.5, 0.25, 1.25, "0.500 [0.25, 1.25]"),
    ],
)
def test_figures_are_printed_in_their_unit(metric: str, value: float, low: float, high: float, expected: str) -> None:
    assert figure_text(METRICS[metric], Interval(value, low, high, 10)) == expected


def test_what_there_is_none_of_is_a_dash() -> None:
    assert figure_text(METRICS["facts"], None) == "–"
    assert difference_text(METRICS["facts"], None) == ""


@pytest.mark.parametrize(
    ("metric", "value", "p_value", "text", "expected"),
    [
        ("facts", 0.031, 0.01, "+.031*", "better"),
        ("facts", -0.031, 0.01, "−.031*", "worse"),
        ("facts", 0.031, 0.05, "+.031 ", ""),
        ("over_refusal", -0.1, 0.01, "−.100*", "better"),
        ("words", 3.0, 0.01, "+3.0*", ""),
    ],
)
def test_a_difference_is_marked_where_chance_is_unlikely(
    metric: str, value: float, p_value: float, text: str, expected: str
) -> None:
    difference = Difference(value, value, value, p_value, 10)
    assert difference_text(METRICS[metric], difference) == text
    assert verdict(METRICS[metric], difference) == expected


# --- the page ---------------------------------------------------------------------------------------------------------


class Reader(HTMLParser):
    """Checks that elements are closed in order, and gathers text, ids and addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attributes:
            if name == "id" and value:
                self.ids.append(value)
            if name in {"href", "xlink:href", "src", "action", "srcset", "poster"} and value:
                self.addresses.append(value)
        if tag not in {"meta", "br", "link", "img"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attributes)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert not reader.open
    return reader


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("page")
    before = written(evaluation({"none": Honest()}, folder), folder / "before.json")
    assistants = {"none": AnswersEverything(), "writer": CitesAnotherPaper()}
    return page(evaluation(assistants, folder / "after", before))


def test_the_page_is_well_formed_and_its_ids_are_its_own(html: str) -> None:
    reader = read(html)
    assert len(reader.ids) == len(set(reader.ids))
    assert {"svg", "table", "article", "figure"} <= reader.tags


def test_the_page_asks_nothing_of_anyone(html: str) -> None:
    reader = read(html)
    assert not {"script", "link", "img", "iframe", "object", "form"} & reader.tags
    assert all(address.startswith("#") for address in reader.addresses)
    assert "@import" not in html
    assert "default-src 'none'" in html


def test_the_plots_take_their_colours_from_the_page(html: str) -> None:
    assert "var(--series-1)" in html
    assert "#0000" not in html
    assert "prefers-color-scheme: dark" in html


def test_the_page_shows_the_worst_answers_and_what_is_wrong_with_them(html: str) -> None:
    text = " ".join(" ".join(read(html).text).split())
    assert "The worst 6 answers Of writer." in text
    assert "1 of 1 cited papers is not gold." in text
    assert "to quotations" in text
    assert "to baseline" in text


def test_a_run_without_faults_or_times_has_a_page(tmp_path: Path) -> None:
    evaluation({"none": Honest()}, tmp_path)
    cached = evaluation({"none": Honest()}, tmp_path)
    text = " ".join(read(page(cached)).text)
    assert "No answer has a fault" in text
    assert "How long it takes" not in text


def right_answer(question: Question) -> str:
    """What the page says would have been right, of a question on which the assistant failed."""
    trials = [Trial(question, Result(error="out of memory"))]
    scored = score_trials(trials, COLLECTION, OverlapJudge())
    text = " ".join(" ".join(read(page(evaluate({"none": scored}, COLLECTION, ABOUT, CREATED))).text).split())
    return text.partition("The assistant failed: out of memory")[2].partition("Every question")[0]


def test_what_would_have_been_right_is_what_somebody_said() -> None:
    unlabelled = Question("u", "Why?", labelled=False)
    assert "A refusal" in right_answer(Question("r", "Why?"))
    assert "A refusal" not in right_answer(unlabelled)
    assert "Gold papers" not in right_answer(unlabelled)
    assert "Should be Because." in right_answer(replace(unlabelled, reference="Because."))
    assert "Gold papers" in right_answer(QUESTIONS[0])


HOSTILE = "<script>alert(1)</script> \"x\" 'y' <img src=x onerror=alert(1)> & \x1b[31m \u202e"


def test_nothing_untrusted_is_read_as_html(tmp_path: Path) -> None:
    papers = {HOSTILE: Paper(HOSTILE, HOSTILE, HOSTILE)}
    asked = Result(
        answered=True,
        confidence="caution",
        reason=HOSTILE,
        nearest=0.5,
        statements=(Statement(HOSTILE, (1,), "supported"),),
        citations=(Cited(1, HOSTILE, HOSTILE, (HOSTILE,)), Cited(2, "unknown", HOSTILE)),
        ranking=(HOSTILE, "unknown"),
        evidence=(Picked(HOSTILE, HOSTILE), Picked("unknown", HOSTILE)),
        withheld=(Withheld(HOSTILE, HOSTILE),),
        generator=HOSTILE,
        total_s=1.0,
    )
    question = Question(HOSTILE, HOSTILE, (HOSTILE,), (HOSTILE,), ((HOSTILE + "z",),), HOSTILE, HOSTILE, HOSTILE)
    other = Question("2", "?", gold_titles=(HOSTILE,), type="b", split="s")
    trials = [Trial(question, asked, Result(error=HOSTILE)), Trial(other, Result(error=HOSTILE))]
    scored = score_trials(trials, papers, OverlapJudge())
    found = evaluate({HOSTILE: scored}, papers, {HOSTILE: HOSTILE}, HOSTILE)
    html = page(found)
    reader = read(html)
    assert not {"script", "img"} & reader.tags
    assert "\x1b" not in html
    assert "\u202e" not in html
    assert found.main.figures["facts"][ALL].value == 0
