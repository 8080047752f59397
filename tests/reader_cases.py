"""What the tests of the reader share: made-up examples, a base and an adapter of a few numbers, a real tiny model."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from eval.reader.examples import Example
from rag.models.adapter import CARD, PROMPT, WEIGHTS
from rag.models.sealing import MANIFEST, hash_files
from rag.models.weights import generator_folder

CHANGED = "model.layers.0.mlp.up_proj"
SCALE = 2.0

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def example(number: int, **changes: str) -> Example:
    """A sound example; each number gives another one."""
    values = {
        "id": f"r{number:04}",
        "paper": str(number),
        "title": f"Rye number {number}",
        "question": f"What does rye do in oven {number}?",
        "before": "",
        "sentence": f"We find that rye from field {number} keeps its gas for 12 hours in a warm oven.",
        "statement": f"Rye from field {number} keeps gas for 12 hours in a warm oven.",
        "kind": "finding",
    }
    return Example(**(values | changes))


def write_examples(path: Path, *examples: Example) -> Path:
    fields = Example.__dataclass_fields__
    lines = (json.dumps({name: getattr(each, name) for name in fields}) for each in examples)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


# --- without a model ------------------------------------------------------------------------------------------------


def base_weights() -> dict[str, np.ndarray[Any, Any]]:
    numbers = np.random.default_rng(1)
    return {
        f"{CHANGED}.weight": numbers.standard_normal((6, 4)).astype(np.float32),
        "model.embed_tokens.weight": numbers.standard_normal((9, 4)).astype(np.float32),
    }


def make_base(cache: Path) -> Path:
    """What a pull leaves, in small."""
    folder = generator_folder(cache)
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"model_type": "llama"}')
    (folder / "tokenizer.json").write_text("{}")
    (folder / "README.md").write_text("not copied")
    save_file(base_weights(), folder / "model.safetensors")
    (folder / MANIFEST).write_text(json.dumps({"files": hash_files(folder)}))
    return folder


def thin(seed: int = 2, changed: str = CHANGED, rows: int = 6) -> dict[str, np.ndarray[Any, Any]]:
    """The two matrices of rank 2 that change a matrix of the base."""
    numbers = np.random.default_rng(seed)
    return {
        f"{changed}.A": numbers.standard_normal((2, 4)).astype(np.float16),
        f"{changed}.B": numbers.standard_normal((rows, 2)).astype(np.float16),
    }


def make_adapter(folder: Path, matrices: dict[str, Any] | None = None, prompt: int = PROMPT) -> Path:
    """What ships, in small."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file(thin() if matrices is None else matrices, folder / WEIGHTS)
    digest = hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()
    (folder / CARD).write_text(json.dumps({"prompt": prompt, "scale": SCALE, "sha256": digest}))
    return folder


# --- with one -------------------------------------------------------------------------------------------------------


def tiny_tokenizer() -> Any:
    """A token is a byte; the chat is written as SmolLM2's is."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={letter: place for place, letter in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(text, special=True) for text in ("<|im_start|>", "<|im_end|>")])
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|im_end|>", bos_token="<|im_start|>")
    fast.chat_template = CHATML
    return fast


def make_llama(folder: Path) -> Path:
    """A random Llama of a few thousand weights that reads bytes."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = tiny_tokenizer()
    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=1024,
        tie_word_embeddings=True,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=tokenizer.bos_token_id,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
