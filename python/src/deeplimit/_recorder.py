"""What writes the weights of a training at some steps, off the path of the trainer."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import re
import shutil
import threading
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from deeplimit._arrays import to_numpy
from deeplimit._commands import as_stored, flags_of
from deeplimit._error import Error
from deeplimit._follow import Follower
from deeplimit._states import states_of
from deeplimit._tensors import named, write

Cadence = str | int | Callable[[int], bool]

# Columns of the trace that a trainer may tell, beside batch_loss and loss.
TOLD = ("test_loss", "accuracy", "test_accuracy", "gradient_norm", "step_size")

# The name of the states in a checkpoint, as the program knows it.
STATES = "deeplimit.states"

# Files of a study of recordings: what holds for all of them, their folder, and what is known of each.
DESCRIPTION, RECORDINGS, ABOUT = "recording.json", "recorded", "about.json"


def due(step: int, every: Cadence) -> bool:
    """Report whether a step is recorded: 0 … 8 and four times as often as the step doubles, or every n-th."""
    if callable(every):
        return bool(every(step))
    if isinstance(every, int):
        return step % every == 0
    return step <= 8 or step % (1 << (step.bit_length() - 3)) == 0


def _check(every: Cadence) -> Cadence:
    if callable(every) or every == "geometric" or (isinstance(every, int) and not isinstance(every, bool) and every > 0):
        return every
    raise Error(f'every: got {every!r}, want "geometric", a number of steps, or a function of the step')


def pattern_of(blocks: str, names: list[str], dims: Mapping[str, int]) -> str:
    """Return the pattern of import for the one weight of each block that ``blocks`` names.

    Raises:
        Error: no weight, or several in a block.

    """
    if "{k}" in blocks or blocks in names:
        return blocks
    if "*" not in blocks:
        raise Error(f"blocks: got {blocks!r}, want a name with * for the number of the layer, such as layers.*")
    if "*" in blocks.split("*", 1)[1]:
        raise Error(f"blocks: got {blocks!r}, want one *, for the number of the layer")
    head, tail = blocks.split("*")
    inside = re.compile(re.escape(head) + r"(\d+)" + re.escape(tail) + r"(\..+)?")
    found: dict[str, None] = {}
    for name in names:
        match = inside.fullmatch(name)
        if match and dims[name] >= 2:
            found[f"{head}{{k}}{tail}{match.group(2) or ''}"] = None
    if len(found) == 1:
        return next(iter(found))
    if not found:
        raise Error(f"blocks: got {blocks!r}, which no matrix has, want the name of one such as {', '.join(names[:5])}")
    shown = ", ".join(repr(p.replace("{k}", "*")) for p in found)
    raise Error(f"blocks: got {blocks!r} with several weights a block, want one of {shown}")


class Recorder:
    """Keeps the weights of a training at some steps; another thread writes them, another process shows them.

    What is on disk survives a crash of the trainer: ``deeplimit.recorded(out)`` makes the run folder of it.

    Attributes:
        out: folder of the study.
        folder: of the checkpoints of this training; None before the first one.
        pattern: of the weights, known from the first checkpoint on.
        seconds: time that the trainer has spent in here.

    """

    def __init__(
        self, out: str | os.PathLike[str], blocks: str, every: Cadence = "geometric", seed: int = 1, **flags: Any
    ) -> None:
        self.out: str = os.path.abspath(os.fspath(out))
        self.seconds = 0.0
        self.folder: Path | None = None
        self.pattern = ""
        self._blocks, self._every, self._seed, self._flags = blocks, _check(every), int(seed), flags
        self._names: list[str] = []
        self._last = -1
        self._failure: BaseException | None = None
        # Two snapshots at most wait, so that a slow disk slows the trainer and does not fill its memory.
        self._queue: queue.Queue[tuple[int, dict[str, Any], dict[str, str]] | None] = queue.Queue(maxsize=2)
        self._thread: threading.Thread | None = None
        self._follower: Follower | None = None
        self._started = time.monotonic()

    def due(self, step: int) -> bool:
        """Report whether a step is recorded."""
        return step != self._last and due(step, self._every)

    def record(
        self,
        params: Any,
        step: int,
        *,
        loss: Any = None,
        full_loss: Any = None,
        states: Any = None,
        force: bool = False,
        **told: Any,
    ) -> bool:
        """Record a step if it is due, and report whether it was.

        Args:
            params: module, state dict or mapping of arrays.
            step: how many updates were made, 0 before the first; steps increase.
            loss: of the mini-batch of the step.
            full_loss: over all training samples, where it is known.
            states: hidden states h_0 … h_L of the same samples at every step, (L+1, …), or a function that returns them.
            force: whether the step is due in any case.
            told: test_loss, accuracy, test_accuracy, gradient_norm, step_size.

        Raises:
            Error: weights that ``blocks`` does not tell, or that the disk does not take.

        """
        began = time.monotonic()
        try:
            self._raise()
            if step == self._last or not (force or due(step, self._every)):
                return False
            if step < self._last:
                raise Error(f"record: step: got {step} after {self._last}, want steps that increase")
            unknown = [name for name in told if name not in TOLD]
            if unknown:
                raise Error(f"record: got {unknown[0]}, want one of loss, full_loss, {', '.join(TOLD)}")
            if self.folder is not None:
                self._take(self._chosen(params), step, {"batch_loss": loss, "loss": full_loss, **told}, states, began)
            else:
                try:
                    self._begin(named(params), step)
                    self._take(named(params), step, {"batch_loss": loss, "loss": full_loss, **told}, states, began)
                    self._settle()
                except BaseException:
                    self._abandon()
                    raise
            self._last = step
            return True
        finally:
            self.seconds += time.monotonic() - began

    def _chosen(self, params: Any) -> Mapping[str, Any]:
        """Return the tensors that are recorded, perhaps among others: those of a module one by one, which is faster."""
        if hasattr(params, "get_parameter"):
            with contextlib.suppress(AttributeError):  # a buffer, or a name that the state dict alone has
                return {name: params.get_parameter(name) for name in self._names}
        return named(params)

    def _take(self, tensors: Mapping[str, Any], step: int, columns: Mapping[str, Any], states: Any, began: float) -> None:
        """Copy what is recorded, for the thread to write."""
        missing = [name for name in self._names if name not in tensors]
        if missing:
            raise Error(f"record: step {step}: got no {missing[0]}, want the weights of the first step")
        told = {**columns, "seconds": began - self._started}
        metadata = {key: repr(_number(value)) for key, value in told.items() if value is not None}
        # A copy: the trainer changes its weights while they are written.
        copies = {name: self._copy(tensors[name]) for name in self._names}
        found = states_of(states)
        if found is not None:
            copies[STATES] = found
        if self._thread is None:  # after finish, the trainer goes on
            assert self.folder is not None
            self._follow(self.folder)
        self._queue.put((step, copies, metadata))

    def _copy(self, tensor: Any) -> Any:
        """Return a copy that the trainer does not change; the kernel of a convolution as the matrix that takes patches.

        That is (out, in·height·width) of PyTorch's, and (height·width·in, out) of those of JAX, by their convention xA.

        Raises:
            Error: a kernel of which it is not known which axis counts outputs.

        """
        torch = hasattr(tensor, "detach") and hasattr(tensor, "clone")
        copied: Any = tensor.detach().to("cpu", copy=True) if torch else np.array(to_numpy(tensor))
        if copied.ndim < 4 or "{k}" not in self.pattern:
            return copied
        convention = self._flags.get("convention") or ("Ax" if torch else None)
        if convention is None:
            raise Error(
                f"record: got a kernel of shape {tuple(copied.shape)}, want convention='Ax' where its first axis counts "
                "outputs, convention='xA' where its last one does"
            )
        return copied.reshape(len(copied), -1) if convention == "Ax" else copied.reshape(-1, copied.shape[-1])

    def _raise(self) -> None:
        if self._failure is not None:
            raise Error(f"recording {self.out}: {self._failure}") from self._failure

    def _begin(self, tensors: Mapping[str, Any], step: int) -> None:
        """Find the weights, and make the folder."""
        if step != 0:
            raise Error(f"record: step: got {step} as the first one, want 0, before the first update")
        arrays = {name: np.ndim(to_numpy(t)) for name, t in tensors.items()}
        pattern = pattern_of(self._blocks, list(tensors), arrays)
        patterns = [pattern, *(self._flags.get(f) for f in ("inner_pattern", "bias_pattern", "inner_bias_pattern"))]
        globs = [re.escape(p).replace(r"\{k\}", r"\d+").replace(r"\*", ".*") for p in patterns if p]
        self._names = [name for name in tensors if any(re.fullmatch(glob, name) for glob in globs)]
        chosen = [name for name in self._names if re.fullmatch(globs[0], name)]
        if not chosen:
            raise Error(
                f"blocks: got {self._blocks!r}, which no tensor has, want a name such as {', '.join(list(tensors)[:5])}"
            )
        shape = "x".join(map(str, to_numpy(tensors[chosen[0]]).shape))
        folder = Path(self.out, RECORDINGS, f"{len(chosen)}of{shape}-seed{self._seed}")
        if folder.exists():
            raise Error(f"record: {folder}: there is a recording, want another seed or folder, or that one removed")
        description = Path(self.out, DESCRIPTION)
        said = {"pattern": pattern, **self._flags}
        if description.exists() and json.loads(description.read_text(encoding="utf-8")) != said:
            raise Error(f"record: {description}: got other settings, want {json.dumps(said)}, or another folder")
        self.pattern = pattern
        self._follow(folder)  # it makes the folder of the study, or refuses what is there
        folder.mkdir(parents=True)
        self.folder = folder

    def _follow(self, folder: Path) -> None:
        """Start what writes, and what shows."""
        flags: dict[str, Any] = {
            "out": self.out,
            "name": study_name(self.out),
            "seed": self._seed,
            "pattern": self.pattern,
            **as_stored(self._flags),
            **{name: value for name, value in self._flags.items() if name != "initial"},
        }
        self._follower = Follower([str(folder), *flags_of(flags)])
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def _settle(self) -> None:
        """Wait until the first checkpoint is understood: a question is better asked now than after the training.

        Raises:
            Error: it can be read in two ways.

        """
        self._queue.join()
        self._raise()
        description = Path(self.out, DESCRIPTION)
        if not description.exists():
            said = {"pattern": self.pattern, **self._flags}
            description.write_text(json.dumps(said) + "\n", encoding="utf-8")

    def _abandon(self) -> None:
        """End the recording without a checkpoint, and remove its folder."""
        self._end()
        if self.folder is not None:
            shutil.rmtree(self.folder)
            self.folder = None

    def _write(self) -> None:
        """Write what waits; a file appears whole."""
        assert self._follower is not None
        follower, told = self._follower, False
        while True:
            item = self._queue.get()
            try:
                if item is None:
                    return
                if self._failure is not None:
                    continue  # emptied, so that the trainer does not wait
                step, tensors, metadata = item
                assert self.folder is not None
                path = self.folder / f"step{step}.safetensors"
                part = path.with_suffix(".part")
                write(part, tensors, metadata)
                os.replace(part, path)
                follower.tell(step)
                if not told:
                    told = True
                    keep_about(self.folder, run=follower.run, seed=self._seed)
            except BaseException as error:
                self._failure = error
            finally:
                self._queue.task_done()

    def finish(self) -> None:
        """Wait for the disk, and end the thread and the process that shows the recording; it may go on afterwards.

        Raises:
            Error: the disk did not take what was recorded.

        """
        self._end()
        self._raise()

    def _end(self) -> None:
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._thread = None
        if self._follower is not None:
            trouble = self._follower.end()
            self._follower = None
            if trouble and self._failure is None:
                warnings.warn(f"the live view of {self.folder} ended before the training: {trouble}", stacklevel=4)


def _number(value: Any) -> float:
    """Return a number, also of a tensor that gradients go through."""
    return float(value.detach() if hasattr(value, "detach") else value)


def study_name(out: str | os.PathLike[str]) -> str:
    """Return the name of the study in a folder."""
    return os.path.basename(os.path.abspath(os.fspath(out))) or "recorded"


def about(folder: Path) -> dict[str, Any]:
    """Return what is known of a recording: ``run`` while it goes on, ``made`` of it, ``seed``."""
    try:
        return json.loads((folder / ABOUT).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}


def keep_about(folder: Path, **changes: Any) -> None:
    """Keep what is known of a recording."""
    part = folder / (ABOUT + ".part")
    part.write_text(json.dumps({**about(folder), **changes}) + "\n", encoding="utf-8")
    os.replace(part, folder / ABOUT)
