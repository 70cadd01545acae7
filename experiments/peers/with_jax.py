"""JAX: a scan over layers under jit, with automatic differentiation and with the
backward scan by hand."""

from itertools import product

import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)  # float32 arrays stay float32

VERSIONS = {"jax": jax.__version__, "jaxlib": jax.lib.__version__}


def automatic(problem, columns, unroll):
    """(A, X, Y) ↦ J, ∇J with states (d,N) for columns, else (N,d)."""
    delta, samples = problem.delta, problem.N

    def layer(h, a):
        z = a @ h if columns else h @ a.T
        return h + delta * jnp.tanh(z), None

    def loss(A, X, Y):
        last, _ = jax.lax.scan(layer, X, A, unroll=unroll)
        return jnp.sum((last - Y) ** 2) / (2 * samples)

    return jax.value_and_grad(loss)


def by_hand(problem, columns, unroll):
    """The same, keeping h and tanh of every layer and scanning back over them."""
    delta, samples = problem.delta, problem.N

    def layer(h, a):
        t = jnp.tanh(a @ h if columns else h @ a.T)
        return h + delta * t, (h, t)

    def back(p, kept):
        a, h, t = kept
        e = (1 - t * t) * p * delta
        if columns:
            return p + a.T @ e, e @ h.T
        return p + e @ a, e.T @ h

    def value_and_grad(A, X, Y):
        last, (states, values) = jax.lax.scan(layer, X, A, unroll=unroll)
        residual = last - Y
        _, gradient = jax.lax.scan(back, residual / samples, (A, states, values), reverse=True, unroll=unroll)
        return jnp.sum(residual**2) / (2 * samples), gradient

    return value_and_grad


class Scan:
    def __init__(self, problem, columns, value_and_grad):
        eta = problem.eta
        lay = (lambda a: np.ascontiguousarray(a.T)) if columns else np.array
        self.A, self.X, self.Y = (jnp.array(a) for a in (problem.A, lay(problem.X), lay(problem.Y)))
        self.value_and_grad = jax.jit(value_and_grad)

        def move(A, X, Y):
            loss, gradient = value_and_grad(A, X, Y)
            return A - eta * gradient, loss

        self.move = jax.jit(move, donate_argnums=0)

    def gradient(self):
        return np.asarray(self.value_and_grad(self.A, self.X, self.Y)[1])

    def step(self):
        self.A, loss = self.move(self.A, self.X, self.Y)
        self.A.block_until_ready()
        return float(loss)


def candidates(kind, problem):
    differentiate = {"autodiff": automatic, "hand": by_hand}[kind]
    for columns, unroll in product((True, False), (1, 4)):
        label = f"{'(d,N)' if columns else '(N,d)'} states, unroll={unroll}"
        yield label, lambda: Scan(problem, columns, differentiate(problem, columns, unroll))
