"""A run of a study as `deeplimit bench STUDY.yaml --dump` wrote it, for the peers of jobs.

Letters: d width, m rows of the activation, N samples of a step, L depth. h_k = h_{k-1} + δ f(x), x = h_{k-1} or
x = h_{k-1} / sqrt(mean(h²) + ε) where the study normalises;

    inner  f = σ(A x + b)      outer  f = A σ(x) + b      mlp  f = V σ(W x + b) + c

h_0 = E x, ŷ = C h_L, each the identity where there is no such group. The loss is (1/2N) Σ ‖ŷ − y‖² or cross-entropy.
"""

import json
from pathlib import Path

import numpy as np


class Job:
    """Parameters by group, those that are trained, gradients of the first step, and three losses."""

    def __init__(self, folder):
        folder = Path(folder)
        facts = json.loads((folder / "problem.json").read_text())
        load = lambda name, *shape: np.load(folder / f"{name}.npy").reshape(shape)
        self.dtype, self.L = facts["dtype"], facts["depth"]
        network, train = facts["network"], facts["train"]
        self.block, self.activation = network["block"], network["activation"]
        self.normalise, self.epsilon = network.get("normalise", ""), network.get("norm_epsilon", 0)
        self.classes = network["loss"] == "cross-entropy"
        if network["residual"] != "fixed" or network["loss"] not in ("squared", "cross-entropy") or network.get("norm", "rms") != "rms":
            raise NotImplementedError(f"network {network}")
        self.method, self.eta = train["method"], facts["step_size"]
        if self.method not in ("gd", "adam"):
            raise NotImplementedError(f"method {self.method}")
        self.beta1, self.beta2 = train.get("beta1", 0), train.get("beta2", 0)
        self.adam_epsilon = facts.get("epsilon", 0)
        self.X = load("X", facts["samples"], facts["inputs"])
        self.Y = load("Y", facts["samples"], facts["outputs"])
        self.groups = {name: load(name, *shape) for name, shape in facts["groups"].items()}
        self.delta = float(self.groups.pop("delta")[0])
        self.trained = [name for name in facts["trained"]]
        self.gradients = {name: load(f"gradient-{name}", *facts["groups"][name]) for name in self.trained}
        order = np.array(facts.get("order") or range(facts["samples"]))
        size = train.get("batch") or facts["samples"]
        self.batches = [order[i : i + size] for i in range(0, len(order), size)]
        self.batches = [b for b in self.batches if len(b) == size]
        self.N, self.losses = size, facts["losses"]

    def layered(self):
        """The names of the groups that have an entry for each layer."""
        return [name for name in self.groups if name not in ("E", "C")]

    def error(self, step):
        """The relative errors of gradient and losses."""
        own = step.gradient()
        squares = lambda arrays: sum(float(np.sum(np.square(a, dtype=np.float64))) for a in arrays)
        apart = squares(own[name].astype(np.float64) - self.gradients[name] for name in self.trained)
        errors = [np.sqrt(apart / squares(self.gradients.values()))]
        return errors + [abs(step.step() - loss) / loss for loss in self.losses]
