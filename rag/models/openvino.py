"""The same weights through OpenVINO, which computes them two to three times faster on a CPU than transformers does.

What `converting` makes of a model is kept in the cache beside the weights, verified each time it is loaded, and made
again when the weights or the engine change. Needs the extra `openvino`; knows nothing of prompts or papers.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rag.errors import ModelDamaged, ModelError, ModelFailed
from rag.models.converting import MASKED, convert, engine, quantise
from rag.models.decoding import DecodingGenerator
from rag.models.loading import LOCAL_ONLY, first_line, silence
from rag.models.local import load_generator, load_model
from rag.models.prompting import Prompting, end_tokens
from rag.models.rows import Block, Choice, Row
from rag.models.sealing import hold, is_sealed, retire, seal, stage
from rag.models.weights import Weights

FORMAT: Final = 1
"""Raised when `converting` makes something else of the same weights."""

GRAPH: Final = "model.xml"
FILES: Final = (".xml", ".bin")
"""How the files end that the engine writes: the graph, and its tensors beside it."""

NEAR: Final = 1e-3
"""How far a score may lie from the one that torch computes, as a share of the largest: float32 gives 1e-5."""

ROOM: Final = 2
"""Bytes of disk for each weight, where nine bits are written."""

NOTE: Final = "{name} is used where OpenVINO would be faster, because the model could not be converted ({why})"

AT_ONCE: Final = 512
"""Tokens of a prompt that are read before the next look whether that is still wanted: half a second's worth."""

Scores = NDArray[np.float32]


class OpenVinoGenerator(DecodingGenerator):
    """A converted model behind the `Generator` protocol; it notices midway in a long prompt that it is to stop."""

    def __init__(
        self, weights: Weights, compiled: Any, tokenizer: Any, ends: frozenset[int], window: int | None
    ) -> None:
        name = f"{Path(weights.name).name} (OpenVINO)"
        super().__init__(name, weights.fingerprint, Prompting(name, tokenizer), ends, window)
        self.taught = weights.taught
        self._compiled = compiled

    def _begin(self) -> CompiledReading:
        return CompiledReading(self.name, self._compiled)


