"""What an ONNX file says of itself, read from its bytes without running or trusting it.

An ONNX file is one protobuf message. Of its few hundred kinds of fields a handful matter here, so they are walked by
their numbers (`onnx.proto`, stable by protobuf's rules) instead of bringing a package of 20 MB.
"""

from __future__ import annotations

import mmap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edgecam.detector.protobuf import Malformed, fields, text, varint
from edgecam.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

# Field numbers of onnx.proto.
MODEL_GRAPH, MODEL_METADATA, MODEL_FUNCTIONS = 7, 14, 25
GRAPH_NODE, GRAPH_INITIALIZER, GRAPH_INPUT, GRAPH_SPARSE_INITIALIZER = 1, 5, 11, 15
NODE_OP_TYPE, NODE_ATTRIBUTE, NODE_DOMAIN, FUNCTION_NODE = 4, 5, 7, 7
ATTRIBUTE_TENSOR, ATTRIBUTE_GRAPH, ATTRIBUTE_TENSORS, ATTRIBUTE_GRAPHS = 5, 6, 10, 11
TENSOR_TYPE, TENSOR_NAME, TENSOR_EXTERNAL = 2, 8, 13
FLOAT, FLOAT16 = 1, 10
SPARSE_VALUES, SPARSE_INDICES = 1, 2
VALUE_INFO_NAME = ENTRY_KEY = 1
ENTRY_VALUE = 2

# Operators that every onnxruntime has; others would need a library of somebody's, and none is ever loaded.
KNOWN_DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft", "com.ms.internal.nhwc", "ai.onnx.preview"})
QUANTISED = frozenset({"QuantizeLinear", "DequantizeLinear", "QLinearConv", "ConvInteger", "DynamicQuantizeLinear"})
MAX_DEPTH = 50  # of graphs within graphs
MAX_BYTES = 2**31 - 1  # what protobuf can hold

