"""NumPy, backward pass by hand, every buffer made once.

All is scaled so that no call multiplies by δ inside the loop: the code holds W = δA and
S = h/δ, for which S_k = S_{k-1} + tanh(W_k S_{k-1}), p_{k-1} = p_k + W_kᵀ D_k p_k and
∂J/∂A_k = δ² D_k p_k S_{k-1}ᵀ. Views of single layers are made once, too.
"""

from itertools import product

import numpy as np

VERSIONS = {"numpy": np.__version__}


class Hand:
    """columns: states are (d,N), else (N,d). whole: σ′ and the gradient of all layers in
    one call after the loop over layers, else layer by layer, which keeps them in cache."""

    def __init__(self, problem, columns, whole):
        p, dtype = problem, problem.dtype
        self.problem, self.columns, self.whole = problem, columns, whole
        self.scale = p.delta**2
        state = (p.d, p.N) if columns else (p.N, p.d)
        lay = (lambda a: np.ascontiguousarray(a.T)) if columns else np.array
        self.Y = lay(p.Y)
        self.W = p.A * np.asarray(p.delta, dtype)
        self.G = np.empty_like(self.W)
        self.S = np.empty((p.L + 1, *state), dtype)
        self.S[0] = lay(p.X) / np.asarray(p.delta, dtype)
        self.T = np.empty((p.L, *state), dtype)  # tanh, then D, then D p
        self.P, self.E, self.Z = (np.empty(state, dtype) for _ in range(3))
        S, T, W, G = list(self.S), list(self.T), list(self.W), list(self.G)
        turned = [w.T for w in W]
        first, second = [s.T for s in S], S
        if columns:
            self.forward = list(zip(W, S, T, S[1:]))
            self.back = list(zip(turned, T, G, first))[::-1]
        else:
            self.forward = list(zip(turned, S, T, S[1:]))
            self.back = list(zip(W, T, G, second))[::-1]

    def pull(self):
        """Fills G with ∇J/δ² and returns J."""
        p, P, E, Z = self.problem, self.P, self.E, self.Z
        dot, add, multiply, subtract, tanh = np.dot, np.add, np.multiply, np.subtract, np.tanh
        if self.columns:
            for w, s, t, following in self.forward:
                dot(w, s, t)
                tanh(t, t)
                add(s, t, following)
        else:
            for w, s, t, following in self.forward:
                dot(s, w, t)
                tanh(t, t)
                add(s, t, following)
        multiply(self.S[-1], p.delta, P)
        subtract(P, self.Y, P)
        loss = float(np.vdot(P, P)) / (2 * p.N)
        multiply(P, 1 / p.N, P)
        if self.whole:
            multiply(self.T, self.T, self.T)
            subtract(1, self.T, self.T)
            for w, t, _, _ in self.back:
                multiply(t, P, t)
                dot(w, t, Z) if self.columns else dot(t, w, Z)
                add(P, Z, P)
            if self.columns:
                np.matmul(self.T, self.S[:-1].transpose(0, 2, 1), self.G)
            else:
                np.matmul(self.T.transpose(0, 2, 1), self.S[:-1], self.G)
            return loss
        turned = E.T
        for w, t, g, s in self.back:
            multiply(t, t, E)
            subtract(1, E, E)
            multiply(E, P, E)
            if self.columns:
                dot(E, s, g)
                dot(w, E, Z)
            else:
                dot(turned, s, g)
                dot(E, w, Z)
            add(P, Z, P)
        return loss

    def gradient(self):
        self.pull()
        return self.G * np.asarray(self.scale, self.G.dtype)

    def step(self):
        loss = self.pull()
        np.multiply(self.G, self.problem.eta * self.problem.delta * self.scale, self.G)
        np.subtract(self.W, self.G, self.W)
        return loss


def hand(problem):
    for columns, whole in product((True, False), repeat=2):
        label = f"{'(d,N)' if columns else '(N,d)'} states, {'all layers at once' if whole else 'layer by layer'}"
        yield label, lambda: Hand(problem, columns, whole)


def candidates(kind, problem):
    return {"hand": hand}[kind](problem)
