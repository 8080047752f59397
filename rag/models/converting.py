"""A transformers model to an OpenVINO one that keeps its own key-value cache, eight bits a weight.

The forward pass is traced, its cache becomes state inside the graph, and the large matrices are stored as GGUF's Q8_0
does: groups of 32 whole numbers of eight bits with a float16 scale. Knows nothing of files, prompts or text.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rag.errors import ModelFailed

GROUP: Final = 32
"""Weights that share a scale, as in Q8_0. One scale for a whole row is no faster, and further from the original."""

MASKED: Final = float(np.finfo(np.float32).min)
"""Added to the score of what must not be read; minus infinity would make NaN of a row that is all padding."""

MEMORY: Final = 10
"""Bytes of free memory for each weight: the graph holds another four, and as many when it is tried out."""

_TELEMETRY = "openvino_telemetry"

_UNSTEADY = ("dynamic", "longrope")
"""Position schemes that depend on the length of the text, which a traced graph would have forgotten."""


def engine() -> Any:
    """The package `openvino`, imported without its telemetry, which tells a server of every import."""
    told = sys.modules.get(_TELEMETRY)
    sys.modules[_TELEMETRY] = None  # type: ignore[assignment]  # an import of it fails, and openvino has a stub for that
    try:
        import openvino
    finally:
        del sys.modules[_TELEMETRY]
        if told is not None:
            sys.modules[_TELEMETRY] = told
    return openvino


def convert(model: Any) -> Any:
    """`model`, a causal language model of transformers in float32, as a stateful `openvino.Model`, not yet quantised.

    Inputs, for B rows of which N columns are new and T are known then: `tokens` (B, N), `positions` (B, N), `mask`
    (B, 1, N, T) with 0 or MASKED, and `rows` (B), which of the rows read before each one goes on from. The one output
    is the score of every token to come next, (B, vocabulary).

    Raises ModelFailed for a model that cannot be converted faithfully.
    """
    engine()  # before anything else imports a part of it
    shapes = _cache_shapes(model)
    graph = _trace(model, shapes)
    _describe(graph, shapes)
    _remember(graph)
    return graph


def quantise(graph: Any) -> None:
    """Store every large matrix of the graph in eight bits; what is computed with stays float32."""
    for constant in [node for node in graph.get_ops() if _is_matrix(node)]:
        readers = list(constant.output(0).get_target_inputs())
        restored = _in_eight_bits(constant.get_data())
        for reader in readers:
            reader.replace_source_output(restored.output(0))
    graph.validate_nodes_and_infer_types()


def _cache_shapes(model: Any) -> list[tuple[int, int]]:
    """Heads and their size of the keys and values of each layer, in turn, after a look at what the model caches."""
    import psutil
    import torch

    needed, free = MEMORY * sum(weights.numel() for weights in model.parameters()), psutil.virtual_memory().available
    if needed > free:
        raise ModelFailed(f"{needed / 1e9:.1f} GB of memory are needed once and {free / 1e9:.1f} GB are free")
    if any(kind in str(getattr(model.config, "rope_parameters", "")) for kind in _UNSTEADY):
        raise ModelFailed("its positions depend on the length of the text")
    with torch.inference_mode():
        cache = model(input_ids=torch.tensor([[1, 2]]), use_cache=True).past_key_values
    layers = getattr(cache, "layers", [])
    if not layers or any(type(layer).__name__ != "DynamicLayer" for layer in layers):
        raise ModelFailed("not all of its layers attend to the whole text")
    return [(tensor.shape[1], tensor.shape[3]) for layer in layers for tensor in (layer.keys, layer.values)]


class _Joined:
    """A cache as transformers uses one, out of plain tensors: each layer's new keys and values join those before."""

    is_compileable = False

    def __init__(self, past: Sequence[Any]) -> None:
        self.tensors = list(past)

    def update(self, keys: Any, values: Any, layer: int, *_: Any, **__: Any) -> tuple[Any, Any]:
        """All keys and values of a layer, after the new ones came."""
        import torch

        for place, new in ((2 * layer, keys), (2 * layer + 1, values)):
            self.tensors[place] = torch.cat([self.tensors[place], new], dim=-2)
        return self.tensors[2 * layer], self.tensors[2 * layer + 1]

    def get_seq_length(self, layer: int = 0) -> int:
        """How many tokens were read."""
        length: int = self.tensors[2 * layer].shape[-2]
        return length


