"""Hidden states of a module of PyTorch, read by forward hooks on its blocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from deeplimit._arrays import to_numpy
from deeplimit._error import Error


def _tensor(value: Any) -> Any:
    """Return the hidden state among what a block takes or gives: the first of a tuple."""
    return cast("tuple[Any, ...]", value)[0] if isinstance(value, (tuple, list)) else value


def _set_mode(modules: list[Any], training: bool) -> None:
    """Set the mode of modules, and nothing else: what a class does in its ``train``, as merging weights, is not done.

    By the attribute alone, where it is a plain one: assignment to a module looks for parameters and takes long.
    """
    for module in modules:
        if "training" in vars(module):
            vars(module)["training"] = training
        else:
            module.training = training


class ProbedStates:
    """The hidden states h_0 … h_L of a probe, (L+1, …), by hooks that are there for the one forward pass.

    The network is in evaluation mode meanwhile, and modes and random numbers are what they were afterwards.

    Args:
        model: a module of PyTorch.
        pattern: of the weights, ``blocks.{k}.mlp.weight``: the modules ``blocks.{k}`` are the blocks.
        probe: what the model takes: a tensor, a tuple, a mapping of keywords; or a function that calls the model.

    Raises:
        Error: no such modules, or what one gives is not what the next one takes.

    """

    def __init__(self, model: Any, pattern: str, probe: Any) -> None:
        head = pattern.split("{k}")[0]
        modules = {str(name): module for name, module in model.named_modules()}
        numbers = sorted(int(name[len(head) :]) for name in modules if name.startswith(head) and name[len(head) :].isdigit())
        if "{k}" not in pattern or not numbers:
            raise Error(f"probe: got no modules {head}0, {head}1 …, want states=, a function that returns the hidden states")
        self._blocks = [(f"{head}{k}", modules[f"{head}{k}"]) for k in numbers]
        self._model, self._probe, self._checked = model, probe, False

    def __call__(self) -> npt.NDArray[Any]:
        """Return the states, (L+1, …)."""
        import torch  # type: ignore[import-not-found,unused-ignore]

        lib = cast("Any", torch)
        taken: list[Any] = []
        given: list[Any] = []
        handles: list[Any] = []
        for i, (name, block) in enumerate(self._blocks):
            # Before and behind: a block may add to its input in place. Whether each takes what the last gave is asked once.
            if i == 0 or not self._checked:
                handles.append(block.register_forward_pre_hook(self._keep(name, taken)))
            handles.append(block.register_forward_hook(self._keep(name, given)))
        training = [module for module in self._model.modules() if module.training]
        cuda = lib.cuda.is_available() and lib.cuda.is_initialized()
        try:
            _set_mode(training, False)
            with lib.no_grad(), lib.random.fork_rng(devices=[lib.cuda.current_device()] if cuda else []):
                self._call()
        finally:
            for handle in handles:
                handle.remove()
            _set_mode(training, True)
        calls = len(self._blocks)
        if len(given) != calls or len(taken) != (1 if self._checked else calls):
            raise Error(f"probe: got {len(given)} calls of {calls} blocks, want each called once by the probe")
        if not self._checked:
            for (name, _), out, following in zip(self._blocks, given, taken[1:], strict=False):
                if out.shape != following.shape or not bool((out == following).all()):
                    raise Error(
                        f"probe: got something else behind {name} than the next block takes, want modules that give hidden "
                        "states, or states=, a function that returns them"
                    )
            self._checked = True
        return np.stack([to_numpy(h) for h in (taken[0], *given)])

    def _keep(self, name: str, to: list[Any]) -> Callable[..., None]:
        def hook(_: Any, *values: Any) -> None:
            state = _tensor(values[-1])
            if not hasattr(state, "detach"):
                raise Error(f"probe: {name}: got no tensor as its first input and output, want states=, a function")
            to.append(state.detach().clone())

        return hook

    def _call(self) -> None:
        probe: Any = self._probe
        if callable(probe):
            probe()
        elif isinstance(probe, Mapping):
            self._model(**cast("Mapping[str, Any]", probe))
        elif isinstance(probe, (tuple, list)):
            self._model(*cast("tuple[Any, ...]", probe))
        else:
            self._model(probe)


def states_of(source: Any) -> npt.NDArray[Any] | None:
    """Return hidden states as (L+1, n): an array, a list of arrays of one shape, or a function that returns them.

    Raises:
        Error: states of several shapes.

    """
    if callable(source):
        source = source()
    if source is None:
        return None
    if isinstance(source, (list, tuple)):
        parts = [to_numpy(s) for s in cast("list[Any]", source)]
        shapes = [p.shape for p in parts]
        if len(set(shapes)) != 1:
            raise Error(f"states: got shapes {', '.join(map(str, dict.fromkeys(shapes)))}, want one")
        source = np.stack(parts)
    states = to_numpy(source)
    if states.ndim < 2 or states.dtype.kind != "f":
        raise Error(f"states: got shape {states.shape} of {states.dtype}, want (L+1, …) of floats, h_0 … h_L")
    # float16 has too few digits for a difference of states; the file has these two types.
    kind = np.float64 if states.dtype.itemsize == 8 else np.float32
    flat: npt.NDArray[Any] = np.array(states, dtype=kind)
    return cast("Any", flat).reshape(len(flat), -1)
