"""Recordings of trainings that other frameworks run: weights at some steps, turned into run folders."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import re
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from deeplimit._arrays import to_numpy
from deeplimit._commands import import_checkpoints
from deeplimit._error import Error
from deeplimit._study import Study, load
from deeplimit._tensors import named, write

Cadence = str | int | Callable[[int], bool]


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
    """Keeps the weights of a training at some steps; another thread writes them.

    ``close`` makes the run folder: trace with norms, displacement, p-variations and losses, norms of every layer,
    initial and last weights. What is on disk survives a crash of the trainer: ``deeplimit.recorded(out)`` makes
    the run folder of it.

    Attributes:
        out: folder of the study.
        steps: how many steps were counted by ``step``.
        seconds: time that the trainer has spent in here.

    """

    def __init__(
        self, out: str | os.PathLike[str], blocks: str, every: Cadence = "geometric", seed: int = 1, **flags: Any
    ) -> None:
        self.out, self.steps, self.seconds = os.fspath(out), 0, 0.0
        self._blocks, self._every, self._seed, self._flags = blocks, _check(every), int(seed), flags
        self._pattern = ""
        self._names: list[str] = []
        self._folder: Path | None = None
        self._last = -1
        self._failure: BaseException | None = None
        # Two snapshots at most wait, so that a slow disk slows the trainer and does not fill its memory.
        self._queue: queue.Queue[tuple[Path, dict[str, Any], dict[str, str]] | None] = queue.Queue(maxsize=2)
        self._thread: threading.Thread | None = None
        self._started = time.monotonic()

    def record(
        self, params: Any, step: int, *, loss: Any = None, full_loss: Any = None, test_loss: Any = None, force: bool = False
    ) -> bool:
        """Record a step if it is due, and report whether it was.

        Args:
            params: module, state dict or mapping of arrays.
            step: how many updates were made, 0 before the first; steps increase.
            loss: of the mini-batch of the step.
            full_loss: over all training samples, where it is known.
            test_loss: likewise of other samples.
            force: whether the step is due in any case.

        Raises:
            Error: weights that ``blocks`` does not tell, or that the disk does not take.

        """
        began = time.monotonic()
        try:
            if self._failure is not None:
                raise Error(f"recording {self.out}: {self._failure}") from self._failure
            if step == self._last or not (force or due(step, self._every)):
                return False
            if step < self._last:
                raise Error(f"record: step: got {step} after {self._last}, want steps that increase")
            tensors = named(params)
            if not self._pattern:
                self._begin(tensors)
            missing = [name for name in self._names if name not in tensors]
            if missing:
                raise Error(f"record: step {step}: got no {missing[0]}, want the weights of the first step")
            told = {"batch_loss": loss, "loss": full_loss, "test_loss": test_loss, "seconds": began - self._started}
            metadata = {key: repr(float(value)) for key, value in told.items() if value is not None}
            # A copy: the trainer changes its weights while they are written.
            copies = {name: _copy(tensors[name]) for name in self._names}
            assert self._folder is not None
            self._queue.put((self._folder / f"step{step}.safetensors", copies, metadata))
            self._last = step
            return True
        finally:
            self.seconds += time.monotonic() - began

    def _begin(self, tensors: Mapping[str, Any]) -> None:
        """Find the weights, and make the folder."""
        arrays = {name: np.ndim(to_numpy(t)) for name, t in tensors.items()}
        self._pattern = pattern_of(self._blocks, list(tensors), arrays)
        glob = re.escape(self._pattern).replace(r"\{k\}", r"\d+").replace(r"\*", ".*")
        self._names = [name for name in tensors if re.fullmatch(glob, name)]
        if not self._names:
            raise Error(
                f"blocks: got {self._blocks!r}, which no tensor has, want a name such as {', '.join(list(tensors)[:5])}"
            )
        shape = "x".join(map(str, to_numpy(tensors[self._names[0]]).shape))
        folder = Path(self.out, "recorded", f"{len(self._names)}of{shape}-seed{self._seed}")
        if folder.exists():
            raise Error(f"record: {folder}: there is a recording, want another seed or folder, or that one removed")
        description = Path(self.out, "recording.json")
        said = {"pattern": self._pattern, **self._flags}
        if description.exists() and json.loads(description.read_text(encoding="utf-8")) != said:
            raise Error(f"record: {description}: got other settings, want {json.dumps(said)}, or another folder")
        folder.mkdir(parents=True)
        description.write_text(json.dumps(said) + "\n", encoding="utf-8")
        self._folder = folder
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def _write(self) -> None:
        """Write what waits; a file appears whole."""
        while True:
            item = self._queue.get()
            try:
                if item is None:
                    return
                if self._failure is not None:
                    continue  # emptied, so that the trainer does not wait
                path, tensors, metadata = item
                part = path.with_suffix(".part")
                write(part, tensors, metadata)
                os.replace(part, path)
            except BaseException as error:
                self._failure = error
            finally:
                self._queue.task_done()

    def wait(self) -> None:
        """Wait for the disk, and go on.

        Raises:
            Error: it did not take what was recorded.

        """
        if self._thread is not None:
            self._queue.join()
        if self._failure is not None:
            raise Error(f"recording {self.out}: {self._failure}") from self._failure

    def flush(self) -> None:
        """Wait for the disk, and end the thread.

        Raises:
            Error: it did not take what was recorded.

        """
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._thread = None
        if self._failure is not None:
            raise Error(f"recording {self.out}: {self._failure}") from self._failure

    def close(self) -> Study:
        """Wait for the disk and return the study of all recordings in the folder.

        Raises:
            Error: nothing was recorded, or the disk is full.

        """
        self.flush()
        return recorded(self.out)


def _copy(tensor: Any) -> Any:
    """Return a copy that the trainer does not change."""
    if hasattr(tensor, "detach") and hasattr(tensor, "clone"):
        return tensor.detach().to("cpu", copy=True)
    return np.array(to_numpy(tensor))


def recorded(out: str | os.PathLike[str], *, frame: str = "pandas") -> Study:
    """Make the run folders of what was recorded in a folder, also by a trainer that has crashed, and return the study.

    Args:
        out: folder that ``watch`` or ``record`` was given.
        frame: ``pandas`` or ``polars``.

    Raises:
        Error: no recording, or one that can be read in two ways.

    """
    folder = os.fspath(out)
    for (place, _), recorder in list(_recorders.items()):
        if place == os.path.abspath(folder):
            recorder.wait()
    description = Path(folder, "recording.json")
    if not description.is_file():
        raise Error(f"recorded: {folder}: got no recording, want the folder that watch or record was given")
    flags: dict[str, Any] = json.loads(description.read_text(encoding="utf-8"))
    for part in Path(folder, "recorded").glob("*/*.part"):  # of a trainer that was killed
        part.unlink()
    # Import beside it and move: the runs of an earlier look at the same recording are in the way of nothing.
    beside = Path(folder, ".importing")
    shutil.rmtree(beside, ignore_errors=True)
    made = beside / (os.path.basename(os.path.abspath(folder)) or "recorded")
    names = "*-seed{seed}/step{step}.safetensors"
    import_checkpoints([os.path.join(folder, "recorded")], {"out": str(made), "steps": "series", "names": names, **flags})
    for entry in made.iterdir():
        target = Path(folder, entry.name)
        if target.is_dir():
            shutil.rmtree(target)
        os.replace(entry, target)
    shutil.rmtree(beside)
    return load(folder, frame=frame)


class Watch:
    """What ``deeplimit.watch`` returns: a context in which ``step`` counts the updates of a trainer."""

    def __init__(self, model: Any, recorder: Recorder) -> None:
        self._model, self._recorder = model, recorder
        self.study: Study | None = None

    @property
    def seconds(self) -> float:
        """Time that the trainer has spent in here."""
        return self._recorder.seconds

    def __enter__(self) -> Watch:
        self._recorder.record(self._model, 0)
        return self

    def step(self, loss: Any = None, *, full_loss: Any = None, test_loss: Any = None) -> None:
        """Count an update; call it after each ``optimizer.step()``, with the loss of the mini-batch if it is known."""
        self._recorder.steps += 1
        self._recorder.record(self._model, self._recorder.steps, loss=loss, full_loss=full_loss, test_loss=test_loss)

    __call__ = step

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        """Record the last step and make the run folder; after an error of the trainer, too, which goes on."""
        with contextlib.suppress(Error) if kind is not None else contextlib.nullcontext():
            self._recorder.record(self._model, self._recorder.steps, force=True)
            self.study = self._recorder.close()


def watch(
    model: Any,
    blocks: str = "layers.*",
    every: Cadence = "geometric",
    out: str | os.PathLike[str] = "runs/watched",
    *,
    seed: int = 1,
    **flags: Any,
) -> Watch:
    """Record the training of a network of PyTorch, or of any module with a state dict.

        with deeplimit.watch(model, "layers.*", out="runs/mine", alpha=0) as w:
            for batch in batches:
                loss = training_step(batch)
                w.step(loss)
        w.study.plot.heat()

    Args:
        model: the module; of several depths, watch each into the same folder.
        blocks: the layers by name, * for their number: ``layers.*`` where each has one matrix, else its name,
            ``layers.*.mlp.weight``.
        every: ``geometric`` (0 … 8, then four times as often as the step doubles), a number of steps, or a function.
        out: folder of the study.
        seed: of the run; runs of one depth differ in it.
        flags: those of ``deeplimit import --help``: ``alpha=0`` of a network without a factor L^−α,
            ``convention="Ax"``.

    Raises:
        Error: weights that ``blocks`` does not tell.

    """
    return Watch(model, Recorder(out, blocks, every, seed, **flags))


# Recorders of ``record`` by folder and seed, as it is called step by step.
_recorders: dict[tuple[str, int], Recorder] = {}


def record(
    params: Any,
    step: int,
    *,
    blocks: str = "layers.*",
    every: Cadence = "geometric",
    out: str | os.PathLike[str] = "runs/recorded",
    seed: int = 1,
    loss: Any = None,
    full_loss: Any = None,
    test_loss: Any = None,
    **flags: Any,
) -> bool:
    """Record the weights of a training of JAX, NumPy or another framework if the step is due; report whether it was.

    Call it with every step, 0 before the first update, and ``deeplimit.recorded(out)`` in the end (or any time)
    for the study. Several trainings may go into one folder with other depths or seeds, one after the other.

    Args:
        params: nested mappings and lists of arrays, ``{name: array}``.
        step: how many updates were made.
        blocks: as ``watch`` has it; the name of one array (L, d, d) for all layers is a name, too.
        every: as ``watch`` has it.
        out: folder of the study.
        seed: of the run.
        loss: of the mini-batch.
        full_loss: over all training samples.
        test_loss: over others.
        flags: those of ``deeplimit import --help``.

    Raises:
        Error: weights that ``blocks`` does not tell, or steps that do not increase.

    """
    key: tuple[str, int] = (os.path.abspath(os.fspath(out)), int(seed))
    if step == 0 or key not in _recorders:
        _finish(key)
        _recorders[key] = Recorder(out, blocks, every, seed, **flags)
    return _recorders[key].record(params, step, loss=loss, full_loss=full_loss, test_loss=test_loss)


def _finish(key: tuple[str, int]) -> None:
    """End the thread of a recorder."""
    recorder = _recorders.pop(key, None)
    if recorder is not None:
        recorder.flush()
