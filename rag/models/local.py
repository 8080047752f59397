"""Messages to streamed text with a transformers model on this machine.

A greedy loop with a key-value cache, written as a generator: no thread stands behind it that could hang or run on,
errors arise where the text is read, and closing the iterator ends the computation. Works with any causal language
model that transformers knows; knows nothing of prompts, papers or how the text is checked.
"""

from __future__ import annotations

import inspect
import re
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rag.errors import ModelDamaged, ModelFailed
from rag.models import Generator, Limits, Message
from rag.models.loading import LOCAL_ONLY, choose_device, encodable, first_line, silence
from rag.models.weights import Weights

_INCOMPLETE = "\N{REPLACEMENT CHARACTER}"
"""What a tokenizer makes of the first bytes of a character until the others have come."""

_TEMPLATE_SETTINGS: dict[str, Any] = {
    "enable_thinking": False,
    # Some templates state today's date, and the same question would be answered differently tomorrow.
    "strftime_now": lambda _format: "1 January 2025",
}

Chat = list[dict[str, str]]


class LocalGenerator:
    """A causal language model behind the `Generator` protocol; safe to call from several threads."""

    def __init__(self, name: str, fingerprint: str, model: Any, tokenizer: Any) -> None:
        self.name = f"{name} (transformers)"
        self.fingerprint = fingerprint
        self._model = model
        self._tokenizer = tokenizer
        self._window: int | None = getattr(model.config, "max_position_embeddings", None)
        self._ends = _end_ids(model, tokenizer)
        self._controls = _control_pattern(tokenizer)
        # The scores of a whole prompt would take gigabytes with a large vocabulary.
        last_only = "logits_to_keep" in inspect.signature(model.forward).parameters
        self._forward_settings = {"use_cache": True, **({"logits_to_keep": 1} if last_only else {})}
        # Held for a step, not for an answer: an answer that nobody reads to its end must not stop the others.
        self._lock = threading.Lock()

    def stream(self, messages: Sequence[Message], limits: Limits) -> Iterator[str]:
        """Pieces of the answer as they come, greedily chosen, whole characters only; ends quietly at a limit.

        Raises ModelFailed where the prompt does not fit the model's window or the model fails.
        """
        ids: list[int] = []
        told = 0
        for token in self._tokens(messages, limits):
            ids.append(token)
            text = self._decode(ids).rstrip(_INCOMPLETE)
            if len(text) > told:
                yield text[told:]
                told = len(text)

    def _tokens(self, messages: Sequence[Message], limits: Limits) -> Iterator[int]:
        deadline = time.monotonic() + limits.seconds
        unread = self._encode(messages)
        room = min(limits.max_new_tokens, self._room_after(unread))
        past = None
        for _ in range(room):
            if limits.cancelled.is_set() or time.monotonic() > deadline:
                return
            token, past = self._step(unread, past)
            if token in self._ends:
                return
            yield token
            unread = [token] if past is not None else [*unread, token]

    def _step(self, unread: list[int], past: Any) -> tuple[int, Any]:
        """The likeliest next token after `unread`, and the cache that now holds it."""
        import torch

        try:
            with self._lock, torch.inference_mode():
                tokens = torch.tensor([unread], device=self._model.device)
                output = self._model(input_ids=tokens, past_key_values=past, **self._forward_settings)
                scores = output.logits[0, -1]
                best, failed = int(scores.argmax()), bool(scores.isnan().any())
        except Exception as error:  # torch raises RuntimeError, OutOfMemoryError, IndexError and more
            raise ModelFailed(f"{self.name} failed: {first_line(error)}") from error
        if failed:
            raise ModelFailed(f"{self.name} computed NaN: use another generator or `--device cpu`")
        return best, output.past_key_values

    def _room_after(self, prompt: list[int]) -> int:
        window = self._window or len(prompt) + 1_000_000
        if len(prompt) >= window:
            raise ModelFailed(
                f"the prompt has {len(prompt)} tokens and the window of {self.name} {window}:"
                " ask a shorter question or use another generator"
            )
        return window - len(prompt)

    def _encode(self, messages: Sequence[Message]) -> list[int]:
        """The prompt's tokens. Whatever a message says, only the template puts control tokens there."""
        chat = [{"role": message.role, "content": self._plain(message.content)} for message in messages]
        templated = bool(self._tokenizer.chat_template)
        text = self._render(chat) if templated else _transcript(chat)
        with self._lock:
            ids: list[int] = self._tokenizer(text, add_special_tokens=not templated, verbose=False)["input_ids"]
        return ids

    def _plain(self, content: str) -> str:
        """`content` with a space in each control token of this tokenizer, which makes it ordinary text."""
        content = encodable(content)
        while self._controls is not None and self._controls.search(content):
            content = self._controls.sub(lambda found: f"{found[0][0]} {found[0][1:]}", content)
        return content

    def _render(self, chat: Chat) -> str:
        for attempt in (chat, _without_system(chat)):
            try:
                return str(
                    self._tokenizer.apply_chat_template(
                        attempt, tokenize=False, add_generation_prompt=True, **_TEMPLATE_SETTINGS
                    )
                )
            except Exception as error:  # a template raises what it likes, most often about the system role
                refusal = error
        raise ModelFailed(f"the chat template of {self.name} failed: {first_line(refusal)}") from refusal

    def _decode(self, ids: list[int]) -> str:
        return str(self._tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False))


