"""A staged build checked from a second process, where damage can do no harm: `python -m rag.index.verify FOLDER`.

A damaged HNSW graph gives wrong neighbours without a word or ends the process with SIGSEGV, so the builder runs this as
a child and believes only an exit status of 0. The message on standard output is one line of JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

import rag
from rag.errors import FootnoteError, IndexDamaged
from rag.index import canonical, exact
from rag.index.live import CHROMA
from rag.index.vectors import VectorStore
from rag.models import Vectors

SAMPLE = 64
DEPTH = 10
TIMEOUT_S = 900
AGREEMENT = 0.99
"""Share of the sampled neighbours whose cosines must be those of exact search: a sound graph of 20,000 passages
reaches 1.0, a damaged one falls far below, and a graph of millions may miss a neighbour now and then."""


def in_another_process(build: Path) -> None:
    """Check a staged build. Raises IndexDamaged saying what was wrong."""
    # -P and the path: the package that is running now, not one that lies in the working folder.
    path = os.pathsep.join([str(Path(rag.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    try:
        result = subprocess.run(
            [sys.executable, "-P", "-m", "rag.index.verify", str(build)],
            env=os.environ | {"PYTHONPATH": path.strip(os.pathsep)},
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT_S,
        )
    except subprocess.TimeoutExpired:
        raise IndexDamaged(f"the check of the vector store did not end within {TIMEOUT_S} s") from None
    if result.returncode != 0:
        raise IndexDamaged(_reason(result))


def _reason(result: subprocess.CompletedProcess[str]) -> str:
    lines = (result.stdout or result.stderr).strip().splitlines()
    if result.returncode < 0:
        return f"the check of the vector store was ended by signal {-result.returncode}"
    try:
        return str(json.loads(lines[-1])["error"])
    except (IndexError, ValueError, KeyError, TypeError):
        return lines[-1] if lines else f"the check of the vector store ended with status {result.returncode}"


def check(build: Path) -> None:
    """Compare a build's vector store with its canonical vectors. Raises IndexDamaged where they differ."""
    rows = canonical.read_rows(build / canonical.PASSAGES)
    store = VectorStore.open(build / CHROMA)
    try:
        if store.count() != len(rows):
            raise IndexDamaged(f"the vector store holds {store.count()} of {len(rows)} passages")
        share = _agreement(store, np.ascontiguousarray(rows["vector"]))
    finally:
        store.close()
    if share < AGREEMENT:
        raise IndexDamaged(f"the vector store finds only {share:.0%} of the nearest passages")


def _agreement(store: VectorStore, vectors: Vectors) -> float:
    """Share of positions among the nearest where the store's cosine is that of exact search.

    Cosines and not identifiers are compared, since equal texts tie. Asked are passages themselves and points between
    two of them, which lie nearer to how a question falls.
    """
    sample = np.unique(np.linspace(0, len(vectors) - 1, SAMPLE, dtype=np.intp))
    between = vectors[sample] + vectors[sample[::-1]]
    between /= np.maximum(np.linalg.norm(between, axis=1, keepdims=True), 1e-9)
    queries = np.concatenate([vectors[sample], between]).astype(np.float32)
    return float(np.mean([_same(store, vectors, query) for query in queries]))


def _same(store: VectorStore, vectors: Vectors, query: Vectors) -> float:
    expected = [score for _, score in exact.nearest(vectors, query, DEPTH)]
    found = [score for _, score in store.query(query, DEPTH)]
    if len(found) != len(expected):
        return 0.0
    return float(np.mean(np.isclose(found, expected, atol=1e-4)))


def main() -> int:
    """Check the build named on the command line; 0 where it is sound."""
    try:
        check(Path(sys.argv[1]))
    except (FootnoteError, OSError, ValueError) as error:
        print(json.dumps({"error": str(error)}))
        return 1
    print(json.dumps({"error": None}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
