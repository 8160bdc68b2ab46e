"""The ONNX graph of all-MiniLM-L6-v2, written from its safetensors weights.

BERT as published (post-layer-norm, erf GELU; Devlin et al. 2019), then mean pooling and L2 normalisation inside the
graph. One text a run, so there is neither padding nor mask, and a vector depends on its text alone: dynamic
quantisation takes its scale from everything in the batch, and would otherwise mix the texts.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import onnx
    from numpy.typing import NDArray

LAYERS, HEADS, WIDTH, POSITIONS = 6, 12, 384, 256
OPSET = 20
EPSILON = 1e-12


class _Graph:
    """Nodes and weights of a graph under construction; every method returns the name of its output."""

    def __init__(self, *, int8: bool) -> None:
        self.int8 = int8
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def weight(self, name: str, value: NDArray[np.generic]) -> str:
        from onnx import numpy_helper

        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, operator: str, inputs: list[str], name: str, **attributes: Any) -> str:  # noqa: ANN401 - ONNX decides
        from onnx import helper

        self.nodes.append(helper.make_node(operator, inputs, [name], name=name, **attributes))
        return name

    def split(self, source: str, sizes: str, names: list[str]) -> list[str]:
        from onnx import helper

        self.nodes.append(helper.make_node("Split", [source, sizes], names, name=f"{source}.split", axis=-1))
        return names

    def linear(self, source: str, name: str, weight: NDArray[np.float32], bias: NDArray[np.float32]) -> str:
        multiply = self._product_int8 if self.int8 else self._product
        return self.node("Add", [multiply(source, name, weight), self.weight(f"{name}.bias", bias)], name)

    def _product(self, source: str, name: str, weight: NDArray[np.float32]) -> str:
        return self.node("MatMul", [source, self.weight(f"{name}.weight", weight)], f"{name}.product")

    def _product_int8(self, source: str, name: str, weight: NDArray[np.float32]) -> str:
        from onnx import TensorProto, helper

        rounded, scale = quantised(weight, axis=0)
        outputs = [f"{name}.input", f"{name}.input_scale", f"{name}.input_zero"]
        self.nodes.append(helper.make_node("DynamicQuantizeLinear", [source], outputs, name=f"{name}.input"))
        factors = [outputs[0], self.weight(f"{name}.weight", rounded), outputs[2]]
        whole = self.node("MatMulInteger", factors, f"{name}.whole")
        scales = self.node("Mul", [outputs[1], self.weight(f"{name}.scale", scale[0])], f"{name}.scales")
        real = self.node("Cast", [whole], f"{name}.real", to=TensorProto.FLOAT)
        return self.node("Mul", [real, scales], f"{name}.product")

    def rows(self, name: str, table: NDArray[np.float32], index: str) -> str:
        """Rows of a table; where the graph is int8, stored as int8 with one scale a row."""
        from onnx import TensorProto

        if not self.int8:
            return self.node("Gather", [self.weight(name, table), index], f"{name}.rows", axis=0)
        rounded, scale = quantised(table, axis=1)
        whole = self.node("Gather", [self.weight(name, rounded), index], f"{name}.whole", axis=0)
        scales = self.node("Gather", [self.weight(f"{name}.scale", scale), index], f"{name}.scales", axis=0)
        real = self.node("Cast", [whole], f"{name}.real", to=TensorProto.FLOAT)
        return self.node("Mul", [real, scales], f"{name}.rows")

    def normed(self, left: str, right: str, name: str, weights: dict[str, NDArray[np.float32]]) -> str:
        total = self.node("Add", [left, right], f"{name}.sum")
        scale = self.weight(f"{name}.weight", weights[f"{name}.weight"])
        shift = self.weight(f"{name}.bias", weights[f"{name}.bias"])
        return self.node("LayerNormalization", [total, scale, shift], name, axis=-1, epsilon=EPSILON)


def quantised(values: NDArray[np.float32], *, axis: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return a matrix as int8 and its scales, symmetric, one scale for all values along `axis` (kept as size 1)."""
    scale = np.maximum(np.abs(values).max(axis=axis, keepdims=True) / np.float32(127), np.float32(1e-30))
    return np.rint(values / scale).astype(np.int8), scale.astype(np.float32)


