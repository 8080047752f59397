"""From a run to what ships: nothing is written that cannot, and merged it computes what peft's own model does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from reader_cases import example, make_llama, write_examples

from eval.reader import package as packaging
from eval.reader.__main__ import main
from eval.reader.package import package
from eval.reader.train import Recipe, train
from rag.errors import BadInput
from rag.models.adapter import CARD, PROMPT, WEIGHTS, make_reader, read_adapter
from rag.models.sealing import hash_file
from rag.models.weights import GENERATOR_GGUF_SHA256

RECIPE = Recipe(rank=2, alpha=8, learning_rate=0.05, passes=3, batch=4, warm_up=0.0, patience=9)


def make_run(folder: Path, name: str = "model.layers.0.mlp.up_proj.lora_A.weight", config: str | None = None) -> Path:
    """What a finished run leaves, without the training."""
    import numpy as np
    from safetensors.numpy import save_file

    folder.mkdir(parents=True)
    save_file({f"base_model.model.{name}": np.ones((2, 4), dtype=np.float32)}, folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text(config or '{"lora_alpha": 32, "r": 16}')
    (folder / "recipe.json").write_text('{"rank": 16}')
    return folder


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_examples(tmp_path / "examples.jsonl", example(1))


def test_a_package_says_what_it_was_made_of(tmp_path: Path, data: Path) -> None:
    out = tmp_path / "reader"
    assert package(make_run(tmp_path / "run"), data, out) == out / WEIGHTS
    assert json.loads((out / CARD).read_text()) == {
        "prompt": PROMPT,
        "scale": 2.0,
        "sha256": hash_file(out / WEIGHTS),
        "base_gguf_sha256": GENERATOR_GGUF_SHA256,
        "data_sha256": hash_file(data),
        "recipe": {"rank": 16},
    }
    assert read_adapter(out) is not None


def test_it_holds_half_precision_matrices_by_the_names_of_the_base(tmp_path: Path, data: Path) -> None:
    from safetensors.numpy import load_file

    held = load_file(package(make_run(tmp_path / "run"), data, tmp_path / "reader"))
    assert [(name, str(matrix.dtype)) for name, matrix in held.items()] == [("model.layers.0.mlp.up_proj.A", "float16")]


@pytest.mark.parametrize("name", ["adapter_model.safetensors", "adapter_config.json", "recipe.json"])
@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_text("{")], ids=["lost", "damaged"])
def test_an_unfinished_run_is_refused(tmp_path: Path, data: Path, name: str, damage: Any) -> None:
    run = make_run(tmp_path / "run")
    damage(run / name)
    with pytest.raises(BadInput, match="holds no finished run"):
        package(run, data, tmp_path / "reader")
    assert not (tmp_path / "reader").exists()


def test_what_is_no_low_rank_matrix_is_refused(tmp_path: Path, data: Path) -> None:
    run = make_run(tmp_path / "run", "lm_head.weight")
    with pytest.raises(BadInput, match=r"lm_head.weight is no matrix"):
        package(run, data, tmp_path / "reader")


def test_what_is_too_large_to_ship_leaves_what_ships_as_it_is(tmp_path: Path, data: Path, monkeypatch) -> None:
    out = tmp_path / "reader"
    package(make_run(tmp_path / "run"), data, out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    monkeypatch.setattr(packaging, "LARGEST", 10)
    with pytest.raises(BadInput, match=r"at most 10 may ship.*--rank"):
        package(make_run(tmp_path / "other"), data, out)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_the_command_refuses_a_folder_without_a_run_in_one_line(tmp_path: Path, capsys) -> None:
    assert main(["package", str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith("reader: ")


@pytest.mark.slow
def test_the_merged_reader_computes_what_pefts_merged_model_does(tmp_path: Path, data: Path) -> None:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    base = make_llama(tmp_path / "base")
    best = train(base, [example(number) for number in range(4)], [example(10)], RECIPE, tmp_path / "run")
    package(best, data, tmp_path / "shipped")
    adapter = read_adapter(tmp_path / "shipped")
    assert adapter is not None
    make_reader(base, adapter, tmp_path / "reader")

    ids = torch.tensor([list(range(40, 140))])
    plain, ours = (AutoModelForCausalLM.from_pretrained(folder) for folder in (base, tmp_path / "reader"))
    theirs = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), best).merge_and_unload()
    with torch.no_grad():
        untaught, merged, expected = (model(ids).logits for model in (plain, ours, theirs))
    apart = float((merged - expected).abs().max())
    changed = float((expected - untaught).abs().max())
    assert changed > 0.05, "training changed nothing, so the comparison says nothing"
    assert apart < 0.01 * changed
