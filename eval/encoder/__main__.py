"""`python -m eval.encoder train | package`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from eval.datasets import read_beir
from eval.encoder.examples import SHIPPED, learned_from, lessons, read_corpus, read_labelled
from eval.encoder.package import package
from eval.encoder.train import Recipe, train
from eval.recipes import add_options, chosen
from rag.errors import FootnoteError
from rag.index.live import open_index
from rag.models.embedder import load_embedder
from rag.models.weights import find_embedder
from rag.records import Paper
from rag.settings import load_settings
from rag.text import normalise


def main(arguments: Sequence[str]) -> int:
    """Run one of the commands; the exit code."""
    given = _parser().parse_args(arguments)
    try:
        return int(given.run(given))
    except FootnoteError as error:
        print(f"encoder: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m eval.encoder", description=__doc__)
    commands = parser.add_subparsers(required=True)
    learn = commands.add_parser("train", help="teach the installed embedder; the index must hold the collection")
    learn.add_argument("--labels", type=Path, default=SHIPPED)
    learn.add_argument(
        "--scifact",
        type=Path,
        help="folder of SciFact in the BEIR layout; without it two in five of the questions are learned from",
    )
    learn.add_argument("--out", type=Path, required=True, help="folder of the run")
    add_options(learn, Recipe)
    learn.set_defaults(run=_train)
    ship = commands.add_parser("package", help="put what a run learned where it ships from")
    ship.add_argument("out", metavar="RUN", type=Path, help="folder of the run")
    ship.add_argument("--labels", type=Path, default=SHIPPED)
    ship.set_defaults(run=_package)
    return parser


def _train(given: argparse.Namespace) -> int:
    settings = load_settings()
    recipe = chosen(given, Recipe)
    base = find_embedder("default")
    corpora = ["collection", *(["scifact"] if given.scifact else [])]
    labelled = learned_from(read_labelled(given.labels), corpora)
    named = {name for each in labelled for name in each.papers}
    with open_index(settings.index) as index:
        papers = [paper for paper in index.papers.values() if paper.paper_id in named]
    if given.scifact:
        papers += _scifact(given.scifact, named)
    corpus = read_corpus(papers)
    learned = lessons(labelled, corpus, load_embedder(base, settings.device))
    print(f"{len(learned)} questions over {len(corpus.texts)} papers")
    print(train(base.folder, learned, corpus, recipe, given.out, _print))
    return 0


def _scifact(folder: Path, wanted: set[str]) -> list[Paper]:
    """The abstracts that the labels name, as the index would hold them."""
    return [
        replace(paper, title=normalise(paper.title), abstract=normalise(paper.abstract))
        for paper in read_beir(folder, "train").corpus
        if paper.paper_id in wanted
    ]


def _package(given: argparse.Namespace) -> int:
    path = package(given.out, find_embedder("default"), given.labels)
    print(f"{path} has {path.stat().st_size:,} bytes")
    return 0


def _print(line: dict[str, float]) -> None:
    print(f"step {line['step']} of {line['of']} loss {line['loss']:.3f}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
