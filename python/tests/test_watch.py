import multiprocessing
import os
import time

import numpy as np
import pytest

import deeplimit
from deeplimit._watch import due, pattern_of


class Model:
    """What a module of PyTorch has of interest here."""

    def __init__(self, depth, d=4, seed=0):
        rng = np.random.default_rng(seed)
        self.weights = {f"layers.{k}.weight": rng.normal(size=(d, d)).astype(np.float32) / depth for k in range(depth)}
        self.weights |= {f"layers.{k}.bias": np.zeros(d, np.float32) for k in range(depth)}
        self.weights["head.weight"] = np.zeros((2, d), np.float32)

    def state_dict(self):
        return self.weights

    def update(self, step):
        for name, w in self.weights.items():
            if name.startswith("layers") and w.ndim == 2:
                w += np.float32(1e-3) * np.cos(np.float32(step) + np.arange(w.size, dtype=np.float32)).reshape(w.shape)


def train(out, depth, steps=40, seed=1, fail=None):
    model, kept = Model(depth, seed=seed), {0: None}
    with deeplimit.watch(model, blocks="layers.*", every="geometric", out=out, seed=seed, alpha=0, convention="Ax") as w:
        kept[0] = np.stack([model.weights[f"layers.{k}.weight"] for k in range(depth)])
        for step in range(1, steps + 1):
            model.update(step)
            w.step(loss=1 / step)
            kept[step] = np.stack([model.weights[f"layers.{k}.weight"] for k in range(depth)])
            if step == fail:
                raise RuntimeError("the trainer fails")
    return w, kept


def test_cadence():
    assert [t for t in range(40) if due(t, "geometric")] == [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32]
    assert sum(due(t, "geometric") for t in range(1001)) == 36  # as runs of the program have it
    assert [t for t in range(10) if due(t, 4)] == [0, 4, 8]


def test_watch(tmp_path):
    """The run folder has what the weights say, at every step that is due and the last one."""
    w, kept = train(tmp_path / "mine", 6)
    study = w.study
    (id,) = study.runs.index
    rows = study.iterations.set_index("iteration")
    assert rows.index.tolist() == [t for t in range(41) if due(t, "geometric") or t == 40]
    for step, row in rows.iterrows():
        a = kept[step].astype(float)
        norms = np.linalg.norm(a, axis=(1, 2))
        assert row["max_frobenius"] == pytest.approx(norms.max(), rel=1e-12)
        moved = np.linalg.norm(a - kept[0].astype(float), axis=(1, 2)).max()
        assert row["displacement"] == pytest.approx(moved, rel=1e-12, abs=0)
        assert row["v_2"] == pytest.approx(float(deeplimit.pvar(6 * a, 2)), rel=1e-12)
        if 0 < step < 40:
            assert row["batch_loss"] == 1 / step
    heat = study.norms(id)
    np.testing.assert_allclose(heat["A"][-1], np.linalg.norm(kept[40].astype(float), axis=(1, 2)), rtol=1e-6)
    np.testing.assert_array_equal(np.asarray(study.weights(id, rescaled=False)), kept[40].astype(float))
    np.testing.assert_array_equal(np.asarray(study.weights(id, rescaled=False, part="A_initial")), kept[0].astype(float))


def test_depths_are_one_study(tmp_path):
    for depth in (8, 16, 32):
        for seed in (1, 2):
            w, _ = train(tmp_path / "mine", depth, steps=4, seed=seed)
    study = w.study
    assert study.runs["depth"].tolist() == [8, 8, 16, 16, 32, 32]
    assert len(study.groups) == 1
    exponent = study.exponents.set_index("quantity").loc["max_frobenius"]
    assert exponent["estimate"] == pytest.approx(-1, abs=0.3)
    assert exponent["runs"] == 6
    again = deeplimit.recorded(tmp_path / "mine")
    assert again.runs["v_2"].tolist() == study.runs["v_2"].tolist()


def test_error_of_the_trainer(tmp_path):
    with pytest.raises(RuntimeError, match="the trainer fails"):
        train(tmp_path / "mine", 5, fail=9)
    assert deeplimit.load(tmp_path / "mine").iterations["iteration"].iloc[-1] == 9


def killed(out):
    model = Model(4)
    with deeplimit.watch(model, out=out, convention="Ax") as w:
        for step in range(1, 100):
            model.update(step)
            w.step()
            time.sleep(0.005)
            if step == 50:
                os.kill(os.getpid(), 9)


def test_killed_trainer(tmp_path):
    process = multiprocessing.get_context("spawn").Process(target=killed, args=(str(tmp_path / "mine"),))
    process.start()
    process.join(60)
    assert process.exitcode == -9
    steps = deeplimit.recorded(tmp_path / "mine").iterations["iteration"].tolist()
    assert steps[:9] == list(range(9))
    assert steps[-1] in (40, 48)


def test_record(tmp_path):
    params = {"blocks": {"w": np.zeros((5, 3, 3))}}
    for step in range(11):
        params["blocks"]["w"] = params["blocks"]["w"] + 0.1 * np.eye(3)
        deeplimit.record(
            params, step, blocks="blocks.w", out=tmp_path / "jax", full_loss=2.0**-step, convention="Ax", alpha=0
        )
    study = deeplimit.recorded(tmp_path / "jax")
    assert study.runs["depth"].tolist() == [5]
    assert study.iterations["loss"].tolist() == [2.0**-t for t in (*range(9), 10)]
    assert study.runs["rho"].iloc[0] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("blocks", "text"),
    [
        ("layers", "want a name with *"),
        ("none.*", "which no matrix has"),
        ("*.*", "want one *"),
        ("b.*", "want one of 'b.*.v', 'b.*.w'"),
    ],
)
def test_refuses_blocks(blocks, text):
    names = {"b.0.v": 2, "b.0.w": 2, "b.1.v": 2, "b.1.w": 2, "b.0.bias": 1}
    with pytest.raises(deeplimit.Error) as error:
        pattern_of(blocks, list(names), names)
    assert text in str(error.value)


def test_blocks():
    names = {"b.0.v": 2, "b.0.w": 2, "b.0.bias": 1, "c.0.w": 4, "all": 3}
    assert pattern_of("b.*.w", list(names), names) == "b.{k}.w"
    assert pattern_of("c.*", list(names), names) == "c.{k}.w"
    assert pattern_of("all", list(names), names) == "all"


def test_refuses(tmp_path):
    train(tmp_path / "mine", 4, steps=2)
    with pytest.raises(deeplimit.Error, match="there is a recording"):
        train(tmp_path / "mine", 4, steps=2)
    for step in (0, 2):
        deeplimit.record(Model(3).weights, step, out=tmp_path / "x")
    with pytest.raises(deeplimit.Error, match="want steps that increase"):
        deeplimit.record(Model(3).weights, 1, out=tmp_path / "x")
    with pytest.raises(deeplimit.Error, match='want "geometric"'):
        deeplimit.watch(Model(3), every=0)
    with pytest.raises(deeplimit.Error, match="got no recording"):
        deeplimit.recorded(tmp_path)


def test_full_disk(tmp_path, monkeypatch):
    from deeplimit import _watch

    def full(*_):
        raise OSError("no space left")

    monkeypatch.setattr(_watch, "write", full)
    with pytest.raises(deeplimit.Error, match="no space left"):
        train(tmp_path / "mine", 4)
