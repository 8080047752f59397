"""The front door for what writes: papers in, a new build of the index out, calibrated before it goes live."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from rag.answering.calibration import calibrate
from rag.index.build import LazyEmbedder, Report, update
from rag.models import Embedder
from rag.models.weights import Weights, find_embedder
from rag.settings import Settings

__all__ = ["Report", "update_index"]


def update_index(
    settings: Settings,
    paths: Sequence[Path] = (),
    *,
    remove: Sequence[Path] = (),
    only: bool = False,
    strict: bool = False,
    progress: Callable[[int, int, str], None] | None = None,
    dry_run: bool = False,
) -> Report:
    """Bring the index up to date; raises as `rag.index.build.update` does, and ModelMissing without an embedder.

    The embedder is loaded only where there is something to embed.
    """
    weights = find_embedder(settings.embedder, settings.cache)
    embedder = LazyEmbedder(weights.name, weights.fingerprint, lambda: _load(weights, settings.device))
    return update(
        settings.index,
        paths,
        embedder,
        remove=remove,
        only=only,
        strict=strict,
        progress=progress,
        dry_run=dry_run,
        calibrate=calibrate,
    )


def _load(weights: Weights, device: str) -> Embedder:
    from rag.models.embedder import load_embedder

    return load_embedder(weights, device)
