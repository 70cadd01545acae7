import json
import math
import multiprocessing
import os
import subprocess
import time
import urllib.request

import numpy as np
import pytest

import deeplimit
from deeplimit._program import program
from deeplimit._recorder import due, pattern_of


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


def test_depths_without_alpha(tmp_path):
    """A recording without alpha has the weights as they are, and the comparison of depths says so."""
    for depth in (2, 4):
        deeplimit.record(Model(depth).weights, 0, out=tmp_path / "mine", convention="Ax", seed=depth)
    with pytest.warns(UserWarning, match="got no alpha, want alpha=0"):
        study = deeplimit.recorded(tmp_path / "mine")
    want = np.stack([Model(4).weights[f"layers.{k}.weight"] for k in range(4)])
    np.testing.assert_array_equal(np.asarray(study.weights(study.runs.index[-1])), want)


def test_error_of_the_trainer(tmp_path):
    with pytest.raises(RuntimeError, match="the trainer fails"):
        train(tmp_path / "mine", 5, fail=9)
    assert deeplimit.load(tmp_path / "mine").iterations["iteration"].iloc[-1] == 9


def status(out):
    """Return how the runs stand, by state."""
    text = subprocess.run([program(), "status", str(out), "--json"], capture_output=True, text=True).stdout
    (study,) = json.loads(text)
    return study["runs"]


def killed(out):
    model = Model(4)
    with deeplimit.watch(model, out=out, convention="Ax") as w:
        for step in range(1, 100):
            model.update(step)
            w.step(loss=1.0)
            time.sleep(0.005)
            if step == 50:
                os.kill(os.getpid(), 9)


def test_killed_trainer(tmp_path):
    """Status says that the trainer crashed, and what it recorded becomes a run."""
    out = tmp_path / "mine"
    process = multiprocessing.get_context("spawn").Process(target=killed, args=(str(out),))
    process.start()
    process.join(60)
    assert process.exitcode == -9
    deadline = time.time() + 30
    while status(out)[0]["state"] == "running" and time.time() < deadline:
        time.sleep(0.05)
    (run,) = status(out)
    assert run["state"] == "failed"
    assert "the trainer ended without a word after step" in run["reason"]
    assert run["loss"] == 1.0
    steps = deeplimit.recorded(out).iterations["iteration"].tolist()
    assert steps[:9] == list(range(9))
    assert steps[-1] in (40, 48)
    assert [r["state"] for r in status(out)] == ["done"]


def test_live(tmp_path):
    """A training that goes on is a run at work, with its trace; others in its folder are compared meanwhile."""
    out = tmp_path / "mine"
    train(out, 4, steps=3)
    model = Model(8)
    with deeplimit.watch(model, out=out, convention="Ax", alpha=0) as w:
        for step in range(1, 6):
            model.update(step)
            w.step(loss=1 / step, accuracy=0.5)
        deadline = time.time() + 30
        while (now := status(out))[-1]["iteration"] < 5 and time.time() < deadline:
            time.sleep(0.05)
        assert [(r["depth"], r["state"]) for r in now] == [(4, "done"), (8, "running")]
        (live,) = [p for p in out.glob("runs/*/live.jsonl")]
        rows = [json.loads(line) for line in live.read_text().splitlines()]
        other = deeplimit.recorded(out)  # as another process may call it: this training is left alone
        assert other.runs["depth"].tolist() == [4]
        assert status(out)[-1]["state"] == "running"
    assert [r["state"] for r in status(out)] == ["done", "done"]
    trace = w.study.iterations.query("depth == 8")
    assert [r["iteration"] for r in rows] == trace["iteration"].tolist()
    for column in ("batch_loss", "accuracy", "max_frobenius", "displacement", "v_2", "update_norm"):
        assert [r.get(column, math.nan) for r in rows] == pytest.approx(trace[column].tolist(), nan_ok=True, rel=0), column


def test_served(tmp_path):
    """The page of ``deeplimit serve`` has a recording while it goes on, with every step so far, and after its end."""
    out = tmp_path / "mine"
    server = subprocess.Popen(
        [program(), "serve", str(tmp_path), "--addr", "127.0.0.1:0", "--no-token"], stdout=subprocess.PIPE, text=True
    )

    def ask(path):
        with urllib.request.urlopen(f"{address}api/studies{path}", timeout=30) as answer:
            return json.load(answer)

    def until(find, wanted):
        deadline = time.time() + 30
        while (found := find()) != wanted and time.time() < deadline:
            time.sleep(0.05)
        assert found == wanted

    try:
        address = server.stdout.readline().strip()
        model = Model(6)
        with deeplimit.watch(model, out=out, convention="Ax", alpha=0) as w:
            for step in range(1, 6):
                model.update(step)
                w.step(loss=1 / step)
            until(lambda: [(r["state"], r["depth"], r["iteration"]) for r in ask("/mine/runs")["runs"]], [("running", 6, 5)])
            (id,) = [r["id"] for r in ask("/mine/runs")["runs"]]
            until(lambda: ask(f"/mine/runs/{id}/trace")["iterations"], list(range(6)))
            assert ask(f"/mine/runs/{id}/trace")["columns"]["batch_loss"][1:] == pytest.approx(
                [1 / step for step in range(1, 6)], rel=1e-5
            )
        until(lambda: [(r["state"], r["iteration"]) for r in ask("/mine/runs")["runs"]], [("done", 5)])
    finally:
        server.terminate()
        server.wait()


