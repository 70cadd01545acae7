"""Networks in memory as safetensors files, for ``deeplimit import`` to read."""

from __future__ import annotations

import json
import struct
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from deeplimit._arrays import to_numpy
from deeplimit._error import Error

_TYPES = {
    "f8": "F64", "f4": "F32", "f2": "F16",
    "i8": "I64", "i4": "I32", "i2": "I16", "i1": "I8",
    "u8": "U64", "u4": "U32", "u2": "U16", "u1": "U8", "b1": "BOOL",
}  # fmt: skip


def named(network: Any) -> dict[str, Any]:
    """Return the tensors of a network by name, parts joined by dots.

    Args:
        network: a state dict, a module, nested mappings and lists, or any pytree of JAX (Flax, Equinox).

    Raises:
        Error: nothing of these.

    """
    if hasattr(network, "state_dict"):
        network = network.state_dict()
    out: dict[str, Any] = {}
    if isinstance(network, Mapping) and not _has_pytrees(cast("Mapping[Any, Any]", network)):
        _flatten(network, "", out)
    elif "jax" in sys.modules and not hasattr(cast("Any", network), "shape"):
        for name, leaf in _leaves(network):
            if hasattr(leaf, "shape"):
                _put(name, leaf, out)
    if not out and not isinstance(network, Mapping):
        raise Error(f"analyze: got {type(network).__name__}, want a module, a state dict or a mapping of arrays")
    if not out:
        raise Error("analyze: got a network without tensors")
    return out


def _has_pytrees(value: Any) -> bool:
    """Report whether something in nested mappings and lists is for JAX to take apart."""
    if isinstance(value, Mapping):
        return any(_has_pytrees(item) for item in cast("Mapping[Any, Any]", value).values())
    if isinstance(value, (list, tuple)):
        return hasattr(cast("Any", value), "_fields") or any(_has_pytrees(item) for item in cast("list[Any]", value))
    return "jax" in sys.modules and not hasattr(value, "shape") and _leaves(value)[:1] != [("", value)]


def _leaves(tree: Any) -> list[tuple[str, Any]]:
    """Return the leaves of a pytree of JAX with their names."""
    util: Any = sys.modules["jax"].tree_util
    leaves, _ = util.tree_flatten_with_path(tree)

    def part(key: Any) -> str:
        return str(next(getattr(key, a) for a in ("key", "idx", "name") if hasattr(key, a)))

    return [(".".join(part(key) for key in path), leaf) for path, leaf in leaves]


def _put(name: str, tensor: Any, out: dict[str, Any]) -> None:
    if name in out:
        raise Error(f"analyze: got two tensors of the name {name!r}, want each once")
    out[name] = tensor


def _flatten(value: Any, name: str, out: dict[str, Any]) -> None:
    if isinstance(value, Mapping):
        items = [(str(key), item) for key, item in cast("Mapping[Any, Any]", value).items()]
    elif isinstance(value, (list, tuple)) and not all(isinstance(v, (int, float)) for v in cast("list[Any]", value)):
        items = [(str(i), item) for i, item in enumerate(cast("list[Any]", value))]
    else:
        value = cast("Any", value)
        if hasattr(value, "shape") or isinstance(value, (list, tuple)):
            _put(name, value, out)
        return  # counts, None and other things that are no tensors
    for key, item in items:
        _flatten(item, f"{name}.{key}" if name else key, out)


def write(path: Path, tensors: Mapping[str, Any], metadata: Mapping[str, str] | None = None) -> None:
    """Write a safetensors file.

    Raises:
        Error: a type that the format does not have, such as complex numbers.

    """
    header: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    arrays: list[npt.NDArray[Any]] = []
    at = 0
    for name, tensor in tensors.items():
        kind, a = _stored(name, tensor)
        header[name] = {"dtype": kind, "shape": list(a.shape), "data_offsets": [at, at + a.nbytes]}
        arrays.append(a)
        at += a.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for a in arrays:
            file.write(a.tobytes())


def _stored(name: str, tensor: Any) -> tuple[str, npt.NDArray[Any]]:
    """Return the type and the numbers, bit for bit."""
    if hasattr(tensor, "detach") and str(getattr(tensor, "dtype", "")) == "torch.bfloat16":
        import torch  # type: ignore[import-not-found,unused-ignore]

        return "BF16", np.asarray(tensor.detach().cpu().contiguous().view(torch.int16).numpy())  # type: ignore[attr-defined]
    try:
        a = to_numpy(tensor)
    except Error as error:
        raise Error(f"analyze: {name}: {error}") from error
    little: Any = cast("Any", a.dtype).newbyteorder("<")
    stored: npt.NDArray[Any] = cast("Any", a).astype(little, order="C", copy=False)
    kind = _TYPES.get(str(little.str)[1:])
    if kind is None:
        raise Error(f"analyze: {name}: got dtype {little}, want real numbers of 64, 32 or 16 bits")
    return kind, stored
