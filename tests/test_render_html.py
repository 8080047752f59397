"""Answers as HTML: complete, escaped, linked to their sources."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from samples import ANSWER, CALIBRATED, EVIDENCE, HITS, HOSTILE, REFUSAL, UNDATED
from summary_cases import CONTRARY, ONE, OTHER, SUMMARY, TWO, events

from rag.records import Answer, Citation, Evidence, Hit, Rejected, Scope, Sentence, Statement, Theme
from ui.exchange import Exchange, Stage, asked, follow
from ui.render_html import Setting, abstract, card, collection, conversation, header, scope_line, turn, welcome

SETTING = Setting(papers=314)
LONG = "How does it work? " * 30
VOID = {"br", "img", "input", "hr", "meta", "link"}


def finished(**changes: object) -> Exchange:
    exchange = Exchange(3, ANSWER.question, ANSWER, stage="finished", read=2, backing=((EVIDENCE,), (EVIDENCE,)))
    return replace(exchange, **changes)  # type: ignore[arg-type]


def refused(**changes: object) -> Exchange:
    return replace(finished(answer=REFUSAL, backing=()), **changes)  # type: ignore[arg-type]


def summary(answer: Answer = SUMMARY) -> Exchange:
    backing = ((TWO[0],), (TWO[1],), (ONE,), (OTHER,))
    return Exchange(3, answer.question, answer, summary=True, stage="finished", read=3, backing=backing)


class Markup(HTMLParser):
    """The elements of a piece of HTML; fails where one is not closed, or an id is given twice."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(markup)
        assert self.open == []
        ids = [attributes["id"] for _, attributes in self.elements if "id" in attributes]
        assert len(ids) == len(set(ids))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def test_an_answer_shows_every_statement_with_its_numbers() -> None:
    said = Markup(turn(finished(), SETTING))
    for statement in ANSWER.statements:
        assert statement.text in said.text
    assert [cite["href"] for cite in said.all("a") if cite.get("class") == "cite"] == [
        "#source-3-1",
        "#source-3-1",
        "#source-3-2",
    ]


def test_each_citation_leads_to_a_card_and_to_sentences_that_are_there() -> None:
    said = Markup(turn(finished(), SETTING))
    ids = {attributes.get("id") for _, attributes in said.elements}
    for cite in (each for each in said.all("a") if each.get("class") == "cite"):
        assert str(cite["href"]).removeprefix("#") in ids
        assert set(str(cite["data-marks"]).split()) <= ids
    assert "mark-3-1-0" in ids


def test_ids_of_two_turns_do_not_meet() -> None:
    Markup(conversation([finished(), finished(number=4)], SETTING))


def test_quotations_and_rewordings_are_told_apart() -> None:
    said = turn(finished(), SETTING)
    assert "<q>We show a lower bound.</q>" in said
    assert "<q>Yes, for arbitrary facts.</q>" not in said


def test_the_abstract_is_whole_and_its_evidence_marked_where_it_stands() -> None:
    marked = abstract(CALIBRATED, (EVIDENCE,), "mark-1-1")
    assert marked.startswith('<mark id="mark-1-1-0">We show a lower bound.</mark> It holds')
    assert re.sub("<[^>]*>", "", marked) == CALIBRATED.abstract


def test_neighbouring_evidence_is_marked_sentence_by_sentence() -> None:
    text = "A & b. C < d."
    paper = replace(CALIBRATED, abstract=text)
    both = [
        Evidence(paper, Sentence(paper.paper_id, at, *span, text[slice(*span)]), 1.0)
        for at, span in enumerate([(0, 7), (7, 13)])
    ]
    assert abstract(paper, both, "m") == '<mark id="m-0">A &amp; b. </mark><mark id="m-1">C &lt; d.</mark>'


