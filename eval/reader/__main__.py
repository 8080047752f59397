"""`python -m eval.reader check | train | curve | package`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from eval.reader.check import counts, problems
from eval.reader.curve import draw
from eval.reader.examples import SHIPPED, read_examples, split
from eval.reader.package import package
from eval.reader.train import BEST, Recipe, train
from eval.recipes import add_options, chosen
from rag.errors import FootnoteError


def main(arguments: Sequence[str]) -> int:
    """Run one of the commands; the exit code."""
    given = _parser().parse_args(arguments)
    try:
        return int(given.run(given))
    except FootnoteError as error:
        print(f"reader: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m eval.reader", description=__doc__)
    commands = parser.add_subparsers(required=True)
    look = commands.add_parser("check", help="are the examples what they say?")
    look.add_argument("--data", type=Path, default=SHIPPED)
    look.set_defaults(run=_check)
    learn = commands.add_parser("train", help="train an adapter")
    learn.add_argument("--data", type=Path, default=SHIPPED)
    learn.add_argument("--base", default="base", help="the model to start from")
    learn.add_argument("--out", type=Path, required=True, help="folder of the run")
    learn.add_argument("--resume", action="store_true", help="go on with the run in --out")
    learn.add_argument("--device", default="cpu")
    add_options(learn, Recipe)
    learn.set_defaults(run=_train)
    show = commands.add_parser("curve", help="draw the course of runs, and of several the learning curve")
    show.add_argument("runs", metavar="RUN", type=Path, nargs="+", help="folder of a run")
    show.add_argument("--out", type=Path, required=True, help="folder of the figures")
    show.set_defaults(run=_curve)
    ship = commands.add_parser("package", help="put the adapter of a run where it ships from")
    ship.add_argument("out", metavar="RUN", type=Path, help="folder of the run")
    ship.add_argument("--data", type=Path, default=SHIPPED)
    ship.set_defaults(run=_package)
    return parser


def _check(given: argparse.Namespace) -> int:
    examples = read_examples(given.data)
    found = problems(examples)
    print("\n".join((*found, *(f"{count:>6} {what}" for what, count in counts(examples).items()))))
    return 1 if found else 0


def _curve(given: argparse.Namespace) -> int:
    print(*draw(given.runs, given.out), sep="\n")
    return 0


def _package(given: argparse.Namespace) -> int:
    weights = package(given.out / BEST, given.data)
    print(f"{weights} has {weights.stat().st_size:,} bytes")
    return 0


def _train(given: argparse.Namespace) -> int:
    from rag.models.weights import find_generator
    from rag.settings import load_settings

    recipe = chosen(given, Recipe)
    taught, held = split(read_examples(given.data), recipe.idle_share)
    base = find_generator(given.base, load_settings().cache).folder
    best = train(base, taught, held, recipe, given.out, resume=given.resume, device=given.device, report=_print)
    print(f"the best adapter is in {best}")
    return 0


def _print(line: dict[str, object]) -> None:
    told = " ".join(
        f"{key} {value:.3f}" if isinstance(value, float) else f"{key} {value}" for key, value in line.items()
    )
    print(told, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
