"""Makes methods.json: 50 steps of every method, in float64 and NumPy, from the published definitions.

    python methods.py > methods.json

It shares nothing with deeplimit. Parameters are those of a network of block mlp with biases, E
and C. The gradient is a polynomial, so that both programs compute it to the last bits:
g[i] = a[i] (w[i] - s[i]) + w[i-1] w[i] / 10.

Definitions: sgd, momentum, nesterov, adam, adamw as the documentation of torch.optim writes them
(SGD with nesterov, Adam, AdamW; decoupled_weight_decay for all), lion from Algorithm 2 of
arXiv 2302.06675, sign from Algorithm 1 of arXiv 1802.04434, muon as in the reference code of
K. Jordan in float64, without the 1e-7 beside the norm.
"""

import json

import numpy as np

STEPS, KEPT = 50, (1, 10, 50)
DEPTH, WIDTH, HIDDEN, INPUTS, OUTPUTS = 2, 3, 5, 4, 2
SHAPES = {
    "V": (DEPTH, WIDTH, HIDDEN), "W": (DEPTH, HIDDEN, WIDTH), "b": (DEPTH, HIDDEN), "c": (DEPTH, WIDTH),
    "E": (WIDTH, INPUTS), "C": (OUTPUTS, WIDTH),
}
SIZE = sum(int(np.prod(s)) for s in SHAPES.values())


def gradient(w, a, s):
    return a * (w - s) + np.roll(w, 1) * w / 10


def orthogonal(u):
    x = u.T if u.shape[0] > u.shape[1] else u
    norm = np.sqrt((x * x).sum())
    if norm == 0:
        return 0 * u
    x = x / norm
    for _ in range(5):
        g = x @ x.T
        x = 3.4445 * x + (-4.7750 * g + 2.0315 * g @ g) @ x
    return x.T if u.shape[0] > u.shape[1] else x


class Adam:
    def __init__(self, size, beta1, beta2, eps):
        self.m, self.v, self.t = np.zeros(size), np.zeros(size), 0
        self.beta1, self.beta2, self.eps = beta1, beta2, eps

    def step(self, g, eta):
        self.t += 1
        self.m = self.m + (1 - self.beta1) * (g - self.m)
        self.v = self.beta2 * self.v + (1 - self.beta2) * g * g
        size = eta / (1 - self.beta1**self.t)
        return size * self.m / (np.sqrt(self.v) / np.sqrt(1 - self.beta2**self.t) + self.eps)


class Method:
    def __init__(self, name, options):
        self.name, self.o = name, options
        self.state = np.zeros(SIZE)
        self.adam = Adam(SIZE, options.get("beta1", 0.9), options.get("beta2", 0.999), options.get("epsilon", 1e-8))

    def step(self, g, eta):
        name, o = self.name, self.o
        if name in ("gd", "sgd"):
            return eta * g
        if name in ("momentum", "nesterov"):
            self.state = o.get("momentum", 0.9) * self.state + g
            return eta * (g + o.get("momentum", 0.9) * self.state if name == "nesterov" else self.state)
        if name in ("adam", "adamw"):
            return self.adam.step(g, eta)
        if name == "sign":
            return eta * np.sign(g)
        if name == "lion":
            beta1, beta2 = o.get("beta1", 0.9), o.get("beta2", 0.99)
            update = eta * np.sign(beta1 * self.state + (1 - beta1) * g)
            self.state = beta2 * self.state + (1 - beta2) * g
            return update
        update = self.adam.step(g, eta)  # muon
        mu = o.get("momentum", 0.95)
        self.state = self.state + (1 - mu) * (g - self.state)
        ahead = g + mu * (self.state - g)
        begin = 0
        for part in ("V", "W"):
            _, rows, cols = SHAPES[part]
            for _ in range(DEPTH):
                end = begin + rows * cols
                u = ahead[begin:end].reshape(rows, cols)
                update[begin:end] = (eta * max(1, rows / cols) ** 0.5 * orthogonal(u)).ravel()
                begin = end
        return update


def run(case, w, a, s):
    method, kept = Method(case["method"], case), {}
    for t in range(1, STEPS + 1):
        g, eta = gradient(w, a, s), case["eta"]
        clip, norm = case.get("clip", 0), np.sqrt((g * g).sum())
        if clip and norm > clip:
            g = g * (clip / norm)
        w = w * (1 - eta * case.get("weight_decay", 0)) - method.step(g, eta)
        if t in KEPT:
            kept[t] = w.tolist()
    return kept


CASES = [
    {"method": "gd", "eta": 0.1}, {"method": "gd", "eta": 0.1, "weight_decay": 0.2}, {"method": "sgd", "eta": 0.05, "clip": 0.8},
    {"method": "momentum", "eta": 0.02}, {"method": "momentum", "eta": 0.03, "momentum": 0.8, "weight_decay": 0.1, "clip": 1.5},
    {"method": "nesterov", "eta": 0.02}, {"method": "nesterov", "eta": 0.03, "momentum": 0.7, "weight_decay": 0.1},
    {"method": "adam", "eta": 0.02}, {"method": "adam", "eta": 0.02, "beta1": 0.8, "beta2": 0.95, "epsilon": 1e-3, "weight_decay": 0.1},
    {"method": "adamw", "eta": 0.02, "weight_decay": 0.01}, {"method": "adamw", "eta": 0.05, "weight_decay": 0.3, "clip": 0.5},
    {"method": "sign", "eta": 0.01}, {"method": "sign", "eta": 0.01, "weight_decay": 0.5},
    {"method": "lion", "eta": 0.01}, {"method": "lion", "eta": 0.02, "beta1": 0.95, "beta2": 0.98, "weight_decay": 0.3},
    {"method": "muon", "eta": 0.02}, {"method": "muon", "eta": 0.03, "momentum": 0.9, "beta2": 0.95, "weight_decay": 0.1, "clip": 1},
]


def main():
    rng = np.random.default_rng(18)
    w, a, s = rng.normal(size=SIZE) / 2, rng.uniform(0.2, 2, size=SIZE), rng.normal(size=SIZE)
    out = {"sizes": [DEPTH, WIDTH, HIDDEN, INPUTS, OUTPUTS], "start": w.tolist(), "slope": a.tolist(), "shift": s.tolist()}
    out["cases"] = [dict(case, after=run(case, w, a, s)) for case in CASES]
    print(json.dumps(out))


main()
