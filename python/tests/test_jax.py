"""Recording of JAX, Flax and Equinox, where they are installed."""

import numpy as np
import pytest

import deeplimit
from deeplimit._tensors import named

jax = pytest.importorskip("jax", reason="JAX is not installed: recording it is not tested here")


def loss(layers, x, y):
    h = x
    for w in layers:
        h = h + jax.numpy.tanh(h @ w["kernel"]) / len(layers)
    return jax.numpy.mean((h - y) ** 2)


def test_record(tmp_path):
    """Depths of a training of JAX are compared, and what is recorded is what was trained."""
    step_of = jax.jit(jax.value_and_grad(loss))
    for depth in (4, 8, 16):
        keys = jax.random.split(jax.random.PRNGKey(depth), depth + 2)
        layers = [{"kernel": jax.random.normal(k, (6, 6)) / depth} for k in keys[2:]]
        x, y = jax.random.normal(keys[0], (8, 6)), jax.random.normal(keys[1], (8, 6))
        out, flags = tmp_path / "mine", {"alpha": 1, "convention": "xA"}
        deeplimit.record({"layers": layers}, 0, out=out, full_loss=loss(layers, x, y), **flags)
        for step in range(1, 10):
            _, gradients = step_of(layers, x, y)
            layers = jax.tree_util.tree_map(lambda w, g: w - 0.5 * g, layers, gradients)
            deeplimit.record({"layers": layers}, step, out=out, full_loss=loss(layers, x, y), **flags)
    study = deeplimit.recorded(out)
    assert study.runs["depth"].tolist() == [4, 8, 16]
    assert study.exponents.set_index("quantity").loc["max_frobenius", "runs"] == 3
    got = np.asarray(study.weights(study.runs.index[-1], rescaled=False))
    # The last one that was due: 0 … 8; kernels are (inputs, outputs).
    assert study.iterations["iteration"].max() == 8
    assert got.shape == (16, 6, 6)
    assert study.iterations["loss"].notna().all()


def test_pytrees():
    """Names of the leaves of Equinox and Flax."""
    pytest.importorskip("equinox")
    pytest.importorskip("flax")
    import equinox
    from flax import linen, nnx

    class Net(equinox.Module):
        layers: list

    keys = jax.random.split(jax.random.PRNGKey(0), 2)
    net = Net([equinox.nn.Linear(3, 3, key=k) for k in keys])
    assert set(named(net)) == {f"layers.{k}.{p}" for k in range(2) for p in ("weight", "bias")}
    study = deeplimit.analyze(net, "layers.{k}.weight")
    np.testing.assert_array_equal(
        np.asarray(study.weights(study.runs.index[0], rescaled=False)),
        np.stack([np.asarray(layer.weight, dtype=float) for layer in net.layers]),
    )
    params = linen.Dense(3).init(keys[0], jax.numpy.ones((1, 3)))
    assert set(named(params)) == {"params.kernel", "params.bias"}
    assert set(named(nnx.state(nnx.Linear(3, 3, rngs=nnx.Rngs(0)), nnx.Param))) == {"kernel", "bias"}
