"""PyTorch on a job: autograd with an optimiser of PyTorch, eager and compiled."""

import os
import time

import numpy as np
import torch
import torch.nn.functional as F

torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
torch.set_num_interop_threads(1)

VERSIONS = {"torch": torch.__version__}

SIGMA = {"tanh": torch.tanh, "relu": torch.relu, "gelu": F.gelu}


def layers_of(job, columns):
    """A function that takes a state through consecutive layers; parameters are dictionaries of their slices."""
    sigma, delta, axis = SIGMA[job.activation], job.delta, 0 if columns else 1

    def affine(w, x, b):
        if columns:
            return w @ x if b is None else torch.addmm(b[:, None], w, x)
        return F.linear(x, w, b)

    def layers(h, slices):
        names = list(slices)
        for values in zip(*(slices[name].unbind(0) for name in names)):
            p = dict(zip(names, values))
            x = h
            if job.normalise:
                x = h * torch.rsqrt(h.square().mean(axis, keepdim=True) + job.epsilon)
            if job.block == "inner":
                f = sigma(affine(p["A"], x, p.get("b")))
            elif job.block == "outer":
                f = affine(p["A"], sigma(x), p.get("b"))
            else:
                f = affine(p["V"], sigma(affine(p["W"], x, p.get("b"))), p.get("c"))
            h = torch.add(h, f, alpha=delta)
        return h

    return layers


class Autograd:
    def __init__(self, job, columns, size, layers):
        self.job, self.columns, self.size, self.layers = job, columns, size, layers
        self.p = {name: torch.from_numpy(a.copy()).requires_grad_(name in job.trained) for name, a in job.groups.items()}
        lay = (lambda a: np.ascontiguousarray(a.T)) if columns else np.array
        self.X = torch.from_numpy(lay(job.X))
        self.Y = torch.from_numpy(job.Y.argmax(1).copy() if job.classes else lay(job.Y))
        self.batches = [torch.from_numpy(b.copy()) for b in job.batches]
        self.at = 0
        trained = [self.p[name] for name in job.trained]
        if job.method == "adam":
            self.optimiser = torch.optim.Adam(trained, job.eta, (job.beta1, job.beta2), job.adam_epsilon, fused=True)
        else:
            self.optimiser = torch.optim.SGD(trained, job.eta, foreach=True)

    def loss(self, batch):
        job, X, Y = self.job, self.X, self.Y
        if len(self.batches) > 1:
            X = X.index_select(1 if self.columns else 0, batch)
            Y = Y.index_select(0 if job.classes or not self.columns else 1, batch)
        h = X
        if "E" in self.p:
            h = self.p["E"] @ h if self.columns else F.linear(h, self.p["E"])
        for first in range(0, job.L, self.size):
            h = self.layers(h, {name: self.p[name][first : first + self.size] for name in job.layered()})
        if "C" in self.p:
            h = self.p["C"] @ h if self.columns else F.linear(h, self.p["C"])
        if job.classes:
            return F.cross_entropy(h.T if self.columns else h, Y)
        return (h - Y).square().sum() / (2 * job.N)

    def gradient(self):
        self.loss(self.batches[0]).backward()
        gradients = {name: self.p[name].grad.numpy().copy() for name in self.job.trained}
        self.optimiser.zero_grad(set_to_none=True)
        return gradients

    def step(self):
        loss = self.loss(self.batches[self.at])
        self.at = (self.at + 1) % len(self.batches)
        loss.backward()
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        return loss.item()


def label(columns):
    return "(d,N) states" if columns else "(N,d) states"


def eager(job):
    for columns in (True, False):
        yield label(columns), lambda: Autograd(job, columns, job.L, layers_of(job, columns))


def compiled(job):
    """Graphs of at most 16 layers, in the layout that is faster without compilation."""

    def duration(columns):
        step = Autograd(job, columns, job.L, layers_of(job, columns))
        step.step()
        start = time.perf_counter()
        step.step()
        return time.perf_counter() - start

    columns = duration(True) < duration(False)
    torch._dynamo.reset()
    size = max(n for n in range(1, 17) if job.L % n == 0)
    graph = torch.compile(layers_of(job, columns), dynamic=False, fullgraph=True)
    yield f"{label(columns)}, {size} layers a graph", lambda: Autograd(job, columns, size, graph)


def candidates(kind, job):
    return {"eager": eager, "compiled": compiled}[kind](job)
