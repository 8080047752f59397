"""Tiny models for the tests: some thousand random weights of any architecture, a tokenizer trained on a paragraph."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rag.models import Message

TEXT = (
    "Urban trees are counted from photographs taken along the street. A network that was trained on ten cities finds "
    "87% of them, and loses 4 points where leaves have fallen. Reading the map as well brings back 3 of these points. "
)
CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
NO_SYSTEM = (
    "{% for message in messages %}{% if message.role == 'system' %}{{ raise_exception('System role not supported') }}"
    "{% endif %}<start_of_turn>{{ message.role }}\n{{ message.content }}<end_of_turn>\n{% endfor %}"
    "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)
CONTROLS = {CHATML: ["<|im_start|>", "<|im_end|>"], NO_SYSTEM: ["<start_of_turn>", "<end_of_turn>"], "": []}

SIZES = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "max_position_embeddings": 512,
    "initializer_range": 0.4,  # so wide that the next token depends on every one before it
}

ASKS = [
    [Message("system", "Be brief."), Message("user", "How many trees?")],
    [Message("system", "Be brief."), Message("user", "Which network finds the most trees of ten cities in a street?")],
    [Message("system", "Be brief."), Message("user", "Why?")],
]


def make_tokenizer(template: str = CHATML) -> Any:
    """Bytes and their most frequent pairs, with the control tokens that the template writes."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    specials = ["<pad>", "<eos>", *CONTROLS[template]]
    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trained.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trained.train_from_iterator(
        [TEXT], trainers.BpeTrainer(vocab_size=320, special_tokens=specials, initial_alphabet=alphabet)
    )
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=trained, pad_token="<pad>", eos_token=specials[-1])
    tokenizer.chat_template = template or None
    return tokenizer


def make_model(architecture: str, folder: Path, template: str = CHATML, **settings: Any) -> Path:
    """A random model of the architecture, always the same, and its tokenizer, as a person has them in a folder."""
    import torch
    import transformers

    tokenizer = make_tokenizer(template)
    tokens = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": tokenizer.eos_token_id}
    config = getattr(transformers, f"{architecture}Config")(
        **{**SIZES, "vocab_size": len(tokenizer), **tokens, **settings}
    )
    kind = transformers.AutoModelForSeq2SeqLM if config.is_encoder_decoder else transformers.AutoModelForCausalLM
    torch.manual_seed(1)
    kind.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def texts_of(pieces: Iterable[tuple[int, str | None]]) -> dict[int, str]:
    """What each row of a batch said, with a bar where it was said to be complete."""
    texts: dict[int, str] = {}
    for number, piece in pieces:
        texts[number] = texts.get(number, "") + ("|" if piece is None else piece)
    return texts