def test_nothing_untrusted_becomes_markup() -> None:
    wicked = '<img src=x onerror=alert(1)> "quoted" \x1b[31m \u202e'
    # An abstract was normalised when it was read, and its offsets forbid to do it again.
    hostile = replace(
        HOSTILE,
        abstract="<b>bold</b> & <script>x</script>",
        paper_id='x" onclick="alert(1)',
        authors=(wicked,),
        venue=wicked,
    )
    evidence = Evidence(hostile, Sentence(hostile.paper_id, 0, 0, 5, "<b>bo"), 1.0)
    answer = replace(
        ANSWER,
        question=wicked,
        statements=(Statement(wicked, (1,), "supported"),),
        citations=(Citation(1, hostile, (evidence,)),),
        hits=(Hit(hostile, (), 1.0), Hit(replace(hostile, paper_id="y"), (), 1.0)),
        reason=wicked,
        generator=wicked,
    )
    exchange = Exchange(
        1,
        wicked,
        answer,
        stage="finished",
        read=1,
        backing=((evidence,),),
        withheld=(Rejected(wicked, wicked),),
        follow_ups=(wicked,),
    )
    summed_up = replace(exchange, number=4, answer=replace(answer, themes=(Theme(wicked, (hostile.paper_id,)),)))
    failed = replace(exchange, number=2, stage="failed", problem=wicked)
    refused = replace(exchange, number=3, answer=replace(answer, answered=False, confidence="refusal"))
    cautious = replace(exchange, number=5, only=hostile, answer=replace(answer, confidence="caution"))
    page = (
        conversation([exchange, failed, refused, summed_up, cautious], SETTING)
        + scope_line(hostile, wicked, wicked)
        + welcome([wicked], 3)
        + header(3, [wicked])
    )
    found = Markup(page)
    assert not found.all("img")
    assert not found.all("script")
    assert not [attributes for _, attributes in found.elements if any(name.startswith("on") for name in attributes)]
    assert not [link for link in found.all("a") if not str(link["href"]).startswith("#")]
    assert not {"\x1b", "\u202e"} & set(page)


def test_titles_link_out_where_there_is_an_address() -> None:
    assert 'href="https://example.org/calibrated" target="_blank"' in card(CALIBRATED)
    assert 'href="https://doi.org/10.5555/calibrated"' in card(replace(CALIBRATED, url=""))
    assert "<a " not in card(UNDATED)
    assert "javascript:" not in card(HOSTILE).replace("(javascript:x)", "")


def test_the_cited_come_first_and_the_others_by_rank() -> None:
    third = Hit(replace(UNDATED, paper_id="third", title="A third paper"), (), 0.01)
    said = turn(finished(answer=replace(ANSWER, hits=(*HITS, third))), SETTING)
    assert said.index(CALIBRATED.title) < said.index("Also found (1)") < said.index("A third paper")
    assert '<span class="number">3.</span>' in said


def test_years_leave_out_what_else_was_found_but_nothing_cited() -> None:
    exchange = finished(answer=replace(ANSWER, citations=ANSWER.citations[:1], statements=ANSWER.statements[:1]))
    assert "Also found (1)" in turn(exchange, SETTING)
    narrowed = turn(exchange, Setting(314, Scope(year_from=2024)))
    assert "Also found" not in narrowed
    assert CALIBRATED.title in narrowed


def test_a_refusal_says_so_and_names_the_nearest() -> None:
    said = turn(refused(), SETTING)
    assert "No answer in this collection." in said
    assert "No abstract comes close enough" in said
    assert "source [" not in said


def test_the_nearest_papers_of_a_refusal_lead_to_their_cards() -> None:
    said = Markup(turn(refused(), SETTING))
    ids = {attributes.get("id") for _, attributes in said.elements}
    links = [each for each in said.all("a") if str(each.get("id")).startswith("nearest-")]
    assert [link["href"] for link in links] == ["#found-3-1", "#found-3-2"]
    assert {str(link["href"]).removeprefix("#") for link in links} <= ids


def test_what_the_years_leave_out_is_not_among_the_nearest() -> None:
    said = Markup(turn(refused(), Setting(314, Scope(year_from=2020)))).text
    assert CALIBRATED.title in said
    assert UNDATED.title not in said


def test_what_was_found_is_open_beside_the_last_refusal_alone() -> None:
    assert [each["id"] for each in opened(turn(refused(), SETTING))] == ["found-3"]
    assert opened(conversation([refused()], SETTING)) == []
    assert opened(turn(refused(stage="failed"), SETTING)) == []
    assert opened(turn(finished(), SETTING)) == []


