"""The `footnote` command: names, arguments and options. What a command does stands in `ui/commands`.

That is loaded when the command runs: here only typer is imported, so that `footnote --help` answers at once.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ui.outcome import FAILURE, outcome
from ui.session import Doors, Session, UsageError

if TYPE_CHECKING:
    from rag.records import Scope

app = typer.Typer(
    name="footnote",
    help="Answers questions about a collection of paper abstracts; every sentence cites its papers.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
models_app = typer.Typer(help="Which weights are here, where from, verified.", rich_markup_mode=None)
app.add_typer(models_app, name="models", invoke_without_command=True)


class Format(StrEnum):
    """What papers can be exported as."""

    BIBTEX = "bibtex"
    RIS = "ris"
    CSL_JSON = "csl-json"
    MARKDOWN = "markdown"
    JSONL = "jsonl"


class Split(StrEnum):
    """Which half of a question set."""

    DEV = "dev"
    TEST = "test"
    ALL = "all"


Index = Annotated[Path | None, typer.Option("--index", metavar="DIR", help="Where the index lies.")]
Embedder = Annotated[str | None, typer.Option(metavar="NAME", help="A sentence-transformers folder or hub id.")]
Generator = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="A transformers folder or hub id, 'base', 'openai:URL#MODEL' or 'none'."),
]
Device = Annotated[str | None, typer.Option(metavar="NAME", help="'cpu', 'cuda', ...; else what is there.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of a failure.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
TopK = Annotated[int | None, typer.Option("--top-k", min=1, max=100, metavar="N", help="How many papers to rank.")]
YearFrom = Annotated[int | None, typer.Option("--year-from", metavar="YEAR", help="No paper from before.")]
YearTo = Annotated[int | None, typer.Option("--year-to", metavar="YEAR", help="No paper from after.")]

Command = Callable[..., int]


def shared(index: Index = None, embedder: Embedder = None, device: Device = None, debug: Debug = False) -> None:
    """The options that the program and each of its commands take: they count wherever they stand."""


def command(name: str, group: typer.Typer = app) -> Callable[[Command], Command]:
    """Make a function a command: with the shared options, its failures told, its result the exit code."""

    def register(function: Command) -> Command:
        @wraps(function)
        def run(ctx: typer.Context, **given: Any) -> None:
            options = {key: given.pop(key) for key in inspect.signature(shared).parameters}
            session: Session = ctx.obj.given(**options)
            raise typer.Exit(outcome(session, lambda: function(session, **given)))

        run.__signature__ = _with_shared(function)  # type: ignore[attr-defined]
        group.command(name)(run)
        return function

    return register


def _with_shared(function: Command) -> inspect.Signature:
    """The function's own parameters, the session replaced by typer's context, and the shared ones."""
    own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
    context = inspect.Parameter("ctx", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
    parameters = [context, *own, *inspect.signature(shared, eval_str=True).parameters.values()]
    return inspect.Signature([each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in parameters])


def print_version(wanted: bool) -> None:
    """Print the version and end."""
    if wanted:
        from importlib.metadata import version

        print(f"footnote {version('footnote')}")
        raise typer.Exit


@app.callback()
def program(
    ctx: typer.Context,
    index: Index = None,
    embedder: Embedder = None,
    device: Device = None,
    debug: Debug = False,
    version: Annotated[  # noqa: ARG001
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Take the shared options where they stand before the command."""
    ctx.obj = Session(ctx.obj or Doors()).given(index=index, embedder=embedder, device=device, debug=debug)


@command("index")
def index_command(
    session: Session,
    paths: Annotated[list[Path] | None, typer.Argument(metavar="PATH", help="Files or folders.")] = None,
    remove: Annotated[list[Path] | None, typer.Option(metavar="PATH", help="Take this source away.")] = None,
    only: Annotated[bool, typer.Option("--only", help="Take every other source away.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Fail where a record would be skipped.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Take papers away without asking.")] = False,
    as_json: Json = False,
) -> int:
    """Add or update papers; without paths, re-read what was indexed before."""
    from ui.commands.index import index

    return index(session, paths or (), remove=remove or (), only=only, strict=strict, yes=yes, as_json=as_json)


