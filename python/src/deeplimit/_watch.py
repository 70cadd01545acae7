"""Recordings of trainings that other frameworks run."""

from __future__ import annotations

import atexit
import contextlib
import os
from typing import Any

from deeplimit._error import Error
from deeplimit._recorded import recorded, recorders
from deeplimit._recorder import TOLD, Cadence, Recorder
from deeplimit._states import ProbedStates
from deeplimit._study import Study


class Watch:
    """What ``deeplimit.watch`` returns: a context in which ``step`` counts the updates of a trainer.

    Attributes:
        study: that of all recordings in the folder, when the context has ended.
        steps: how many updates were counted.

    """

    def __init__(self, model: Any, recorder: Recorder, probe: Any = None, states: Any = None) -> None:
        if probe is not None and states is not None:
            raise Error("watch: got probe and states, want one of them")
        self._model, self._recorder, self._probe, self._states = model, recorder, probe, states
        self.study: Study | None = None
        self.steps = 0

    @property
    def seconds(self) -> float:
        """Time that the trainer has spent in here."""
        return self._recorder.seconds

    def _hidden(self) -> Any:
        """Return the hidden states of the probe; the pattern of the blocks is known by now."""
        if self._probe is None:
            return self._states() if callable(self._states) else self._states
        if not isinstance(self._probe, ProbedStates):
            self._probe = ProbedStates(self._model, self._recorder.pattern, self._probe)
        return self._probe()

    def record(self, step: int, force: bool = False, **told: Any) -> bool:
        """Record a step by its number, if it is due, as callbacks do."""
        self.steps = step
        return self._recorder.record(self._model, step, states=self._hidden, force=force, **told)

    def __enter__(self) -> Watch:
        self.record(0)
        return self

    def step(self, loss: Any = None, **told: Any) -> None:
        """Count an update; call it after each ``optimizer.step()``.

        Args:
            loss: of the mini-batch, if it is known (``batch_loss``).
            told: full_loss, over all training samples; test_loss, accuracy, test_accuracy, gradient_norm, step_size.

        Raises:
            Error: what was recorded before did not reach the disk.

        """
        self.record(self.steps + 1, loss=loss, **told)

    __call__ = step

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        """Record the last step and make the run folder; after an error of the trainer, too, which goes on."""
        with contextlib.suppress(Error) if kind is not None else contextlib.nullcontext():
            self.close()

    def close(self) -> Study:
        """Record the last step, make the run folder, and return the study of all recordings in the folder.

        Raises:
            Error: the disk did not take what was recorded.

        """
        try:
            self.record(self.steps, force=True)
        finally:
            self._recorder.finish()
        self.study = recorded(self._recorder.out)
        return self.study


def watch(
    model: Any,
    blocks: str = "layers.*",
    every: Cadence = "geometric",
    out: str | os.PathLike[str] = "runs/watched",
    *,
    seed: int = 1,
    probe: Any = None,
    states: Any = None,
    **flags: Any,
) -> Watch:
    """Record the training of a network of PyTorch, or of any module with a state dict.

    ``deeplimit serve`` and ``deeplimit status`` show it while it goes on.

        with deeplimit.watch(model, "layers.*", out="runs/mine", alpha=0, probe=x[:16]) as w:
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
        probe: some inputs, such as 16 samples: what the model takes (a tensor, a tuple, a mapping of keywords), or a
            function that calls it. At each record hooks on the blocks read its hidden states, which gives last_state
            and block_change. What a block returns must be what the next one takes.
        states: where the blocks are no such modules, a function that returns h_0 … h_L of these samples, (L+1, …).
        flags: those of ``deeplimit import --help``: ``alpha=0`` of a network without a factor L^−α (without alpha the
            weights are taken as they are, which is alpha=1), ``convention="Ax"``, ``inner_pattern="layers.{k}.up.weight"``
            of blocks with two maps.

    Raises:
        Error: weights that ``blocks`` does not tell.

    """
    return Watch(model, Recorder(out, blocks, every, seed, **flags), probe, states)


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
    states: Any = None,
    **flags: Any,
) -> bool:
    """Record the weights of a training of JAX, NumPy or another framework if the step is due; report whether it was.

    Call it with every step, 0 before the first update, and ``deeplimit.recorded(out)`` in the end for the study.
    Several trainings may go into one folder with other depths or seeds, one after the other.

    Args:
        params: a pytree of arrays: nested mappings, lists, named tuples, dataclasses (Flax, Equinox), or {name: array};
            names are joined by dots, ``layers.0.weight``.
        step: how many updates were made.
        blocks: as ``watch`` has it; the name of one array (L, d, d) for all layers is a name, too.
        every: as ``watch`` has it.
        out: folder of the study.
        seed: of the run.
        loss: of the mini-batch.
        full_loss: over all training samples.
        states: hidden states h_0 … h_L of the same samples at every step, (L+1, …), or a function that returns them,
            which is called when the step is due.
        flags: test_loss, accuracy, test_accuracy, gradient_norm, step_size, where they are known; and those of
            ``deeplimit import --help`` with step 0: ``convention="xA"`` of kernels of Flax, ``"Ax"`` of Equinox.

    Raises:
        Error: weights that ``blocks`` does not tell, or steps that do not increase.

    """
    key: tuple[str, int] = (os.path.abspath(os.fspath(out)), int(seed))
    told = {name: flags.pop(name) for name in TOLD if name in flags}
    if step == 0 or key not in recorders:
        _finish(key)
        recorders[key] = Recorder(out, blocks, every, seed, **flags)
    return recorders[key].record(params, step, loss=loss, full_loss=full_loss, states=states, **told)


def _finish(key: tuple[str, int]) -> None:
    """End the thread of a recorder."""
    recorder = recorders.pop(key, None)
    if recorder is not None:
        recorder.finish()


@atexit.register
def _end() -> None:
    """End what was recorded until the process ended."""
    for key in list(recorders):
        with contextlib.suppress(Error):
            _finish(key)


__all__ = ["Watch", "record", "recorded", "watch"]
