"""The problem that every peer solves, as `deeplimit bench --dump` wrote it.

Letters: d width, N samples, L depth. h_k = h_{k-1} + δ tanh(A_k h_{k-1}), h_0 = x;
J = (1/2N) Σ ‖h_L − y‖²; a step is A ← A − η ∇J.

A peer module has a function `candidates(problem)` that yields ways to compute the
same step: pairs of a label and a function that returns a Step.
"""

import gc
import json
import time
from pathlib import Path
from typing import Protocol

import numpy as np

# Largest relative error of a loss and, in the Frobenius norm, of the gradient.
TOLERANCE = {"float32": 1e-4, "float64": 1e-10}


class Problem:
    """Data X, Y (N,d), weights A and gradient (L,d,d) at A, and the losses of three steps."""

    def __init__(self, folder):
        folder = Path(folder)
        facts = json.loads((folder / "problem.json").read_text())
        self.d, self.N, self.L = facts["shape"]
        self.dtype = facts["dtype"]
        self.delta = facts["residual_scale"]
        self.eta = facts["step_size"]
        self.losses = facts["losses"]
        load = lambda name, *shape: np.load(folder / f"{name}.npy").reshape(shape)
        self.X = load("X", self.N, self.d)
        self.Y = load("Y", self.N, self.d)
        self.A = load("A", self.L, self.d, self.d)
        self.gradient = load("gradient", self.L, self.d, self.d)

    def error(self, step):
        """The relative errors of the gradient and of three losses."""
        gradient = step.gradient().astype(np.float64) - self.gradient
        errors = [np.linalg.norm(gradient) / np.linalg.norm(self.gradient.astype(np.float64))]
        return errors + [abs(step.step() - loss) / loss for loss in self.losses]


class Step(Protocol):
    """One descent, at its own copy of the weights."""

    def gradient(self) -> np.ndarray:
        """∇J (L,d,d) at the weights, which stay."""

    def step(self) -> float:
        """J at the weights, which then move. Returns when all work is done."""


class Mismatch(Exception):
    """A peer computes something else."""


def error(problem, step):
    """The largest relative error of the gradient and of three losses; Mismatch if too large."""
    return largest(problem.dtype, problem.error(step))


def largest(dtype, errors):
    """The largest of errors; Mismatch if it is too large for the element type."""
    worst = float(np.max(errors))
    if not worst <= TOLERANCE[dtype]:
        raise Mismatch(f"relative errors of gradient and losses: {errors}")
    return worst


def times(step, seconds, fewest):
    """Durations in seconds of at least that many steps, for at least that long, and the time of the processor that they took."""
    gc.collect()
    gc.disable()
    durations, processor = [], []
    begun = time.perf_counter()
    while len(durations) < fewest or time.perf_counter() - begun < seconds:
        start, begin = time.perf_counter(), time.process_time()
        step.step()
        durations.append(time.perf_counter() - start)
        processor.append(time.process_time() - begin)
    gc.enable()
    return durations, processor


def fastest(problem, candidates):
    """Checks every candidate and returns the label, the step and the error of the fastest."""
    best = None
    for label, make in candidates:
        step = make()
        worst = error(problem, step)
        duration = float(np.median(times(step, 0.1, 3)[1]))
        if best is None or duration < best[0]:
            best = duration, label, step, worst
    return best[1:]