_OTHERS = (
    (b"PK\x03\x04", "a zip archive, perhaps a PyTorch checkpoint; export the model to ONNX first"),
    (b"\x80\x02", "a pickle, perhaps a PyTorch checkpoint; edgecam never opens these. Export the model to ONNX first"),
    (b"version https://git-lfs", "a pointer of Git LFS, not the file itself; fetch it with `git lfs pull`"),
    (b"\x89HDF", "an HDF5 file, perhaps of Keras; convert it to ONNX first"),
    (b"\x1f\x8b", "a gzip archive; unpack it first"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
)


@dataclass(slots=True)
class OnnxFile:
    """What is of interest in a model's bytes.

    Attributes:
        size: of the file in bytes.
        external: the files beside it that hold weights, as written in it, and how many bytes each must have at least.
        domains: of operators that onnxruntime does not bring along.
        metadata: the properties that an exporter wrote.
        operators: types of all nodes.
        weight_types: for each type of tensor (ONNX's number) how many bytes of the file hold weights of it.
        without_weight_inputs: the bytes of the same model where no weight is listed among the inputs; None if none is.
    """

    size: int
    external: dict[str, int] = field(default_factory=dict)
    domains: set[str] = field(default_factory=set)
    without_weight_inputs: bytes | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    operators: set[str] = field(default_factory=set)
    weight_types: dict[int, int] = field(default_factory=dict)

    @property
    def precision(self) -> str:
        """Of the arithmetic: "int8", "fp16" or "fp32"."""
        if self.operators & QUANTISED:
            return "int8"
        halves, floats = (self.weight_types.get(kind, 0) for kind in (FLOAT16, FLOAT))
        return "fp16" if halves > floats else "fp32"


def read_onnx_file(path: Path) -> OnnxFile:
    """Looks through the file in `path`.

    Raises:
        ModelError: it cannot be read, is no ONNX file, or refers to what is not there or must not be touched.
    """
    if not path.is_file():
        raise ModelError(f"{path}: there is no such model file.")
    try:
        size = path.stat().st_size
        if size == 0:
            raise ModelError(f"{path}: the file is empty.")
        if size > MAX_BYTES:
            raise ModelError(f"{path}: the file has {size / 1e9:.1f} GB; an ONNX file has 2 GB at most.")
        with path.open("rb") as file:
            # Not closed by hand: an error's traceback may still hold slices of it.
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise ModelError(f"{path}: the file cannot be read ({error.strerror or error}).") from error
    found = _read(memoryview(data), path)
    _check_external(found, path)
    if found.domains:
        raise ModelError(
            f"{path}: it uses operators of {', '.join(sorted(found.domains))}, which need a library of their own; "
            "edgecam loads none. Export the model with standard operators."
        )
    return found


def _read(view: memoryview, path: Path) -> OnnxFile:
    start = bytes(view[:64])
    for magic, what in _OTHERS:
        if start.startswith(magic):
            raise ModelError(f"{path}: this is not an ONNX file but {what}.")
    if start.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        raise ModelError(f"{path}: this is not an ONNX file but a web page; download the file itself.")
    found = OnnxFile(len(view))
    try:
        graphs = [item for item in fields(view) if item[0] == MODEL_GRAPH]
        if len(graphs) != 1 or not isinstance(graphs[0][1], memoryview):
            raise ModelError(f"{path}: this is not an ONNX file, or it is cut short.")
        graph, (outer_start, outer_end) = graphs[0][1], graphs[0][2:]
        cleaned = _graph(graph, found, 0)
        for number, value, _, _ in fields(view):
            if number == MODEL_METADATA and isinstance(value, memoryview):
                key, entry = text(value, ENTRY_KEY), text(value, ENTRY_VALUE)
                found.metadata[key.decode("utf-8", "replace")] = entry.decode("utf-8", "replace")
            elif number == MODEL_FUNCTIONS and isinstance(value, memoryview):
                for inner, node, _, _ in fields(value):
                    if inner == FUNCTION_NODE and isinstance(node, memoryview):
                        _node(node, found, 0)
    except Malformed as error:
        raise ModelError(f"{path}: this is not an ONNX file, or it is cut short ({error}).") from error
    if cleaned is not None and not found.external:
        body = b"".join([varint(MODEL_GRAPH << 3 | 2), varint(len(cleaned)), cleaned])
        found.without_weight_inputs = b"".join([view[:outer_start], body, view[outer_end:]])
    return found


def _graph(graph: memoryview, found: OnnxFile, depth: int) -> bytes | None:
    """Looks through a graph; the bytes of the same graph without weights among its inputs, None if there are none."""
    if depth > MAX_DEPTH:
        raise Malformed("graphs within graphs without end")
    weights: set[bytes] = set()
    inputs: list[tuple[bytes, int, int]] = []
    for number, value, start, end in fields(graph):
        if not isinstance(value, memoryview):
            continue
        if number == GRAPH_NODE:
            _node(value, found, depth)
        elif number == GRAPH_INITIALIZER:
            weights.add(_tensor(value, found))
        elif number == GRAPH_SPARSE_INITIALIZER:
            for inner, tensor, _, _ in fields(value):
                if inner in {SPARSE_VALUES, SPARSE_INDICES} and isinstance(tensor, memoryview):
                    _tensor(tensor, found)
        elif number == GRAPH_INPUT:
            inputs.append((text(value, VALUE_INFO_NAME), start, end))
    surplus = [(start, end) for name, start, end in inputs if name in weights]
    if not surplus:
        return None
    pieces, position = [], 0
    for start, end in surplus:
        pieces.append(graph[position:start])
        position = end
    return b"".join([*pieces, graph[position:]])


def _node(node: memoryview, found: OnnxFile, depth: int) -> None:
    for number, value, _, _ in fields(node):
        if not isinstance(value, memoryview):
            continue
        if number == NODE_OP_TYPE:
            found.operators.add(bytes(value).decode("utf-8", "replace")[:100])
        if number == NODE_DOMAIN:
            domain = bytes(value).decode("utf-8", "replace")[:100]
            if domain not in KNOWN_DOMAINS:
                found.domains.add(domain)
        elif number == NODE_ATTRIBUTE:
            for inner, part, _, _ in fields(value):
                if not isinstance(part, memoryview):
                    continue
                if inner in {ATTRIBUTE_TENSOR, ATTRIBUTE_TENSORS}:
                    _tensor(part, found)
                elif inner in {ATTRIBUTE_GRAPH, ATTRIBUTE_GRAPHS}:
                    _graph(part, found, depth + 1)


def _tensor(tensor: memoryview, found: OnnxFile) -> bytes:
    """Notes where a tensor's values lie, if not in this file; gives its name."""
    name, kind = b"", 0
    entries: dict[bytes, str] = {}
    for number, value, _, _ in fields(tensor):
        if not isinstance(value, memoryview):
            kind = value if number == TENSOR_TYPE else kind
            continue
        if number == TENSOR_NAME:
            name = bytes(value)
        elif number == TENSOR_EXTERNAL:
            entries[text(value, ENTRY_KEY)] = text(value, ENTRY_VALUE).decode("utf-8", "replace")
    if b"location" in entries:
        place = entries[b"location"]
        end = _number(entries.get(b"offset", "")) + _number(entries.get(b"length", ""))
        found.external[place] = max(end, found.external.get(place, 0))
    found.weight_types[kind] = found.weight_types.get(kind, 0) + len(tensor)
    return name


def _size(path: Path) -> int | None:
    """Of a file in bytes; None where there is none."""
    try:
        return path.stat().st_size if path.is_file() else None
    except OSError:  # a name too long, for one
        return None


def _number(digits: str) -> int:
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 20 else 0


def _check_external(found: OnnxFile, path: Path) -> None:
    folder = path.resolve().parent
    for location, end in sorted(found.external.items()):
        target = (folder / location).resolve() if "\0" not in location else folder
        if not target.is_relative_to(folder) or target == folder:
            raise ModelError(
                f"{path}: its weights are said to lie in '{location[:200]}', outside its own folder. edgecam does not "
                "open that file."
            )
        size = _size(target)
        if size is None:
            raise ModelError(
                f"{path}: its weights lie in a second file, '{location[:200]}', which is missing; put it beside the "
                "model."
            )
        if size < end:
            raise ModelError(
                f"{path}: its second file, '{location[:200]}', is cut short: it has {size} bytes, and "
                f"the model's weights reach to {end}. Copy or download it again."
            )
