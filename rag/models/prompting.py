"""Messages to a model's tokens and tokens back to text, the same for every engine that runs the model.

Knows tokenizers and chat templates; knows nothing of how the next token is computed.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from typing import Any

from rag.errors import ModelFailed
from rag.models import Message
from rag.models.loading import encodable, first_line

INCOMPLETE = "\N{REPLACEMENT CHARACTER}"
"""What a tokenizer makes of the first bytes of a character until the others have come."""

_TEMPLATE_SETTINGS: dict[str, Any] = {
    "enable_thinking": False,
    # Some templates state today's date, and the same question would be answered differently tomorrow.
    "strftime_now": lambda _format: "1 January 2025",
}

Chat = list[dict[str, str]]


class Prompting:
    """A transformers tokenizer with its chat template; safe to call from several threads.

    `name` is that of the model, for errors.
    """

    def __init__(self, name: str, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        self._name = name
        self._controls = _control_pattern(tokenizer)
        self._lock = threading.Lock()

    def encode(self, messages: Sequence[Message]) -> list[int]:
        """The prompt's tokens. Whatever a message says, only the template puts control tokens there.

        Raises ModelFailed where the template refuses the messages.
        """
        chat = [{"role": message.role, "content": self._plain(message.content)} for message in messages]
        templated = bool(self.tokenizer.chat_template)
        text = self._render(chat) if templated else _transcript(chat)
        with self._lock:  # the tokenizers' Rust side refuses a second borrower
            ids: list[int] = self.tokenizer(text, add_special_tokens=not templated, verbose=False)["input_ids"]
        return ids

    def decode(self, ids: Sequence[int]) -> str:
        """The text of these tokens; INCOMPLETE stands at its end while a character is not whole."""
        return str(self.tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False))

    def _plain(self, content: str) -> str:
        """`content` with a space in each control token of this tokenizer, which makes it ordinary text."""
        content = encodable(content)
        while self._controls is not None and self._controls.search(content):
            content = self._controls.sub(lambda found: f"{found[0][0]} {found[0][1:]}", content)
        return content

    def _render(self, chat: Chat) -> str:
        for attempt in (chat, without_system(chat)):
            try:
                return str(
                    self.tokenizer.apply_chat_template(
                        attempt, tokenize=False, add_generation_prompt=True, **_TEMPLATE_SETTINGS
                    )
                )
            except Exception as error:  # a template raises what it likes, most often about the system role
                refusal = error
        raise ModelFailed(f"the chat template of {self._name} failed: {first_line(refusal)}") from refusal


def end_tokens(*places: Any) -> frozenset[int]:
    """Every token that ends an answer; models name them in a generation config, a config, a tokenizer, or in all."""
    ends = [getattr(place, "eos_token_id", None) for place in places]
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


def without_system(chat: Chat) -> Chat:
    """System messages put in front of the person's first message, for templates that refuse the role."""
    system = [turn["content"] for turn in chat if turn["role"] == "system"]
    others = [turn for turn in chat if turn["role"] != "system"]
    opening = [turn["content"] for turn in others[:1]]
    return [{"role": "user", "content": "\n\n".join(system + opening)}, *others[1:]]


def _transcript(chat: Chat) -> str:
    """A prompt for models without a chat template."""
    return "".join(f"{turn['role']}: {turn['content']}\n" for turn in chat) + "assistant:"