def _trace(model: Any, shapes: list[tuple[int, int]]) -> Any:
    """The forward pass as a graph: tokens, mask, positions and past in, scores and what is then past out."""
    import torch
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    settings = {"logits_to_keep": 1} if "logits_to_keep" in inspect.signature(model.forward).parameters else {}

    class Step(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, tokens: Any, mask: Any, positions: Any, *past: Any) -> tuple[Any, ...]:
            cache = _Joined(past)
            output = self.model(
                input_ids=tokens,
                attention_mask=mask,
                position_ids=positions,
                past_key_values=cache,
                use_cache=True,
                **settings,
            )
            return output.logits[:, -1], *cache.tensors

    rows, read, new = 2, 3, 4
    example = (
        torch.ones(rows, new, dtype=torch.long),
        torch.zeros(rows, 1, new, read + new),
        torch.arange(read, read + new).repeat(rows, 1),
        *(torch.zeros(rows, heads, read, size) for heads, size in shapes),
    )
    frontend = FrontEndManager().load_by_framework("pytorch")
    with torch.no_grad():
        decoder = TorchScriptPythonDecoder(Step().eval(), example_input=example)  # has to outlive the conversion
        return frontend.convert(frontend.load(decoder))


def _describe(graph: Any, shapes: list[tuple[int, int]]) -> None:
    """Names, types and shapes of what goes in and out, which tracing does not keep."""
    from openvino import PartialShape, Type

    inputs = [("tokens", Type.i64, [-1, -1]), ("mask", Type.f32, [-1, 1, -1, -1]), ("positions", Type.i64, [-1, -1])]
    inputs += [(f"past.{place}", Type.f32, [-1, heads, -1, size]) for place, (heads, size) in enumerate(shapes)]
    for port, (name, kind, shape) in zip(graph.inputs, inputs, strict=True):
        port.get_tensor().set_names({name})
        port.get_node().set_element_type(kind)
        port.get_node().set_partial_shape(PartialShape(shape))
    for place, port in enumerate(graph.outputs):
        port.get_tensor().set_names({f"present.{place - 1}" if place else "scores"})
    graph.validate_nodes_and_infer_types()


def _remember(graph: Any) -> None:
    """Turn what is past from inputs and outputs into state, whose rows the new input `rows` picks from."""
    from openvino import Type
    from openvino import opset13 as op
    from openvino._offline_transformations import apply_make_stateful_transformation

    rows = op.parameter([-1], Type.i32, name="rows")
    rows.output(0).get_tensor().set_names({"rows"})
    pasts = [port for port in graph.inputs if port.get_any_name().startswith("past.")]
    graph.add_parameters([rows])
    for past in pasts:
        readers = list(past.get_target_inputs())
        picked = op.gather(past, rows, op.constant(0, Type.i64))
        for reader in readers:
            reader.replace_source_output(picked.output(0))
    names = [past.get_any_name() for past in pasts]
    apply_make_stateful_transformation(graph, {name: name.replace("past", "present") for name in names})
    _begin_empty(graph)


def _begin_empty(graph: Any) -> None:
    """State of as many rows as there are in `tokens`, and of no columns, where nothing has been read."""
    from openvino import Type
    from openvino import opset13 as op

    zero = op.constant(0, Type.i64)
    shape = op.shape_of(graph.input("tokens"), Type.i64)
    batch = op.gather(shape, op.constant([0], Type.i64), zero)
    for state in [node for node in graph.get_ops() if node.get_type_name() == "ReadValue"]:
        _, heads, _, size = state.get_output_partial_shape(0)
        rest = op.constant([heads.get_length(), 0, size.get_length()], Type.i64)
        state.set_arguments([op.broadcast(op.constant(0.0, Type.f32), op.concat([batch, rest], 0))])
    graph.validate_nodes_and_infer_types()


def _is_matrix(node: Any) -> bool:
    """Whether a node holds weights that are multiplied with, or looked up, as rows of whole groups."""
    if node.get_type_name() != "Constant" or str(node.get_output_element_type(0)) != "<Type: 'float32'>":
        return False
    shape = list(node.get_output_shape(0))
    by_rows = all(_reads_rows(reader.get_node()) for reader in node.output(0).get_target_inputs())
    return len(shape) == 2 and shape[1] % GROUP == 0 and shape[0] > 1 and by_rows


def _reads_rows(node: Any) -> bool:
    multiplies = node.get_type_name() == "MatMul" and node.get_attributes()["transpose_b"]
    return bool(multiplies or node.get_type_name() == "Gather")


def _in_eight_bits(weights: NDArray[np.float32]) -> Any:
    """A node that gives back `weights`, (rows, columns), out of whole numbers and scales."""
    from openvino import opset13 as op

    groups = weights.reshape(len(weights), -1, GROUP)
    scales = (np.abs(groups).max(axis=-1, keepdims=True) / 127).astype(np.float16)
    # A group of zeros, or of numbers too small for float16, is restored as zeros.
    whole = np.rint(groups / np.maximum(scales.astype(np.float32), 1e-12)).clip(-127, 127).astype(np.int8)
    restored = op.multiply(op.convert(op.constant(whole), "f16"), op.constant(scales))
    shaped = op.reshape(restored, op.constant(np.array(weights.shape)), special_zero=False)
    return op.convert(shaped, "f32")
