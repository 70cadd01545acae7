"""Makes normalised.json: loss and gradients of networks with normalise: pre, in NumPy float64.

    python normalised.py > normalised.json

It shares nothing with deeplimit: forward pass as the definition has it, one sample at a time, and
gradients by complex steps, dJ/dw = Im J(w + ih)/h with h = 1e-30, which have no rounding error of a difference.
Parameters and samples are the closed forms below.
"""

import itertools
import json

import numpy as np

DEPTH, WIDTH, HIDDEN, INPUTS, OUTPUTS, SAMPLES = 3, 4, 5, 3, 2, 6
SIGMA = {"tanh": np.tanh, "identity": lambda z: z, "sin": np.sin}


def wave(shape, first):
    return 0.7 * np.sin(first + 1.3 * np.arange(int(np.prod(shape)))).reshape(shape)


def normalised(h, kind, epsilon):
    if kind == "layer":
        h = h - h.sum() / len(h)
    return h / np.sqrt((h * h).sum() / len(h) + epsilon)


def loss(p, case, x, y):
    sigma, total = SIGMA[case["activation"]], 0
    for i in range(SAMPLES):
        h = p["E"] @ x[i]
        for k in range(DEPTH):
            u = normalised(h, case["norm"], case["epsilon"])
            if case["block"] == "inner":
                f = sigma(p["A"][k] @ u + p["b"][k])
            elif case["block"] == "outer":
                f = p["A"][k] @ sigma(u) + p["b"][k]
            else:
                f = p["V"][k] @ sigma(p["W"][k] @ u + p["b"][k]) + p["c"][k]
            h = h + p["delta"][k] * f
        r = p["C"] @ h - y[i]
        total = total + (r * r).sum() / 2
    return total / SAMPLES


def run(case):
    d, m = WIDTH, HIDDEN
    shapes = {"A": (DEPTH, d, d), "b": (DEPTH, d)}
    if case["block"] == "mlp":
        shapes = {"V": (DEPTH, d, m), "W": (DEPTH, m, d), "b": (DEPTH, m), "c": (DEPTH, d)}
    shapes |= {"delta": (DEPTH,), "E": (d, INPUTS), "C": (OUTPUTS, d)}
    p = {name: wave(shape, 1 + j).astype(complex) for j, (name, shape) in enumerate(shapes.items())}
    x, y = wave((SAMPLES, INPUTS), 0.2), wave((SAMPLES, OUTPUTS), 0.4)
    x[SAMPLES - 1] = 0  # a state of zeros
    out = dict(case, loss=float(loss(p, case, x, y).real), gradient={})
    for name, value in p.items():
        g = np.zeros(value.shape)
        for at in itertools.product(*map(range, value.shape)):
            kept = value[at]
            value[at] = kept + 1e-30j
            g[at] = loss(p, case, x, y).imag / 1e-30
            value[at] = kept
        out["gradient"][name] = g.ravel().tolist()
    return out


cases = [
    {"block": block, "norm": norm, "epsilon": epsilon, "activation": activation}
    for block, activation in [("inner", "tanh"), ("outer", "sin"), ("mlp", "tanh"), ("mlp", "identity")]
    for norm, epsilon in [("rms", 1e-5), ("layer", 0.1)]
]
print(json.dumps([run(c) for c in cases]))
