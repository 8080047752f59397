"""Summaries, plain answers and a search box side by side: what each is given, what is counted, what is printed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from answering_cases import BEES, GLACIERS, PAPERS, Shelf
from conftest import FakeEmbedder
from eval_cases import Fails, subject

from eval.benchmarks.ablation import ALWAYS
from eval.benchmarks.summaries import COLUMNS, LISTED, SearchBox, figures, main, measure, table
from eval.datasets import Question
from eval.judge import AlignedJudge
from eval.metrics import Interval
from eval.results import Cited, Result
from eval.runner import Asking, Trial, ask
from eval.scoring import score_trials
from rag.assistant import Assistant
from rag.errors import FootnoteError
from rag.records import Finished, Paper, Searched, Stated, Statement
from rag.settings import Settings

QUESTION = Question(
    "field",
    "List trackers of glaciers and counts of bees",
    gold_titles=(GLACIERS.title, BEES.title),
    facts=(("120 glaciers",), ("three bees",), ("Jupiter",)),
    type="multi",
    split="dev",
)


def over(*papers: Paper) -> Assistant:
    return Assistant(Shelf(*papers), FakeEmbedder(), None, Settings(), sufficiency=ALWAYS)  # type: ignore[arg-type]


@pytest.fixture
def assistant() -> Assistant:
    more = [replace(paper, paper_id=f"{paper.paper_id}-2", title=f"{paper.title}, Again") for paper in PAPERS]
    return over(*PAPERS, *more)


def result(statements: tuple[Statement, ...], *papers: Paper) -> Result:
    cited = tuple(Cited(number, paper.paper_id, paper.title) for number, paper in enumerate(papers, start=1))
    return Result(True, "answer", statements=statements, citations=cited)


def counted(*results: Result) -> dict[str, Interval]:
    papers = {paper.paper_id: paper for paper in PAPERS}
    return figures(score_trials([Trial(QUESTION, each) for each in results], papers, AlignedJudge()))


def test_the_search_box_shows_the_nearest_passage_of_the_five_best_papers(assistant: Assistant) -> None:
    searched, *stated, finished = SearchBox(assistant).stream(QUESTION.question)
    assert isinstance(searched, Searched)
    assert isinstance(finished, Finished)
    assert len(searched.hits) == len(stated) == LISTED
    for number, (hit, event) in enumerate(zip(searched.hits, stated, strict=True), start=1):
        assert isinstance(event, Stated)
        assert event.statement == Statement(hit.passages[0].text, (number,), "quoted")
        assert event.citations[0].paper == hit.paper
    assert finished.answer.answered


def test_the_search_box_shows_nothing_where_nothing_is_found() -> None:
    [*_, finished] = SearchBox(over()).stream("Anything?")
    assert isinstance(finished, Finished)
    assert not finished.answer.answered


def test_every_way_is_asked_every_question(assistant: Assistant) -> None:
    found = measure([QUESTION, replace(QUESTION, id="again")], assistant, AlignedJudge())
    assert list(found) == ["summary", "answer", "search box"]
    for columns in found.values():
        assert set(columns) == set(COLUMNS)
        assert all(figure.count == 2 for figure in columns.values())
        assert columns["uncited"].value == 0.0
    assert found["search box"]["papers"].value == LISTED
    assert found["summary"]["papers"].value > found["answer"]["papers"].value


def test_what_fails_ends_the_run_rather_than_count_as_a_bad_answer() -> None:
    trial = Trial(QUESTION, ask(Asking(QUESTION, subject(Fails("List")))))
    with pytest.raises(FootnoteError, match="field: RuntimeError: out of memory"):
        figures(score_trials([trial], {}, AlignedJudge()))


def test_figures_are_means_over_questions() -> None:
    right = Statement("IceFlow follows 120 glaciers over nine years.", (1,), "quoted")
    half = counted(result((right,), GLACIERS), result((right,), GLACIERS, BEES))
    assert half["citation_recall"].value == 0.75
    assert half["citation_precision"].value == 1.0
    assert half["papers"].value == 1.5
    assert half["facts"].value == pytest.approx(1 / 3)
    assert half["supported"].value == 1.0
    assert half["words"].value == 7


def test_a_statement_that_cites_nothing_is_counted() -> None:
    cited = Statement("IceFlow follows 120 glaciers over nine years.", (1,), "quoted")
    found = counted(result((cited, replace(cited, citations=())), GLACIERS), result((cited, cited), GLACIERS))
    assert found["uncited"].value == 0.25
    assert found["supported"].value == 0.75


def test_a_refusal_covers_no_gold_paper_and_has_no_length() -> None:
    found = counted(Result())
    assert found["citation_recall"].value == found["facts"].value == 0.0
    assert "words" not in found
    assert "papers" not in found


def test_the_table_has_a_row_for_each_way_and_an_interval_for_each_figure() -> None:
    lines = table({"summary": {"facts": Interval(0.5, 0.25, 0.75, 4), "words": Interval(120.4, 99.6, 140, 4)}})
    header, rule, row = lines.splitlines()
    assert header.count("|") == rule.count("|") == row.count("|") == len(COLUMNS) + 2
    assert header.startswith("|  | gold papers covered |")
    assert "| 0.500 (0.250 to 0.750) |" in row
    assert row.endswith("| 120 (100 to 140) |")


def test_without_an_index_it_says_so_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FOOTNOTE_INDEX", str(tmp_path))
    assert main(["--split", "dev"]) == 1
    assert capsys.readouterr().err.count("\n") == 1