@command("ask")
def ask_command(
    session: Session,
    question: Annotated[str | None, typer.Argument(metavar="QUESTION", help="'-' reads standard input.")] = None,
    top_k: TopK = None,
    year_from: YearFrom = None,
    year_to: YearTo = None,
    generator: Generator = None,
    continued: Annotated[bool, typer.Option("--continue", "-c", help="Follow up on the last question.")] = False,
    summary: Annotated[bool, typer.Option("--summary", help="Sum up what several papers say, by theme.")] = False,
    batch: Annotated[str | None, typer.Option(metavar="FILE", help="Answer each of these JSON lines.")] = None,
    stream: Annotated[bool, typer.Option("--stream/--no-stream", help="Print as it is written.")] = True,
    as_json: Json = False,
) -> int:
    """Answer a question from the collection, with citations."""
    session, scope = session.given(generator=generator), _scope(year_from, year_to)
    if batch is not None:
        if question is not None or continued:
            raise UsageError("--batch brings its own questions: give neither a question nor --continue")
        from ui.commands.batch import ask_batch

        return ask_batch(session, batch, top_k=top_k, scope=scope, summary=summary)
    from ui.commands.ask import ask

    asked = _text(question, "a question")
    return ask(
        session, asked, top_k=top_k, scope=scope, summary=summary, as_json=as_json, stream=stream, continued=continued
    )


