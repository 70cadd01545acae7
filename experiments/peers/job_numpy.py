"""NumPy on a job, backward pass by hand, every buffer made once; erf is SciPy's.

The trained parameters are one array, and so are their gradients, so that the update is a few calls.
"""

import math

import numpy as np
import scipy
from scipy.special import erf

VERSIONS = {"numpy": np.__version__, "scipy": scipy.__version__}


class Hand:
    """columns: states are (d,N), else (N,d)."""

    def __init__(self, job, columns):
        self.job, self.columns, self.at, self.count = job, columns, 0, 0
        dtype = np.dtype(job.dtype)
        self.one = dtype.type
        sizes = {name: job.groups[name].size for name in job.trained}
        total = sum(sizes.values())
        self.theta, self.grad, self.spare = (np.empty(total, dtype) for _ in range(3))
        self.p, self.g, offset = dict(job.groups), {}, 0
        for name, size in sizes.items():
            view = lambda a: a[offset : offset + size].reshape(job.groups[name].shape)
            self.p[name], self.g[name] = view(self.theta), view(self.grad)
            self.p[name][...] = job.groups[name]
            offset += size
        if job.method == "adam":
            self.mean, self.square = np.zeros(total, dtype), np.zeros(total, dtype)
        d = job.groups["V" if job.block == "mlp" else "A"].shape[1]
        m = job.groups["W"].shape[1] if job.block == "mlp" else d
        shape = lambda r: (r, job.N) if columns else (job.N, r)
        self.axis = 0 if columns else 1
        L = job.L
        self.H = list(np.empty((L + 1, *shape(d)), dtype))
        self.S, self.D = list(np.empty((L, *shape(m)), dtype)), list(np.empty((L, *shape(m)), dtype))
        self.XS = list(np.empty((L, *shape(d)), dtype)) if job.normalise else self.H
        self.R = [None] * L
        self.P, self.Q, self.F, self.Z = (np.empty(shape(d), dtype) for _ in range(4))
        self.T, self.U, self.V = (np.empty(shape(m), dtype) for _ in range(3))
        lay = (lambda a: np.ascontiguousarray(a.T)) if columns else np.array
        self.X, self.Y = lay(job.X), lay(job.Y)

    def affine(self, w, x, b, out):
        if self.columns:
            np.dot(w, x, out)
            if b is not None:
                np.add(out, b[:, None], out)
        else:
            np.dot(x, w.T, out)
            if b is not None:
                np.add(out, b, out)

    def pull(self, w, e, out):
        np.dot(w.T, e, out) if self.columns else np.dot(e, w, out)

    def outer(self, e, x, out):
        np.dot(e, x.T, out) if self.columns else np.dot(e.T, x, out)

    def activate(self, u, s, ds):
        name, one, v = self.job.activation, self.one, self.V
        if name == "relu":
            np.maximum(u, 0, s)
            np.greater(u, 0, ds)
        elif name == "tanh":
            np.tanh(u, s)
            np.multiply(s, s, ds)
            np.subtract(1, ds, ds)
        else:
            np.multiply(u, one(math.sqrt(0.5)), ds)
            erf(ds, v)
            np.add(v, 1, v)
            np.multiply(v, one(0.5), v)  # Φ
            np.multiply(ds, ds, ds)
            np.negative(ds, ds)
            np.exp(ds, ds)
            np.multiply(ds, one(1 / math.sqrt(2 * math.pi)), ds)
            np.multiply(ds, u, ds)
            np.add(ds, v, ds)
            np.multiply(u, v, s)

    def evaluate(self, batch):
        """Fills the gradient and returns J."""
        job, p, delta = self.job, self.p, self.one(self.job.delta)
        X, Y = self.X, self.Y
        if len(job.batches) > 1:
            X, Y = (a[:, batch] if self.columns else a[batch] for a in (X, Y))
        H, S, D, P = self.H, self.S, self.D, self.P
        if "E" in p:
            self.affine(p["E"], X, None, H[0])
        else:
            H[0][...] = X
        part = lambda name, k: p[name][k] if name in p else None
        for k in range(job.L):
            x = H[k]
            if job.normalise:
                np.multiply(x, x, self.F)
                r = self.R[k] = 1 / np.sqrt(self.F.mean(self.axis, keepdims=True) + self.one(job.epsilon))
                np.multiply(x, r, self.XS[k])
                x = self.XS[k]
            f = self.F
            if job.block == "inner":
                self.affine(p["A"][k], x, part("b", k), self.U)
                self.activate(self.U, S[k], D[k])
                f = S[k]
            elif job.block == "outer":
                self.activate(x, S[k], D[k])
                self.affine(p["A"][k], S[k], part("b", k), f)
            else:
                self.affine(p["W"][k], x, part("b", k), self.U)
                self.activate(self.U, S[k], D[k])
                self.affine(p["V"][k], S[k], part("c", k), f)
            np.multiply(f, delta, self.Z)
            np.add(H[k], self.Z, H[k + 1])
        out = H[-1]
        if "C" in p:
            out = np.dot(p["C"], out) if self.columns else np.dot(out, p["C"].T)
        if job.classes:
            shifted = out - out.max(self.axis, keepdims=True)
            e = np.exp(shifted)
            total = e.sum(self.axis, keepdims=True)
            loss = float(np.sum(Y * (np.log(total) - shifted))) / job.N
            r = (e / total - Y) / self.one(job.N)
        else:
            r = out - Y
            loss = float(np.vdot(r, r)) / (2 * job.N)
            r = np.multiply(r, self.one(1 / job.N), r)
        if "C" in p:
            if "C" in self.g:
                self.outer(r, H[-1], self.g["C"])
            self.pull(p["C"], r, P)
        else:
            P[...] = r
        for k in reversed(range(job.L)):
            q = np.multiply(P, delta, self.Q)
            if job.block == "inner":
                e = np.multiply(q, D[k], self.T)
            else:
                outer = "A" if job.block == "outer" else "V"
                self.outer(q, S[k], self.g[outer][k])
                bias = "b" if job.block == "outer" else "c"
                if bias in self.g:
                    np.sum(q, 1 - self.axis, out=self.g[bias][k])
                self.pull(p[outer][k], q, self.T)
                e = np.multiply(self.T, D[k], self.T)
            if job.block == "outer":
                g = e
            else:
                inner = "A" if job.block == "inner" else "W"
                self.outer(e, self.XS[k], self.g[inner][k])
                if "b" in self.g:
                    np.sum(e, 1 - self.axis, out=self.g["b"][k])
                self.pull(p[inner][k], e, self.Z)
                g = self.Z
            if job.normalise:
                np.multiply(self.XS[k], g, self.F)
                np.multiply(self.XS[k], self.F.mean(self.axis, keepdims=True), self.F)
                g = np.subtract(g, self.F, self.F)
                np.multiply(g, self.R[k], g)
            np.add(P, g, P)
        if "E" in self.g:
            self.outer(P, X, self.g["E"])
        return loss

    def gradient(self):
        self.evaluate(self.job.batches[0])
        return self.g

    def step(self):
        job, grad, spare = self.job, self.grad, self.spare
        loss = self.evaluate(job.batches[self.at])
        self.at = (self.at + 1) % len(job.batches)
        if job.method == "gd":
            np.multiply(grad, self.one(job.eta), grad)
            np.subtract(self.theta, grad, self.theta)
            return loss
        self.count += 1
        one, mean, square, b1, b2 = self.one, self.mean, self.square, job.beta1, job.beta2
        np.multiply(mean, one(b1), mean)
        np.multiply(grad, one(1 - b1), spare)
        np.add(mean, spare, mean)
        np.multiply(grad, grad, grad)
        np.multiply(grad, one(1 - b2), grad)
        np.multiply(square, one(b2), square)
        np.add(square, grad, square)
        np.multiply(square, one(1 / (1 - b2**self.count)), spare)
        np.sqrt(spare, spare)
        np.add(spare, one(job.adam_epsilon), spare)
        np.divide(mean, spare, spare)
        np.multiply(spare, one(job.eta / (1 - b1**self.count)), spare)
        np.subtract(self.theta, spare, self.theta)
        return loss


def candidates(kind, job):
    for columns in (True, False):
        yield ("(d,N) states" if columns else "(N,d) states"), lambda: Hand(job, columns)