def opened(page: str) -> list[dict[str, str | None]]:
    return [attributes for attributes in Markup(page).all("details") if "open" in attributes]


def test_a_question_about_one_paper_says_so() -> None:
    said = Markup(turn(finished(only=CALIBRATED), SETTING)).text
    assert "searched 1 paper in" in said
    assert f"only from {CALIBRATED.title}" in said
    assert "searching 1 paper" in turn(replace(asked(1, "Why?", only=CALIBRATED), stage="searching"), SETTING)


@pytest.mark.parametrize(
    ("years", "told"),
    [
        (Scope(year_from=2020, year_to=2023), "only from 2020–2023"),
        (Scope(year_from=2020), "only from 2020–"),
        (Scope(year_to=2023), "only from –2023"),
        (Scope(year_from=2020, year_to=2020), "only from 2020"),
    ],
    ids=["between", "from", "to", "one"],
)
def test_a_question_about_some_years_says_so(years: Scope, told: str) -> None:
    assert f"<li>{told}</li>" in turn(finished(years=years), SETTING)


def test_a_refusal_under_one_paper_speaks_of_that_paper() -> None:
    said = turn(refused(only=CALIBRATED), SETTING)
    assert "No answer in this paper." in said
    assert "No answer in this collection" not in said
    assert "Nearest papers</h3>" not in said


def test_a_long_question_can_be_read_in_full_where_its_heading_is_cut() -> None:
    [heading] = Markup(turn(finished(question=LONG), SETTING)).all("h2")
    assert heading["title"] == LONG.strip()
    [heading] = Markup(turn(finished(), SETTING)).all("h2")
    assert "title" not in heading


@pytest.mark.parametrize(
    ("generator", "shown"), [("none (quotations)", "quotations only"), ("scripted (test)", "scripted (test)")]
)
def test_an_answer_says_what_made_it(generator: str, shown: str) -> None:
    said = turn(finished(answer=replace(ANSWER, generator=generator)), SETTING)
    assert f'<span class="made">{shown}</span>' in said


def test_remarks_begin_like_sentences() -> None:
    remarked = finished(answer=replace(ANSWER, reason="the language model failed (no memory), so it is quoted"))
    assert ">The language model failed (no memory)" in turn(remarked, SETTING)
    assert ">The model is gone." in turn(finished(stage="failed", problem="the model is gone"), SETTING)
    assert ">The question is empty<" in scope_line(None, None, remark="the question is empty")


def test_caution_stands_above_the_statements() -> None:
    said = turn(finished(answer=replace(ANSWER, confidence="caution", reason="It may be off.")), SETTING)
    assert said.index("It may be off") < said.index("Yes, for arbitrary facts.")


@pytest.mark.parametrize(
    ("stage", "shown"),
    [
        ("waiting", "waiting for its turn"),
        ("searching", "searching 314 papers"),
        ("reading", "reading"),
        ("writing", "writing"),
        ("stopped", "Stopped."),
        ("failed", "It broke."),
        ("busy", "It broke."),
    ],
)
def test_every_stage_is_told(stage: Stage, shown: str) -> None:
    said = turn(replace(asked(1, "Why?"), stage=stage, problem="It broke"), SETTING)
    assert shown in said
    assert ("Try again" in said) == (stage in ("stopped", "failed", "busy"))


def test_a_summary_is_laid_out_by_theme_and_paper() -> None:
    said = turn(summary(), SETTING)
    order = ["On lower bound, calibration", CALIBRATED.title, CONTRARY.title, "Also", UNDATED.title]
    places = [said.index(piece) for piece in order]
    assert places == sorted(places)
    assert [each["class"] for each in Markup(said).all("p") if "statement" in str(each.get("class"))] == [
        "statement quoted",
        "statement supported",
        "statement quoted",
        "statement quoted",
    ]