def build(weights: dict[str, NDArray[np.float32]], *, int8: bool) -> onnx.ModelProto:
    """Return the graph: `ids`, int64 of shape (1, tokens), to `vector`, float32 of shape (1, 384) and length 1.

    Args:
        weights: The tensors of `model.safetensors` by name, float32.
        int8: Store the weights as int8, one scale a column, and quantise what they are multiplied with at run time.
    """
    from onnx import TensorProto, helper

    graph = _Graph(int8=int8)
    state = _embedded(graph, weights)
    for layer in range(LAYERS):
        state = _layer(graph, state, f"encoder.layer.{layer}", weights)
    pooled = graph.node("ReduceMean", [state, graph.weight("pool.axis", np.array([1], np.int64))], "pooled", keepdims=0)
    graph.node("LpNormalization", [pooled], "vector", axis=-1, p=2)
    body = helper.make_graph(
        graph.nodes,
        "all-MiniLM-L6-v2",
        [helper.make_tensor_value_info("ids", TensorProto.INT64, [1, "tokens"])],
        [helper.make_tensor_value_info("vector", TensorProto.FLOAT, [1, WIDTH])],
        graph.weights,
    )
    return helper.make_model(body, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)


def _embedded(graph: _Graph, weights: dict[str, NDArray[np.float32]]) -> str:
    # every token is of the first segment, so its row is added to the positions once and for all
    rows = (
        weights["embeddings.position_embeddings.weight"][:POSITIONS]
        + weights["embeddings.token_type_embeddings.weight"][0]
    )
    positions = graph.weight("positions", rows)
    looked_up = graph.rows("words", weights["embeddings.word_embeddings.weight"], "ids")
    shape = graph.node("Shape", ["ids"], "shape")
    length = graph.node("Gather", [shape, graph.weight("one", np.array([1], np.int64))], "length", axis=0)
    zero, axis = graph.weight("zero", np.array([0], np.int64)), graph.weight("first_axis", np.array([0], np.int64))
    placed = graph.node("Slice", [positions, zero, length, axis], "placed")
    return graph.normed(looked_up, placed, "embeddings.LayerNorm", weights)


def _layer(graph: _Graph, state: str, name: str, weights: dict[str, NDArray[np.float32]]) -> str:
    attended = _attention(graph, state, f"{name}.attention", weights)
    state = graph.normed(attended, state, f"{name}.attention.output.LayerNorm", weights)
    wide = _dense(graph, state, f"{name}.intermediate.dense", weights)
    narrow = _dense(graph, graph.node("Gelu", [wide], f"{name}.gelu"), f"{name}.output.dense", weights)
    return graph.normed(narrow, state, f"{name}.output.LayerNorm", weights)


def _dense(graph: _Graph, source: str, name: str, weights: dict[str, NDArray[np.float32]]) -> str:
    return graph.linear(source, name, weights[f"{name}.weight"].T, weights[f"{name}.bias"])


def _attention(graph: _Graph, state: str, name: str, weights: dict[str, NDArray[np.float32]]) -> str:
    size = WIDTH // HEADS
    # one product for queries, keys and values; the queries carry the scale 1/sqrt(size)
    scales = {"query": np.float32(size**-0.5), "key": np.float32(1), "value": np.float32(1)}
    joint = graph.linear(
        state,
        f"{name}.joint",
        np.concatenate([weights[f"{name}.self.{part}.weight"].T * scale for part, scale in scales.items()], axis=1),
        np.concatenate([weights[f"{name}.self.{part}.bias"] * scale for part, scale in scales.items()]),
    )
    thirds = graph.weight(f"{name}.thirds", np.array([WIDTH] * 3, np.int64))
    parts = graph.split(joint, thirds, [f"{name}.{part}" for part in scales])
    shape = graph.weight(f"{name}.shape", np.array([1, -1, HEADS, size], np.int64))
    query, key, value = (
        graph.node("Transpose", [graph.node("Reshape", [part, shape], f"{part}.wide")], f"{part}.heads", perm=perm)
        for part, perm in zip(parts, ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3]), strict=True)
    )
    logits = graph.node("MatMul", [query, key], f"{name}.logits")
    shares = graph.node("Softmax", [logits], f"{name}.shares", axis=-1)
    mixed = graph.node("MatMul", [shares, value], f"{name}.mixed")
    back = graph.node("Transpose", [mixed], f"{name}.back", perm=[0, 2, 1, 3])
    flat = graph.node(
        "Reshape", [back, graph.weight(f"{name}.flat", np.array([1, -1, WIDTH], np.int64))], f"{name}.joined"
    )
    return _dense(graph, flat, f"{name}.output.dense", weights)


def read_weights(path: Path) -> dict[str, NDArray[np.float32]]:
    """Return the tensors of a safetensors file by name."""
    from safetensors.numpy import load_file

    return {name.removeprefix("bert."): value.astype(np.float32) for name, value in load_file(path).items()}
