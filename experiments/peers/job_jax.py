"""JAX on a job: a scan over layers under jit, differentiated by JAX, with the update in the same call."""

from itertools import product

import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)  # float32 arrays stay float32

VERSIONS = {"jax": jax.__version__, "jaxlib": jax.lib.__version__}

SIGMA = {"tanh": jnp.tanh, "relu": jax.nn.relu, "gelu": lambda u: jax.nn.gelu(u, approximate=False)}


def loss_of(job, columns, unroll):
    """(parameters, X, Y) ↦ J with states (d,N) for columns, else (N,d)."""
    sigma, axis = SIGMA[job.activation], 0 if columns else 1

    def affine(w, x, b):
        z = w @ x if columns else x @ w.T
        if b is None:
            return z
        return z + (b[:, None] if columns else b)

    def layer(h, p):
        x = h
        if job.normalise:
            x = h * jax.lax.rsqrt(jnp.mean(h * h, axis, keepdims=True) + job.epsilon)
        if job.block == "inner":
            f = sigma(affine(p["A"], x, p.get("b")))
        elif job.block == "outer":
            f = affine(p["A"], sigma(x), p.get("b"))
        else:
            f = affine(p["V"], sigma(affine(p["W"], x, p.get("b"))), p.get("c"))
        return h + job.delta * f, None

    def loss(trained, fixed, X, Y):
        p = trained | fixed
        h = affine(p["E"], X, None) if "E" in p else X
        h, _ = jax.lax.scan(layer, h, {name: p[name] for name in job.layered()}, unroll=unroll)
        if "C" in p:
            h = affine(p["C"], h, None)
        if job.classes:
            return -jnp.sum(Y * jax.nn.log_softmax(h, axis)) / job.N
        return jnp.sum((h - Y) ** 2) / (2 * job.N)

    return loss


class Scan:
    def __init__(self, job, columns, unroll):
        lay = (lambda a: np.ascontiguousarray(a.T)) if columns else np.array
        self.job, self.X, self.Y = job, jnp.array(lay(job.X)), jnp.array(lay(job.Y))
        self.batches, self.at, self.count = [jnp.array(b) for b in job.batches], 0, 0
        self.trained = {name: jnp.array(job.groups[name]) for name in job.trained}
        self.fixed = {name: jnp.array(a) for name, a in job.groups.items() if name not in job.trained}
        self.moments = tuple(jax.tree.map(jnp.zeros_like, self.trained) for _ in range(2 if job.method == "adam" else 0))
        several, differentiate = len(job.batches) > 1, jax.value_and_grad(loss_of(job, columns, unroll))

        def evaluate(trained, fixed, X, Y, batch):
            if several:
                X, Y = (a[:, batch] if columns else a[batch] for a in (X, Y))
            return differentiate(trained, fixed, X, Y)

        def move(trained, moments, fixed, X, Y, batch, count):
            loss, gradient = evaluate(trained, fixed, X, Y, batch)
            if not moments:
                return jax.tree.map(lambda w, g: w - job.eta * g, trained, gradient), moments, loss
            b1, b2 = job.beta1, job.beta2
            m = jax.tree.map(lambda m, g: b1 * m + (1 - b1) * g, moments[0], gradient)
            s = jax.tree.map(lambda s, g: b2 * s + (1 - b2) * g * g, moments[1], gradient)
            c1, c2 = (1 / (1 - b**count) for b in (b1, b2))

            def step(w, m, s):
                c = lambda v: v.astype(w.dtype)
                return w - job.eta * (c(c1) * m) / (jnp.sqrt(c(c2) * s) + job.adam_epsilon)

            return jax.tree.map(step, trained, m, s), (m, s), loss

        self.evaluate, self.move = jax.jit(evaluate), jax.jit(move, donate_argnums=(0, 1))

    def gradient(self):
        _, gradient = self.evaluate(self.trained, self.fixed, self.X, self.Y, self.batches[0])
        return {name: np.asarray(g) for name, g in gradient.items()}

    def step(self):
        self.count += 1
        batch = self.batches[self.at]
        self.at = (self.at + 1) % len(self.batches)
        self.trained, self.moments, loss = self.move(self.trained, self.moments, self.fixed, self.X, self.Y, batch, np.float64(self.count))
        jax.block_until_ready(self.trained)
        return float(loss)


def candidates(kind, job):
    for columns, unroll in product((True, False), (1, 4)):
        label = f"{'(d,N)' if columns else '(N,d)'} states, unroll={unroll}"
        yield label, lambda: Scan(job, columns, unroll)
