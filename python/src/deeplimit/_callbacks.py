"""Callbacks of Lightning and of the Hugging Face Trainer, which record as ``deeplimit.watch`` does."""

from __future__ import annotations

import contextlib
import os
from importlib import import_module
from typing import Any

from deeplimit._error import Error
from deeplimit._recorder import Cadence, Recorder
from deeplimit._study import Study
from deeplimit._watch import Watch


class _Recording:
    """A training that a callback tells of; only the first of several processes records."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self._probe, self._states = settings.pop("probe"), settings.pop("states")
        self._settings = settings
        self._watch: Watch | None = None
        self.study: Study | None = None

    def begin(self, model: Any, step: int) -> None:
        if step != 0:
            raise Error(f"record: step: got {step} as the first one, want 0, before the first update")
        self._watch = Watch(model, Recorder(**self._settings), self._probe, self._states)
        self._watch.record(0)

    def step(self, step: int, **told: Any) -> None:
        if self._watch is not None and step != self._watch.steps:  # not each batch is an update
            self._watch.record(step, **told)

    def end(self) -> None:
        if self._watch is not None:
            self.study, self._watch = self._watch.close(), None


def lightning_callback(
    blocks: str = "layers.*",
    every: Cadence = "geometric",
    out: str | os.PathLike[str] = "runs/watched",
    *,
    seed: int = 1,
    probe: Any = None,
    states: Any = None,
    **flags: Any,
) -> Any:
    """Return a callback of Lightning that records the training, as ``deeplimit.watch`` does.

        recording = deeplimit.lightning_callback("model.layers.*", out="runs/mine", alpha=0)
        Trainer(callbacks=[recording]).fit(module, loader)
        recording.study

    Args:
        blocks: by the names of the LightningModule; it and the others as ``watch`` has them. The loss is the one
            that ``training_step`` returns.
        every: likewise.
        out: likewise.
        seed: likewise.
        probe: likewise.
        states: likewise.
        flags: likewise.

    Raises:
        Error: neither lightning nor pytorch_lightning is installed.

    """
    settings = {"out": out, "blocks": blocks, "every": every, "seed": seed, "probe": probe, "states": states, **flags}
    base: Any = None
    for name in ("lightning.pytorch", "pytorch_lightning"):
        with contextlib.suppress(ImportError):
            base = import_module(name).Callback
            break
    if base is None:
        raise Error("lightning_callback: got no Lightning, want it installed (pip install lightning)")

    class LightningRecording(base):
        """Records a training of Lightning."""

        def __init__(self) -> None:
            base.__init__(self)
            self._recording = _Recording(settings)

        @property
        def study(self) -> Study | None:
            """The study of all recordings in the folder, when the training has ended."""
            return self._recording.study

        def on_train_start(self, trainer: Any, module: Any) -> None:
            if trainer.is_global_zero:
                self._recording.begin(module, trainer.global_step)

        def on_train_batch_end(self, trainer: Any, module: Any, outputs: Any, *_: Any, **__: Any) -> None:
            self._recording.step(trainer.global_step, loss=outputs["loss"] if isinstance(outputs, dict) else outputs)

        def on_train_end(self, trainer: Any, module: Any) -> None:
            self._recording.end()

        def on_exception(self, trainer: Any, module: Any, exception: BaseException) -> None:
            with contextlib.suppress(Error):
                self._recording.end()

    return LightningRecording()


def transformers_callback(
    blocks: str = "layers.*",
    every: Cadence = "geometric",
    out: str | os.PathLike[str] = "runs/watched",
    *,
    seed: int = 1,
    probe: Any = None,
    states: Any = None,
    **flags: Any,
) -> Any:
    """Return a callback of the Hugging Face Trainer that records the training, as ``deeplimit.watch`` does.

        recording = deeplimit.transformers_callback("transformer.h.*.mlp.c_proj.weight", out="runs/mine", alpha=0)
        Trainer(model, …, callbacks=[recording]).train()
        recording.study

    Args:
        blocks: as ``watch`` has it, and so are the others. Trainer tells a callback no loss of a step, so none is recorded.
        every: likewise.
        out: likewise.
        seed: likewise.
        probe: likewise.
        states: likewise.
        flags: likewise.

    Raises:
        Error: transformers is not installed.

    """
    settings = {"out": out, "blocks": blocks, "every": every, "seed": seed, "probe": probe, "states": states, **flags}
    try:
        base: Any = import_module("transformers").TrainerCallback
    except ImportError as error:
        raise Error("transformers_callback: got no transformers, want it installed (pip install transformers)") from error

    class TransformersRecording(base):
        """Records a training of the Trainer."""

        def __init__(self) -> None:
            base.__init__(self)
            self._recording = _Recording(settings)

        @property
        def study(self) -> Study | None:
            """The study of all recordings in the folder, when the training has ended."""
            return self._recording.study

        def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
            if state.is_world_process_zero:
                self._recording.begin(model, state.global_step)

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            self._recording.step(state.global_step)

        def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            self._recording.end()

    return TransformersRecording()