def test_the_title_of_a_summarised_paper_leads_to_its_card_and_all_its_sentences() -> None:
    said = Markup(turn(summary(), SETTING))
    ids = {attributes.get("id") for _, attributes in said.elements}
    links = [each for each in said.all("a") if str(each.get("id")).startswith("part-")]
    assert [link["href"] for link in links] == ["#source-3-1", "#source-3-2", "#source-3-3"]
    assert links[0]["data-marks"] == "mark-3-1-0 mark-3-1-1"
    assert {str(link["href"]).removeprefix("#") for link in links} <= ids


def test_papers_that_may_disagree_face_each_other() -> None:
    said = turn(summary(), SETTING)
    assert said.count('class="opposed"') == 1
    facing = said[said.index("These may disagree</p>") : said.index("</section>")]
    assert CALIBRATED.title in facing
    assert CONTRARY.title in facing


def test_where_more_than_two_face_each_other_the_pairs_are_named() -> None:
    pairs = ((CALIBRATED.paper_id, CONTRARY.paper_id), (CALIBRATED.paper_id, UNDATED.paper_id))
    papers = (CALIBRATED.paper_id, CONTRARY.paper_id, UNDATED.paper_id)
    said = turn(summary(replace(SUMMARY, themes=(Theme("bounds", papers, pairs),))), SETTING)
    assert "These may disagree: [1] and [2]; [1] and [3]</p>" in said


def test_a_summary_grows_under_its_headings() -> None:
    exchange, shown = asked(1, SUMMARY.question, True), []
    for event in events():
        exchange = follow(exchange, event, 0.0)
        said = turn(exchange, SETTING)
        Markup(said)
        shown.append((said.count('class="theme"'), said.count('class="part"'), said.count('class="opposed"')))
    assert shown == [(0, 0, 0), (0, 0, 0), (1, 1, 0), (1, 1, 0), (1, 2, 1), (2, 3, 1), (2, 3, 1)]


def test_a_summary_is_told_apart_where_nothing_is_stated() -> None:
    assert "<li>summary</li>" in turn(replace(asked(1, "Why?", True), stage="searching"), SETTING)
    assert "<li>summary</li>" not in turn(replace(asked(1, "Why?"), stage="searching"), SETTING)


def test_withheld_sentences_are_counted_and_given() -> None:
    said = turn(finished(withheld=(Rejected("It is 84%.", "the number 84 is not in the source"),)), SETTING)
    assert "1 sentence of the model withheld" in said
    assert "It is 84%. <i>the number 84 is not in the source</i>" in said


def test_an_answer_can_be_taken_along() -> None:
    said = Markup(turn(finished(), SETTING))
    exports = [each for each in said.all("button") if each.get("data-do") == "export"]
    assert [each["data-format"] for each in exports] == ["bibtex", "ris", "csl"]
    assert exports[0]["data-papers"] == "arxiv%3A2311.14648 instructretro-0a1b2c"
    [copy] = [each for each in said.all("button") if each.get("data-do") == "copy"]
    assert "1. [Calibrated" in str(copy["data-markdown"])


def test_the_scope_of_the_next_question_can_be_left() -> None:
    assert scope_line(None, None) == ""
    both = Markup(scope_line(CALIBRATED, "Why?"))
    assert [button["data-do"] for button in both.all("button")] == ["keep", "widen"]


@pytest.mark.parametrize(
    ("after", "told"),
    [
        (0, "<b>Editing</b>"),
        (1, "<b>Editing, replaces this answer and the 1 after it</b>"),
        (4, "<b>Editing, replaces this answer and the 4 after it</b>"),
    ],
)
def test_an_edit_says_what_goes(after: int, told: str) -> None:
    assert told in scope_line(None, "Why?", after=after)


@pytest.mark.parametrize(
    ("shown", "found", "line"),
    [(2, 2, "2 papers"), (1, 1, "1 of 2 papers"), (1, 2, "2 papers, the first 1 shown"), (0, 0, "0 of 2 papers")],
)
def test_the_collection_says_how_much_of_it_is_listed(shown: int, found: int, line: str) -> None:
    listed = Markup(collection([CALIBRATED, UNDATED][:shown], found, 2))
    assert line in listed.text
    assert len(listed.all("li")) == shown
