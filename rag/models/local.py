"""Messages to streamed text with a transformers model on this machine.

Works with any causal language model that transformers knows. Computes the next tokens; the loop around that is
`decoding`, the prompt's tokens are made in `prompting`.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rag.errors import BadInput, ModelDamaged, ModelFailed
from rag.models import Limits, Message
from rag.models.decoding import DecodingGenerator
from rag.models.loading import LOCAL_ONLY, choose_device, first_line, silence
from rag.models.prompting import Prompting, end_tokens
from rag.models.rows import Block, Choice, Row
from rag.models.weights import Weights


class LocalGenerator(DecodingGenerator):
    """A causal language model of transformers behind the `Generator` protocol."""

    def __init__(self, name: str, fingerprint: str, model: Any, tokenizer: Any) -> None:
        name = f"{name} (transformers)"
        ends = end_tokens(model.generation_config, model.config, tokenizer)
        window: int | None = getattr(model.config, "max_position_embeddings", None)
        super().__init__(name, fingerprint, Prompting(name, tokenizer), ends, window)
        self._model = model
        # Held for a step, not for an answer: an answer that nobody reads to its end must not stop the others.
        self._lock = threading.Lock()
        # A model that cannot be told where a row begins would read the padding.
        self._pads = {"attention_mask", "position_ids"} <= set(inspect.signature(model.forward).parameters)

    def stream_batch(self, prompts: Sequence[Sequence[Message]], limits: Limits) -> Iterator[tuple[int, str | None]]:
        """Several prompts decoded together; one by one where the model cannot read rows of unlike length."""
        decode = super().stream_batch if self._pads else super(DecodingGenerator, self).stream_batch
        return decode(prompts, limits)

    def _begin(self) -> _TorchReading:
        return _TorchReading(self.name, self._model, self._lock)


class _TorchReading:
    """How far a transformers model has read a batch, with its key-value cache."""

    def __init__(self, name: str, model: Any, lock: threading.Lock) -> None:
        self._name = name
        self._model = model
        self._lock = lock
        self._cache: Any = None
        self._read = 0
        # The scores of a whole prompt would take gigabytes with a large vocabulary.
        last_only = "logits_to_keep" in inspect.signature(model.forward).parameters
        self._settings = {"use_cache": True, **({"logits_to_keep": 1} if last_only else {})}

    def step(
        self,
        rows: Sequence[Row],
        wide: int,
        stopped: Callable[[], bool],  # noqa: ARG002  (torch cannot be)
    ) -> list[list[Choice]]:
        """The likeliest next tokens of each row; a step is not stopped midway."""
        import torch

        block = Block.of(rows, self._read)
        try:
            with self._lock, torch.inference_mode():
                output = self._model(**self._inputs(block), past_key_values=self._cache, **self._settings)
                scores = output.logits[:, -1].float()
                failed = bool(scores.isnan().any())
                likeliest, tokens = scores.topk(wide)
                logs = likeliest - scores.logsumexp(dim=-1, keepdim=True)
        except Exception as error:  # torch raises RuntimeError, OutOfMemoryError, IndexError and more
            raise ModelFailed(f"{self._name} failed: {first_line(error)}") from error
        if failed:
            raise ModelFailed(f"{self._name} computed NaN: use another generator or `--device cpu`")
        self._cache = getattr(output, "past_key_values", None)  # recurrent models have a state of another name
        if self._cache is not None:
            self._read += len(block.tokens[0])
        return [list(map(Choice, *row)) for row in zip(tokens.tolist(), logs.tolist(), strict=True)]

    def keep(self, places: Sequence[int]) -> None:
        """Pick these rows from the cache."""
        import torch

        if places and self._cache is not None:
            with torch.inference_mode():
                self._cache.reorder_cache(torch.tensor(places))

    def _inputs(self, block: Block) -> dict[str, Any]:
        import torch

        inputs = {"input_ids": block.tokens}
        if block.padded:
            inputs |= {"attention_mask": block.mask, "position_ids": block.positions}
        return {name: torch.tensor(value, device=self._model.device) for name, value in inputs.items()}


def load_generator(weights: Weights, device: str = "auto") -> LocalGenerator:
    """The generator in `weights.folder`, on `device`, with numbers as wide as that computes fast (`choose_dtype`).

    Reads local safetensors only and runs no code that comes with a model. Raises ModelDamaged where the folder
    cannot be loaded or lacks weights, BadInput where the device cannot be used or the model is of another kind.
    """
    device = choose_device(device)
    return local_generator(weights, *load_model(weights, device, choose_dtype(device)))


def local_generator(weights: Weights, model: Any, tokenizer: Any) -> LocalGenerator:
    """The generator over a model and tokenizer that `load_model` loaded from these weights."""
    generator = LocalGenerator(Path(weights.name).name, weights.fingerprint, model, tokenizer)
    generator.taught = weights.taught
    return generator


def load_model(weights: Weights, device: str, dtype: Any = None) -> tuple[Any, Any]:
    """Model and tokenizer of transformers, float32 where no torch `dtype` is given; raises as `load_generator` does."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    try:
        with silence():
            config = AutoConfig.from_pretrained(weights.folder, **LOCAL_ONLY)
            if config.is_encoder_decoder:
                raise BadInput(
                    f"generator {weights.name!r} reads with one half and writes with the other ({config.model_type}):"
                    " name a causal language model instead"
                )
            tokenizer = AutoTokenizer.from_pretrained(weights.folder, **LOCAL_ONLY)
            model, report = AutoModelForCausalLM.from_pretrained(
                weights.folder,
                dtype=dtype or torch.float32,
                use_safetensors=True,
                output_loading_info=True,
                **LOCAL_ONLY,
            )
            model = model.to(device).eval()
    except BadInput:
        raise
    except Exception as error:  # whatever a broken folder provokes, from KeyError to SafetensorError
        raise ModelDamaged(
            f"generator {weights.name!r} in {weights.folder} cannot be loaded: {first_line(error)}"
        ) from error
    if missing := sorted(report["missing_keys"]):
        # transformers fills these with random numbers, and says so only in its log.
        raise ModelDamaged(f"generator {weights.name!r} in {weights.folder} lacks the weights {missing[0]!r}")
    return model, tokenizer


_BFLOAT16 = ("avx512_bf16", "amx_bf16")
"""Instructions with which bfloat16 is twice as fast as float32 on a CPU; without them it is slower."""


def choose_dtype(device: str, processor: Mapping[str, object] | None = None) -> Any:
    """What the hardware computes fast: two bytes a number where it has instructions for that, else float32.

    `processor` tells what the CPU can do, by default as torch finds it. float16 overflows where it is not needed.
    """
    import torch

    if device.startswith("cuda"):
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    able = processor if processor is not None else getattr(torch.cpu, "get_capabilities", dict)()  # older: cannot tell
    return torch.bfloat16 if device == "cpu" and any(map(able.get, _BFLOAT16)) else torch.float32