def load_generator(weights: Weights, device: str = "auto") -> Generator:
    """The generator in `weights.folder`, on `device`: float32 on the CPU, half the size on a CUDA device.

    Reads local safetensors only and runs no code that comes with a model. Raises ModelDamaged where the folder
    cannot be loaded or lacks weights, BadInput where the device cannot be used.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer

    device = choose_device(device)
    try:
        with silence():
            tokenizer = AutoTokenizer.from_pretrained(weights.folder, **LOCAL_ONLY)
            model, report = AutoModelForCausalLM.from_pretrained(
                weights.folder,
                dtype=_choose_dtype(device),
                use_safetensors=True,
                output_loading_info=True,
                **LOCAL_ONLY,
            )
            model = model.to(device).eval()
    except Exception as error:  # whatever a broken folder provokes, from KeyError to SafetensorError
        raise ModelDamaged(
            f"generator {weights.name!r} in {weights.folder} cannot be loaded: {first_line(error)}"
        ) from error
    if missing := sorted(report["missing_keys"]):
        # transformers fills these with random numbers, and says so only in its log.
        raise ModelDamaged(f"generator {weights.name!r} in {weights.folder} lacks the weights {missing[0]!r}")
    return LocalGenerator(Path(weights.name).name, weights.fingerprint, model, tokenizer)


def _choose_dtype(device: str) -> Any:
    """What the hardware computes fast: bfloat16 is slower than float32 on most CPUs, and float16 overflows."""
    import torch

    if not device.startswith("cuda"):
        return torch.float32
    return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16


def _end_ids(model: Any, tokenizer: Any) -> frozenset[int]:
    """Every token that ends an answer; models name them in one, two or all of these places."""
    named = (model.generation_config, model.config, tokenizer)
    ends = [getattr(place, "eos_token_id", None) for place in named]
    return frozenset(token for end in ends for token in (end if isinstance(end, list) else [end]) if token is not None)


def _control_pattern(tokenizer: Any) -> re.Pattern[str] | None:
    """Finds the tokenizer's control tokens in text: the special ones, and those that its chat template writes."""
    template = str(tokenizer.chat_template or "")
    controls = {
        token.content
        for token in tokenizer.added_tokens_decoder.values()
        if (token.special or token.content in template) and len(token.content.strip()) > 1
    }
    longest_first = sorted(controls, key=lambda control: (-len(control), control))
    return re.compile("|".join(map(re.escape, longest_first))) if controls else None


def _without_system(chat: Chat) -> Chat:
    """System messages put in front of the person's first message, for templates that refuse the role."""
    system = [turn["content"] for turn in chat if turn["role"] == "system"]
    others = [turn for turn in chat if turn["role"] != "system"]
    opening = [turn["content"] for turn in others[:1]]
    return [{"role": "user", "content": "\n\n".join(system + opening)}, *others[1:]]


def _transcript(chat: Chat) -> str:
    """A prompt for models without a chat template."""
    return "".join(f"{turn['role']}: {turn['content']}\n" for turn in chat) + "assistant:"
