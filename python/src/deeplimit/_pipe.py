"""Calls of the program over pipes: a header as JSON, and arrays as they lie in memory.

The format is that of the Go package internal/show/pipe. One child process answers all calls; it starts with the
first and ends with this process. A call that is interrupted ends it, and the next call starts another.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import math
import os
import struct
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from typing import IO, Any, cast

import numpy as np
import numpy.typing as npt

from deeplimit._error import Error
from deeplimit._program import program

PROTOCOL = 1

Arrays = dict[str, npt.NDArray[Any]]


def _bytes(a: npt.NDArray[Any]) -> memoryview:
    """Return the memory of a contiguous array."""
    return memoryview(cast("Any", a.ravel())).cast("B")


class _Child:
    """A running program."""

    def __init__(self) -> None:
        self.errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (it lives as long as the child)
        try:
            # A session of its own keeps an interrupt of the terminal from it: only this process hears it.
            self.process = subprocess.Popen(
                [program(), "pipe"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self.errors,
                start_new_session=True,
            )
        except OSError as error:
            self.errors.close()
            raise Error(f"starting the program: {error}") from error
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.stdin, self.stdout = self.process.stdin, self.process.stdout
        try:
            greeting, _ = self.receive()
        except BaseException:
            self.end()
            raise
        if greeting["values"].get("protocol") != PROTOCOL:
            self.end()
            spoken = greeting["values"].get("protocol")
            raise Error(f"{program()}: protocol: got {spoken}, want {PROTOCOL}, that of this package")

    def send(self, header: bytes, arrays: Sequence[tuple[str, npt.NDArray[Any]]]) -> None:
        """Write a frame."""
        try:
            self.stdin.write(struct.pack("<I", len(header)) + header)
            for _, a in arrays:
                if a.size:
                    self.stdin.write(_bytes(a))
            self.stdin.flush()
        except (BrokenPipeError, OSError, ValueError) as error:
            raise self.gone() from error

    def receive(self) -> tuple[dict[str, Any], Arrays]:
        """Read a frame."""
        (size,) = struct.unpack("<I", self.read(bytearray(4)))
        header: dict[str, Any] = json.loads(bytes(self.read(bytearray(size))))
        arrays: Arrays = {}
        listed: list[dict[str, Any]] = header.get("arrays") or []
        for one in listed:
            a: npt.NDArray[Any] = np.empty(tuple(one["shape"]), dtype="<f8" if one["dtype"] == "float64" else "<i8")
            if a.size:
                self.read(_bytes(a))
            if one["name"] in arrays:  # columns are told by their place
                raise Error(f"array {one['name']!r}: got it twice in an answer")
            arrays[one["name"]] = a
        return header, arrays

    def read(self, to: bytearray | memoryview) -> bytearray | memoryview:
        """Fill to."""
        view, got = memoryview(to), 0
        while got < len(view):
            n: int = cast("Any", self.stdout).readinto(view[got:])
            if not n:
                raise self.gone()
            got += n
        return to

    def gone(self) -> Error:
        """Return what to say of a program that has ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=2)
        code = self.process.poll()
        how = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
        said = ""
        with contextlib.suppress(OSError, ValueError):
            self.errors.seek(0)
            said = self.errors.read(4096).decode(errors="replace").strip()
        return Error(f"the program ended in a call ({how}); the next call starts it anew" + (f": {said}" if said else ""))

    def end(self) -> None:
        """End the program."""
        self.process.kill()
        for stream in (self.stdin, self.stdout, self.errors):
            with contextlib.suppress(OSError):
                stream.close()
        self.process.wait()


_lock = threading.Lock()
_child: _Child | None = None


def call(name: str, values: Mapping[str, Any], arrays: Sequence[tuple[str, npt.NDArray[Any]]] = ()) -> tuple[Any, Arrays]:
    """Make a call; arrays are contiguous float64.

    Raises:
        Error: the program refuses the input, in its words, or has ended.

    """
    global _child
    listed = [{"name": named, "dtype": "float64", "shape": a.shape} for named, a in arrays]
    try:
        text = json.dumps({"call": name, "values": values, "arrays": listed}, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise Error(f"{name}: {error}") from error
    with _lock:
        child = _child
        if child is None or child.process.poll() is not None:
            if child is not None:
                child.end()
                _child = None
            child = _child = _Child()
        try:
            child.send(text, arrays)
            header, results = child.receive()
        except BaseException:  # an interrupt, too: what is left in the pipe belongs to this call
            child.end()
            _child = None
            raise
    if header.get("error"):
        raise Error(header["error"])
    return header.get("values"), results


def number(value: Any) -> float:
    """Return a number of an answer: null is NaN, infinite ones are texts."""
    return math.nan if value is None else float(value)


@atexit.register
def close() -> None:
    """End the child process; the next call starts another."""
    global _child
    with _lock:
        if _child is not None:
            _child.end()
            _child = None


def _forget() -> None:
    """Leave the child process to the parent after a fork: two writers would mix their frames."""
    global _child, _lock
    if _child is not None:
        # The file below its buffer: what another thread has begun to write is the parent's to end.
        cast("Any", _child.stdin).raw.close()
    _child, _lock = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