@command("chat")
def chat_command(
    session: Session,
    host: Annotated[str, typer.Option(metavar="HOST", help="Beyond 127.0.0.1 a login is required.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, metavar="PORT", help="0 takes a free one.")] = 7860,
    generator: Generator = None,
    login_file: Annotated[Path | None, typer.Option(metavar="FILE", help="user:password, one a line.")] = None,
    open_browser: Annotated[bool, typer.Option("--open/--no-open", help="Open it in the browser.")] = True,
) -> int:
    """Ask in a window of the browser."""
    from ui.commands.chat import chat

    session = session.given(generator=generator)
    return chat(session, host=host, port=port, login_file=login_file, open_browser=open_browser)


@command("search")
def search_command(
    session: Session,
    query: Annotated[str | None, typer.Argument(metavar="QUERY", help="'-' reads standard input.")] = None,
    top_k: TopK = None,
    year_from: YearFrom = None,
    year_to: YearTo = None,
    as_json: Json = False,
) -> int:
    """Rank papers, without an answer."""
    from ui.commands.records import search

    scope = _scope(year_from, year_to)
    return search(session, _text(query, "a query"), top_k=top_k, scope=scope, as_json=as_json)


@command("show")
def show_command(
    session: Session,
    paper_id: Annotated[str, typer.Argument(metavar="PAPER_ID", help="Its id or another of its names.")],
    as_json: Json = False,
) -> int:
    """Show one paper."""
    from ui.commands.records import show

    return show(session, paper_id, as_json=as_json)


@command("export")
def export_command(
    session: Session,
    papers: Annotated[list[str] | None, typer.Argument(metavar="PAPER_ID", help="Default: all.")] = None,
    format: Annotated[Format, typer.Option(help="What to write.")] = Format.BIBTEX,  # noqa: A002
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to.")] = None,
    last: Annotated[bool, typer.Option("--last", help="What the last answer cited.")] = False,
) -> int:
    """Write papers as BibTeX, RIS, CSL-JSON, Markdown or JSON lines."""
    from ui.commands.records import export

    # The library names the format without its carrier: csl.
    name = format.value.removesuffix("-json")
    return export(session, papers or (), format_name=name, output=output, last=last)


@models_app.callback()
def models_group(ctx: typer.Context) -> None:
    """Which weights are here, where from, verified."""
    if ctx.invoked_subcommand is None:
        from ui.commands.setup import models

        raise typer.Exit(outcome(ctx.obj, lambda: models(ctx.obj)))


@command("pull", models_app)
def pull_command(
    session: Session,
    name: Annotated[str, typer.Argument(metavar="NAME", help="'default' or a hub id.")] = "default",
) -> int:
    """Fetch a model's weights: the only command that uses the network."""
    from ui.commands.setup import pull

    return pull(session, name)


@command("config")
def config_command(session: Session, generator: Generator = None, as_json: Json = False) -> int:
    """Show the settings in force and where each comes from."""
    from ui.commands.setup import config

    return config(session.given(generator=generator), as_json=as_json)


@command("doctor")
def doctor_command(session: Session, generator: Generator = None) -> int:
    """Check models, index and disk."""
    from ui.commands.doctor import doctor

    return doctor(session.given(generator=generator))


@command("eval")
def eval_command(
    session: Session,
    questions: Annotated[Path | None, typer.Argument(metavar="QUESTIONS", help="Default: the shipped set.")] = None,
    generator: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Again for each to compare.")] = None,
    judge: Annotated[str, typer.Option(metavar="NAME", help="'aligned', 'overlap' or an NLI model.")] = "aligned",
    types: Annotated[list[str] | None, typer.Option(metavar="TYPE", help="Only these, 'a,b' or again.")] = None,
    split: Annotated[Split, typer.Option(help="Which half of the questions.")] = Split.ALL,
    limit: Annotated[int | None, typer.Option(min=1, metavar="N", help="Only N, spread evenly.")] = None,
    jobs: Annotated[int, typer.Option(min=1, max=64, metavar="N", help="Questions asked at a time.")] = 1,
    hidden: Annotated[bool, typer.Option("--hidden/--no-hidden", help="Ask with gold papers hidden, too.")] = True,
    fresh: Annotated[bool, typer.Option("--fresh", help="Ask again what was asked before.")] = False,
    json: Annotated[Path | None, typer.Option(metavar="OUT", help="Write figures and answers there.")] = None,
    html: Annotated[Path | None, typer.Option(metavar="OUT", help="Write a report to look at there.")] = None,
    baseline: Annotated[Path | None, typer.Option(metavar="FILE", help="An earlier --json to compare.")] = None,
    fail_under: Annotated[list[str] | None, typer.Option(metavar="METRIC=VALUE", help="Exit 5 if worse.")] = None,
) -> int:
    """Measure how good the answers to a question set are.

    Metrics for --fail-under: recall@1, recall@5, recall@10, ndcg@10, rr@10, facts, citation_precision,
    citation_recall, supported, abstention_f1, auroc; at most instead of at least: over_refusal, errors,
    fabricated, total_s. docs/evaluation.md has them all.
    """
    from ui.commands.evaluate import Wanted, evaluate

    wanted = Wanted(
        questions=questions,
        generators=generator or (),
        judge=judge,
        types=[name for given in types or () for name in given.split(",") if name],
        split=split.value,
        limit=limit,
        jobs=jobs,
        hidden=hidden,
        fresh=fresh,
        json=json,
        html=html,
        baseline=baseline,
        fail_under=fail_under or (),
    )
    return evaluate(session, wanted)


@command("eval-retrieval")
def eval_retrieval_command(
    session: Session,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="corpus.jsonl, queries.jsonl, qrels/.")],
    split: Annotated[str, typer.Option(metavar="NAME", help="Which of its qrels.")] = "test",
    as_json: Json = False,
) -> int:
    """Measure the ranking on a BEIR folder, stage by stage."""
    from ui.commands.evaluate import evaluate_retrieval

    return evaluate_retrieval(session, folder, split=split, as_json=as_json)


def main(arguments: Sequence[str] | None = None, doors: Doors | None = None) -> int:
    """Run the program on `arguments` (default: those of the process) and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # A terminal that knows no UTF-8 gets "?" in place of a letter, not a failure.
            stream.reconfigure(errors="replace")
    try:
        app(args=None if arguments is None else list(arguments), prog_name="footnote", obj=doors)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else FAILURE if end.code else 0
    return 0


def _scope(year_from: int | None, year_to: int | None) -> Scope:
    from rag.records import Scope

    if year_from is not None and year_to is not None and year_from > year_to:
        raise UsageError(f"--year-from {year_from} is after --year-to {year_to}")
    return Scope(year_from=year_from, year_to=year_to)


def _text(given: str | None, what: str) -> str:
    """The argument, or standard input where it is `-` or missing and something is piped in."""
    if given is None and sys.stdin.isatty():
        raise UsageError(f"{what} is missing: give it as the argument, or pipe it in")
    if given is None or given == "-":
        from ui.commands.ask import read_question

        return read_question()
    return given


if __name__ == "__main__":
    sys.exit(main())