class CompiledReading:
    """How far a compiled model has read a batch; the keys and values are kept inside the engine's request."""

    def __init__(self, name: str, compiled: Any) -> None:
        self._name = name
        self._request = compiled.create_infer_request()
        self._read = 0
        self._kept: Sequence[int] | None = None

    def step(self, rows: Sequence[Row], wide: int, stopped: Callable[[], bool]) -> list[list[Choice]] | None:
        """The likeliest next tokens of each row, or None where it was stopped midway."""
        scores = self.scores(rows, stopped)
        if scores is None:
            return None
        if np.isnan(scores).any():
            raise ModelFailed(f'{self._name} computed NaN: use another generator or `engine = "transformers"`')
        highest = scores.max(axis=-1)
        total = highest + np.log(np.exp(scores - highest[:, None]).sum(axis=-1))
        choices: list[list[Choice]] = [[] for _ in rows]
        for _ in range(wide):  # a few times the highest is faster than any order of the whole vocabulary
            for place, token in enumerate(scores.argmax(axis=-1).tolist()):
                choices[place].append(Choice(token, float(scores[place, token] - total[place])))
                scores[place, token] = -np.inf
        return choices

    def scores(self, rows: Sequence[Row], stopped: Callable[[], bool]) -> Scores | None:
        """The score of every token to come next, (rows, vocabulary)."""
        scores, columns = None, rows[0].padding + len(rows[0].tokens)
        while self._read < columns:
            if stopped():
                return None
            scores = self._read_on(rows, min(columns, self._read + max(1, AT_ONCE // len(rows))))
        return scores

    def _read_on(self, rows: Sequence[Row], end: int) -> Scores:
        kept = np.array(range(len(rows)) if self._kept is None else self._kept, dtype=np.int32)
        try:
            self._request.infer({**_inputs(Block.of(rows, self._read, end)), "rows": kept})
            scores: Scores = self._request.get_output_tensor(0).data
        except RuntimeError as error:
            raise ModelFailed(f"{self._name} failed: {_why(error)}") from error
        self._read, self._kept = end, None
        return scores

    def keep(self, places: Sequence[int]) -> None:
        """The next step goes on from these rows only."""
        self._kept = places


def is_installed() -> bool:
    """Whether the extra `openvino` is."""
    try:
        return bool(version("openvino"))
    except PackageNotFoundError:
        return False


def open_converted(weights: Weights, cache: Path) -> DecodingGenerator:
    """The generator through OpenVINO, converted first where it was not; through transformers where it cannot be.

    That is told in its `note`. Raises ModelDamaged where not even transformers can load the weights.
    """
    with contextlib.suppress(ModelDamaged):
        return load_openvino(weights, cache)
    model, _ = load_model(weights, "cpu")
    try:
        make_converted(model, weights, cache)
        return load_openvino(weights, cache)
    except (ModelError, OSError) as error:
        why = first_line(error)
    del model  # it was loaded for converting, in float32
    generator = load_generator(weights, "cpu")
    generator.note = NOTE.format(name=generator.name, why=why)
    return generator


def load_openvino(weights: Weights, cache: Path) -> OpenVinoGenerator:
    """The generator over what was converted before. Raises ModelDamaged where that is absent, damaged or unusable."""
    from transformers import AutoConfig, AutoTokenizer, GenerationConfig

    home = converted_folder(weights, cache)
    hold(home)
    if not is_sealed(home, FILES, weights=weights.fingerprint):
        raise ModelDamaged(f"{home} is not what was converted, or nothing was")
    try:
        with silence():
            tokenizer = AutoTokenizer.from_pretrained(weights.folder, **LOCAL_ONLY)
            config = AutoConfig.from_pretrained(weights.folder, **LOCAL_ONLY)
            places = [config, tokenizer]
            with contextlib.suppress(OSError):  # not every model has one
                places.append(GenerationConfig.from_pretrained(weights.folder, **LOCAL_ONLY))
        compiled = _compile(home / GRAPH)
    except Exception as error:  # transformers and the engine raise what they like
        raise ModelDamaged(f"{home} cannot be loaded: {_why(error)}") from error
    window = getattr(config, "max_position_embeddings", None)
    return OpenVinoGenerator(weights, compiled, tokenizer, end_tokens(*places), window)


def make_converted(model: Any, weights: Weights, cache: Path) -> Path:
    """Convert `model`, which transformers loaded from `weights`, try the result out and put it in its place, whole.

    Raises ModelFailed where the model cannot be converted faithfully, OSError where the cache cannot be written.
    """
    home = converted_folder(weights, cache)
    with stage(home.parent, ".openvino.lock", ".openvino-") as staging:
        if is_sealed(home, FILES, weights=weights.fingerprint):  # made by another process while this one waited
            return home
        _check_room(model, staging)
        try:
            with silence():
                graph = convert(model)
            _try_out(graph, model)
            quantise(graph)
            made = staging / "converted"
            made.mkdir()
            engine().save_model(graph, made / GRAPH, compress_to_fp16=False)
        except ModelFailed:
            raise
        except Exception as error:  # torch and the engine raise what they like about a model they do not know
            raise ModelFailed(_why(error)) from error
        seal(made, home, FILES, weights=weights.fingerprint)
        retire(_of_other_engines(home), staging)
    return home


def converted_folder(weights: Weights, cache: Path) -> Path:
    """Where what this engine makes of these weights lies, made or not."""
    return cache / "models" / f"openvino-{version('openvino')}-{FORMAT}-{weights.fingerprint[:16]}"


def _of_other_engines(home: Path) -> list[Path]:
    """What another version of the engine made, or another format, of whatever weights."""
    kind = home.name.rpartition("-")[0]
    return [folder for folder in home.parent.glob("openvino-*") if folder.name.rpartition("-")[0] != kind]


def _check_room(model: Any, folder: Path) -> None:
    """Raise ModelFailed where the disk is nearly full: the engine does not always tell that a file was cut short."""
    needed, free = ROOM * sum(weights.numel() for weights in model.parameters()), shutil.disk_usage(folder).free
    if needed > free:
        raise ModelFailed(f"{needed / 1e9:.1f} GB are needed in {folder.parent} and {free / 1e9:.1f} GB are free")


def _compile(graph: Any) -> Any:
    """The graph, or the file that holds one, ready for the CPU: in float32, with as many threads as torch takes."""
    import torch

    settings = {
        "INFERENCE_PRECISION_HINT": "f32",  # some CPUs would compute in bfloat16, and answer differently
        "KV_CACHE_PRECISION": "f32",
        "DYNAMIC_QUANTIZATION_GROUP_SIZE": "32",
        "NUM_STREAMS": "1",
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "ENABLE_CPU_PINNING": "NO",  # two processes would be pinned to the same cores
    }
    return engine().Core().compile_model(graph, "CPU", settings)


def _inputs(block: Block) -> dict[str, NDArray[Any]]:
    """A block as the graph reads it: each token sees those before it in its row."""
    tokens = np.array(block.tokens, dtype=np.int64)
    real = np.array(block.mask, dtype=bool)
    columns = np.arange(real.shape[1])
    new = columns[real.shape[1] - tokens.shape[1] :]
    seen = real[:, None, None, :] & (columns <= new[:, None])
    mask = np.where(seen, np.float32(0), np.float32(MASKED))
    return {"tokens": tokens, "positions": np.array(block.positions, dtype=np.int64), "mask": mask}


def _try_out(graph: Any, model: Any) -> None:
    """Raise ModelFailed unless the graph computes what the model does: rows of unlike length, read on, and left."""
    reading = CompiledReading("it", _compile(graph))
    rows = [Row(0, (5, 9, 2, 7, 3, 8, 4), 9), Row(1, (6, 3, 7), 9, padding=4)]
    for going_on in ([0, 1], [1], [0]):
        scores = reading.scores(rows, lambda: False)
        expected = np.stack([_scores_of_torch(model, row.tokens) for row in rows])
        if scores is None or not np.abs(scores - expected).max() <= NEAR * np.abs(expected).max():
            raise ModelFailed("what OpenVINO computes is not what transformers does")
        reading.keep(going_on)
        rows = [replace(rows[place], tokens=(*rows[place].tokens, 4)) for place in going_on]


def _scores_of_torch(model: Any, tokens: Sequence[int]) -> Scores:
    import torch

    with torch.inference_mode():
        scores: Scores = model(input_ids=torch.tensor([tokens])).logits[0, -1].numpy()
    return scores


def _why(error: Exception) -> str:
    """What went wrong in one line: the engine's first lines often name only its own source files."""
    lines = [line for line in str(error).splitlines() if not line.startswith(("Exception from", "Check '"))]
    told = "\n".join(lines).strip()
    return first_line(RuntimeError(told) if told else error)
