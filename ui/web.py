"""The Gradio page: its layout and its events.

    ui/handlers.py       what each event does
    ui/dialogue.py       conversations: begin, answer, stop, edit, clear
    ui/render_html.py    what they look like
    ui/endpoints.py      `/ask` and `/search` for programs
    ui/assets/           the style and the small script

Gradio looks things up on the network when it is imported, unless it was told not to: import this module after
`ui.serving.without_look_ups()`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.events import api

from ui import endpoints
from ui.handlers import BROWSED, WAITING, Handlers

if TYPE_CHECKING:
    from rag.assistant import Assistant

AT_ONCE = 2
"""Answers made at the same time: each is slower for it, but a long one does not hold up all others."""


def page(assistant: Assistant, question_limit: int) -> gr.Blocks:
    """The whole page on an open assistant."""
    blocks = gr.Blocks(title="Footnote", fill_width=True, analytics_enabled=False)
    with blocks:
        handlers = Handlers(assistant, question_limit)
        at = _layout(handlers, [endpoints.references(assistant)])
        _on_arrival(blocks, at, handlers)
        _on_question(at, handlers)
        _on_conversation(at, handlers)
        _on_collection(at, handlers)
        _for_programs(assistant)
    blocks.queue(max_size=WAITING, default_concurrency_limit=AT_ONCE)
    return blocks


def look() -> dict[str, Any]:
    """What `gr.mount_gradio_app` takes for the look of the page: system fonts, our style and script inline."""
    assets = files("ui") / "assets"
    fonts = [gr.themes.Font("system-ui"), gr.themes.Font("sans-serif")]
    return {
        "theme": gr.themes.Base(primary_hue="blue", neutral_hue="slate", font=fonts, font_mono=fonts),
        "css": (assets / "chat.css").read_text(encoding="utf-8"),
        "head": f"<script>{(assets / 'chat.js').read_text(encoding='utf-8')}</script>",
        "footer_links": [],
        "run_history": False,
    }


# --- layout ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Layout:
    """The components that events read and write."""

    arrival: gr.Textbox
    token: gr.State
    tabs: gr.Tabs
    past: gr.HTML
    now: gr.HTML
    scope: gr.HTML
    box: gr.Textbox
    years: gr.Textbox
    summary: gr.Checkbox
    clear: gr.Button
    find: gr.Textbox
    listed: gr.HTML
    more: gr.Button
    shown: gr.State


def _layout(handlers: Handlers, served: list[Callable[..., Any]]) -> Layout:
    gr.HTML(handlers.header(), elem_id="masthead", js_on_load=None, apply_default_css=False)
    with gr.Tabs(elem_id="tabs") as tabs:
        with gr.Tab("Ask", id="ask"):
            past, now = _block("past", served), _block("now", served)
            with gr.Column(elem_id="askbar"):
                scope = _block("scope", served)
                box = _question_box()
                with gr.Row(elem_id="beneath"):
                    summary, years = _summary_switch(), _years_box(handlers.dated)
                    clear = gr.Button("New conversation", size="sm", elem_id="clear")
        with gr.Tab("Collection", id="collection"):
            find = gr.Textbox(label="Find papers", placeholder="Words of title, abstract or authors", elem_id="find")
            listed = _block("listed", served)
            more = gr.Button("Show more", elem_id="more")
    return Layout(
        arrival=gr.Textbox(visible=False),
        token=gr.State(""),
        shown=gr.State(BROWSED),
        tabs=tabs,
        past=past,
        now=now,
        scope=scope,
        box=box,
        years=years,
        summary=summary,
        clear=clear,
        find=find,
        listed=listed,
        more=more,
    )


def _block(name: str, served: list[Callable[..., Any]]) -> gr.HTML:
    """A block of our own HTML, wired to our script, which may call what is `served`."""
    attach = "footnote.attach(element, trigger, server, watch)"
    return gr.HTML(elem_id=name, js_on_load=attach, apply_default_css=False, server_functions=served)


def _question_box() -> gr.Textbox:
    """It takes any length: a limit of its own would cut a question silently, where the event says what is wrong."""
    return gr.Textbox(
        label="Your question",
        show_label=False,
        placeholder="Ask about these papers",
        lines=1,
        max_lines=6,
        autofocus=True,
        submit_btn="Ask",
        elem_id="question",
        html_attributes=gr.InputHTMLAttributes(autocomplete="off"),
    )


def _years_box(visible: bool) -> gr.Textbox:
    return gr.Textbox(
        label="Years",
        show_label=False,
        container=False,
        placeholder="Years, like 2020-2023",
        max_length=20,
        visible=visible,
        elem_id="years",
        min_width=180,
    )


def _summary_switch() -> gr.Checkbox:
    return gr.Checkbox(label="Summary of several papers", container=False, elem_id="summary")


# --- events ---------------------------------------------------------------------------------------------------------

_QUICK: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
_QUEUED: dict[str, Any] = _QUICK | {"queue": True, "concurrency_id": "answers", "concurrency_limit": AT_ONCE}
_FOCUS: dict[str, Any] = {"fn": None, "js": "() => footnote.focusBox()"}
_LATEST: dict[str, Any] = {"fn": None, "js": "() => footnote.latest()"}


def _on_arrival(blocks: gr.Blocks, at: Layout, do: Handlers) -> None:
    picture = [at.token, at.past, at.now, at.scope, at.box, at.summary, at.listed, at.more]
    arrived = blocks.load(do.arrive, at.arrival, picture, js="() => footnote.token()", **_QUICK)
    arrived.then(**_LATEST)
    arrived.then(do.offer, at.token, at.now, **_QUICK)


def _on_question(at: Layout, do: Handlers) -> None:
    """However a question is begun, what follows is the same: answer, give the box back, say what to ask next."""
    given, picture = [at.token, at.years], [at.past, at.now, at.scope, at.box]
    for begun in (
        at.box.submit(do.begin, [*given, at.summary, at.box], picture, **_QUICK),
        gr.on([at.past.submit, at.now.submit], do.begin_suggested, [*given, at.summary], picture, **_QUICK),
        gr.on([at.past.retry, at.now.retry], do.begin_again, at.token, picture, **_QUICK),
    ):
        begun.failure(do.not_begun, at.token, at.scope, **_QUICK)
        begun.success(None, js="() => footnote.asked()", **_QUICK)
        answered = begun.success(do.answer, at.token, at.now, **_QUEUED)
        answered.failure(do.not_answered, at.token, at.now, **_QUICK)
        settled = answered.then(do.settle, at.token, [at.scope, at.box], **_QUICK)
        settled.then(None, js="() => footnote.ready()", **_QUICK)
        settled.then(do.follow_up, at.token, at.now, **_QUICK)
    at.box.stop(do.stop, at.token, [at.now, at.box], **_QUICK)


def _on_conversation(at: Layout, do: Handlers) -> None:
    given, edited = [at.token, at.years], [at.box, at.scope, at.summary]
    gr.on([at.past.edit, at.now.edit], do.edit, at.token, edited, **_QUICK).then(**_FOCUS)
    scoped = [at.scope, at.tabs]
    gr.on([at.past.select, at.now.select], do.only, at.token, scoped, **_QUICK).then(**_FOCUS)
    at.listed.select(do.only, at.token, scoped, **_QUICK).then(**_LATEST).then(**_FOCUS)
    at.scope.clear(do.widen, at.token, at.scope, **_QUICK).then(**_FOCUS)
    at.scope.undo(do.keep, at.token, edited, **_QUICK).then(**_FOCUS)
    at.clear.click(do.clear, at.token, [at.past, at.now, at.scope, at.box, at.summary], **_QUICK).then(**_FOCUS)
    at.years.change(do.narrow, given, [at.past, at.now], **_QUICK)
    at.summary.input(do.summarise, [at.token, at.summary], **_QUICK)


def _on_collection(at: Layout, do: Handlers) -> None:
    outputs = [at.listed, at.more, at.shown]
    at.find.change(do.find, at.find, outputs, trigger_mode="always_last", **_QUICK)
    at.more.click(do.more, [at.find, at.shown], outputs, **_QUICK)


def _for_programs(assistant: Assistant) -> None:
    ask, search = endpoints.ask(assistant), endpoints.search(assistant)
    api(ask, api_name="ask", concurrency_id="answers", concurrency_limit=AT_ONCE)
    api(search, api_name="search", concurrency_id="searches", concurrency_limit=AT_ONCE)
