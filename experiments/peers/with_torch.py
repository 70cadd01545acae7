"""PyTorch: autograd, torch.compile, and backward by hand with every buffer made once."""

import os
import time
from itertools import product

import numpy as np
import torch

torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
torch.set_num_interop_threads(1)

VERSIONS = {"torch": torch.__version__}


def layout(columns):
    return "(d,N) states" if columns else "(N,d) states"


class Autograd:
    """The forward pass as one writes it, and .backward(). block takes a state through
    the layers of one slice of A."""

    def __init__(self, problem, columns, layers, block):
        p = self.problem = problem
        lay = (lambda a: np.ascontiguousarray(a.T)) if columns else np.array
        self.X, self.Y = torch.from_numpy(lay(p.X)), torch.from_numpy(lay(p.Y))
        self.A = torch.from_numpy(p.A.copy()).requires_grad_()
        self.layers, self.block = layers, block

    def loss(self):
        p, h = self.problem, self.X
        # unbind has one backward for all slices; indexing would add up L sparse gradients.
        for a in self.A.view(-1, self.layers, p.d, p.d).unbind(0):
            h = self.block(h, a)
        return (h - self.Y).square().sum() / (2 * p.N)

    def gradient(self):
        self.loss().backward()
        gradient, self.A.grad = self.A.grad, None
        return gradient.numpy()

    def step(self):
        loss = self.loss()
        loss.backward()
        with torch.no_grad():
            self.A.add_(self.A.grad, alpha=-self.problem.eta)
        self.A.grad = None
        return loss.item()


def block(problem, columns):
    delta = problem.delta
    if columns:

        def layers(h, slice):
            for a in slice.unbind(0):
                h = torch.add(h, torch.tanh(a @ h), alpha=delta)
            return h

    else:

        def layers(h, slice):
            for a in slice.unbind(0):
                h = torch.add(h, torch.tanh(h @ a.T), alpha=delta)
            return h

    return layers


def eager(problem):
    for columns in (True, False):
        yield layout(columns), lambda: Autograd(problem, columns, problem.L, block(problem, columns))


def compiled(problem):
    """Graphs of at most 20 layers, in the layout that is faster without compilation."""

    def duration(columns):
        step = Autograd(problem, columns, problem.L, block(problem, columns))
        step.step()
        start = time.perf_counter()
        step.step()
        return time.perf_counter() - start

    columns = duration(True) < duration(False)
    torch._dynamo.reset()
    layers = max(n for n in range(1, 21) if problem.L % n == 0)
    graph = torch.compile(block(problem, columns), dynamic=False, fullgraph=True)
    yield f"{layout(columns)}, {layers} layers a graph", lambda: Autograd(problem, columns, layers, graph)


class Hand:
    """As with_numpy.Hand, which explains the scaling, columns and whole."""

    def __init__(self, problem, columns, whole):
        p = self.problem = problem
        self.columns, self.whole = columns, whole
        lay = (lambda a: np.ascontiguousarray(a.T)) if columns else np.array
        with torch.inference_mode():
            self.Y = torch.from_numpy(lay(p.Y)).clone()
            self.W = torch.from_numpy(p.A) * p.delta
            self.G = torch.empty_like(self.W)
            state = self.Y.shape
            self.S = self.Y.new_empty((p.L + 1, *state))
            self.S[0] = torch.from_numpy(lay(p.X)) / p.delta
            self.T = self.Y.new_empty((p.L, *state))
            self.P, self.E = torch.empty_like(self.Y), torch.empty_like(self.Y)
            S, T, W, G = (x.unbind(0) for x in (self.S, self.T, self.W, self.G))
            turned = self.W.mT.unbind(0)
            if columns:
                self.forward = list(zip(W, S, T, S[1:]))
                self.back = list(zip(turned, T, G, self.S.mT.unbind(0)))[::-1]
            else:
                self.forward = list(zip(turned, S, T, S[1:]))
                self.back = list(zip(W, T, G, S))[::-1]

    def pull(self):
        """Fills G with ∇J/δ² and returns J."""
        p, P, E = self.problem, self.P, self.E
        mm, add = torch.mm, torch.add
        if self.columns:
            for w, s, t, following in self.forward:
                mm(w, s, out=t)
                t.tanh_()
                add(s, t, out=following)
        else:
            for w, s, t, following in self.forward:
                mm(s, w, out=t)
                t.tanh_()
                add(s, t, out=following)
        torch.mul(self.S[-1], p.delta, out=P)
        P.sub_(self.Y)
        loss = P.square().sum().item() / (2 * p.N)
        P.mul_(1 / p.N)
        if self.whole:
            self.T.square_().neg_().add_(1)
            for w, t, _, _ in self.back:
                t.mul_(P)
                P.addmm_(w, t) if self.columns else P.addmm_(t, w)
            if self.columns:
                torch.bmm(self.T, self.S[:-1].mT, out=self.G)
            else:
                torch.bmm(self.T.mT, self.S[:-1], out=self.G)
            return loss
        pullback, turned = torch.ops.aten.tanh_backward.grad_input, E.mT
        for w, t, g, s in self.back:
            pullback(P, t, grad_input=E)
            if self.columns:
                mm(E, s, out=g)
                P.addmm_(w, E)
            else:
                mm(turned, s, out=g)
                P.addmm_(E, w)
        return loss

    def gradient(self):
        with torch.inference_mode():
            self.pull()
            return (self.G * self.problem.delta**2).numpy()

    def step(self):
        with torch.inference_mode():
            loss = self.pull()
            self.W.add_(self.G, alpha=-self.problem.eta * self.problem.delta**3)
            return loss


def hand(problem):
    for columns, whole in product((True, False), repeat=2):
        label = f"{layout(columns)}, {'all layers at once' if whole else 'layer by layer'}"
        yield label, lambda: Hand(problem, columns, whole)


def candidates(kind, problem):
    return {"eager": eager, "compiled": compiled, "hand": hand}[kind](problem)