def test_updates_and_states(tmp_path):
    """The columns of updates and of hidden states are those of their definitions."""
    depth, model, kept = 5, Model(5), []

    def states():
        h = [np.ones((3, 4))]
        for k in range(depth):
            h.append(h[-1] + np.tanh(h[-1] @ model.weights[f"layers.{k}.weight"].T) / depth)
        return np.stack(h)

    with deeplimit.watch(model, out=tmp_path / "mine", convention="Ax", alpha=0.25, states=states) as w:
        for step in range(7):
            kept.append((states(), np.stack([model.weights[f"layers.{k}.weight"] for k in range(depth)]).astype(float)))
            if step < 6:
                model.update(step + 1)
                w.step()
    (first, a), rows = kept[0], w.study.iterations
    for (now, b), (_, row) in zip(kept, rows.iterrows(), strict=True):
        norm = np.mean([depth**0.75 * np.linalg.norm(m, 2) for m in b - a])
        assert row["update_norm"] == pytest.approx(norm, rel=1e-6)
        last = np.linalg.norm(now[-1] - first[-1]) / np.linalg.norm(first[-1])
        assert row["last_state"] == pytest.approx(last, rel=1e-9)
        added = np.diff(now, axis=0) - np.diff(first, axis=0)
        ratios = np.linalg.norm(added, axis=(1, 2)) / np.linalg.norm(first[:-1], axis=(1, 2))
        assert row["block_change"] == pytest.approx(depth * np.sqrt(np.mean(ratios**2)), rel=1e-9)


def test_two_maps(tmp_path):
    """Blocks of two maps are V and W, each with its updates."""
    model = Model(4)
    model.weights |= {f"layers.{k}.up": np.full((6, 4), 1.0 + k) for k in range(4)}
    model.weights |= {f"layers.{k}.down": np.full((4, 6), 1.0 + k) for k in range(4)}
    out, flags = tmp_path / "mine", {"inner_pattern": "layers.{k}.up", "convention": "Ax"}
    with deeplimit.watch(model, "layers.*.down", out=out, **flags) as w:
        model.weights["layers.0.up"] += 1
        w.step()
    last = w.study.iterations.iloc[-1]
    assert last["update_norm"] == 0
    assert last["update_norm_w"] == pytest.approx(24**0.5 / 4, rel=1e-6)


def test_question_comes_before_the_training(tmp_path):
    """What can be read in two ways is asked at the first step, and nothing is left of the recording."""
    square = {f"m.{k}": np.eye(3) * k for k in range(4)}
    for _ in range(2):
        with pytest.raises(deeplimit.Error, match="convention"):
            deeplimit.record(square, 0, blocks="m.*", out=tmp_path / "mine")
    deeplimit.record(square, 0, blocks="m.*", out=tmp_path / "mine", convention="Ax")
    assert deeplimit.recorded(tmp_path / "mine").runs["depth"].tolist() == [4]


def test_kernels_of_convolutions(tmp_path):
    """A kernel is the matrix that takes patches to channels, by the axis that counts outputs."""
    kernels = {f"c.{k}.w": np.random.default_rng(k).normal(size=(3, 3, 2, 5)) for k in range(3)}
    with pytest.raises(deeplimit.Error, match="want convention='Ax' where its first axis counts outputs"):
        deeplimit.record(kernels, 0, blocks="c.*", out=tmp_path / "x")
    deeplimit.record(kernels, 0, blocks="c.*", out=tmp_path / "mine", convention="xA")
    study = deeplimit.recorded(tmp_path / "mine")
    want = np.stack([kernels[f"c.{k}.w"].reshape(18, 5).T for k in range(3)])
    np.testing.assert_array_equal(np.asarray(study.weights(study.runs.index[0], rescaled=False)), want)


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
    with pytest.raises(deeplimit.Error, match="got 5 as the first one, want 0"):
        deeplimit.record(Model(3).weights, 5, out=tmp_path / "x")
    for step in (0, 2):
        deeplimit.record(Model(3).weights, step, out=tmp_path / "x")
    with pytest.raises(deeplimit.Error, match="want steps that increase"):
        deeplimit.record(Model(3).weights, 1, out=tmp_path / "x")
    with pytest.raises(deeplimit.Error, match='want "geometric"'):
        deeplimit.watch(Model(3), every=0)
    with pytest.raises(deeplimit.Error, match="got no recording"):
        deeplimit.recorded(tmp_path)


def test_full_disk(tmp_path, monkeypatch):
    from deeplimit import _recorder

    def full(*_):
        raise OSError("no space left")

    monkeypatch.setattr(_recorder, "write", full)
    with pytest.raises(deeplimit.Error, match="no space left"):
        train(tmp_path / "mine", 4)
