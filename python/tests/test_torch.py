"""Recording a training of PyTorch: its hooks, and what they cost."""

import resource
import time

import numpy as np
import pytest

import deeplimit

torch = pytest.importorskip("torch", reason="PyTorch is not installed: recording it is not tested here (make test-torch)")


class Residual(torch.nn.Module):
    def __init__(self, depth, d=8):
        super().__init__()
        self.layers = torch.nn.ModuleList(torch.nn.Linear(d, d, bias=False) for _ in range(depth))

    def forward(self, h):
        for layer in self.layers:
            h = h + torch.tanh(layer(h)) / len(self.layers)
        return h


def test_analyze_module():
    torch.manual_seed(0)
    model = Residual(6).double()
    study = deeplimit.analyze(model, "layers.{k}.weight", alpha=1)
    want = np.stack([layer.weight.detach().numpy() for layer in model.layers])
    np.testing.assert_array_equal(np.asarray(study.weights(study.runs.index[0], rescaled=False)), want)
    half = deeplimit.analyze(model.to(torch.bfloat16), "layers.{k}.weight")
    got = np.asarray(half.weights(half.runs.index[0], rescaled=False))
    np.testing.assert_array_equal(got, np.stack([layer.weight.detach().float().numpy() for layer in model.layers]))


def test_pvar_of_tensor():
    path = torch.tensor([0.0, 1.0, 3.0, 2.0, 2.5, 0.0], requires_grad=True)
    assert deeplimit.pvar(path, 2) == 18


def test_watch(tmp_path):
    for depth in (4, 8, 16):
        torch.manual_seed(depth)
        model = Residual(depth)
        x, y = torch.randn(16, 8), torch.randn(16, 8)
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
        with deeplimit.watch(model, blocks="layers.*", out=tmp_path / "mine", alpha=1) as w:
            for _ in range(20):
                optimizer.zero_grad()
                loss = ((model(x) - y) ** 2).mean()
                loss.backward()
                optimizer.step()
                w.step(loss)
    study = w.study
    assert study.runs["depth"].tolist() == [4, 8, 16]
    last = np.stack([layer.weight.detach().numpy() for layer in model.layers]).astype(float)
    np.testing.assert_array_equal(np.asarray(study.weights(study.runs.index[-1], rescaled=False)), last)
    rows = study.iterations
    assert rows["batch_loss"].notna().sum() == len(rows) - 3  # not before the first step
    assert (rows["displacement"] > 0).sum() == len(rows) - 3


class Block(torch.nn.Module):
    def __init__(self, d):
        super().__init__()
        self.attention = torch.nn.MultiheadAttention(d, 4, batch_first=True)
        self.up, self.down = torch.nn.Linear(d, 4 * d), torch.nn.Linear(4 * d, d)

    def forward(self, h):
        h = h + self.attention(h, h, h, need_weights=False)[0]
        return h + self.down(torch.relu(self.up(h)))


class Transformer(torch.nn.Module):
    def __init__(self, depth, d):
        super().__init__()
        self.blocks = torch.nn.ModuleList(Block(d) for _ in range(depth))
        self.noise = torch.nn.Dropout(0.1)

    def forward(self, h):
        for block in self.blocks:
            h = block(h)
        return self.noise(h)

    def states(self, h):
        out = [h]
        for block in self.blocks:
            out.append(block(out[-1]))
        return torch.stack(out)


def test_probe(tmp_path):
    """Hooks read the hidden states of a probe: last_state and block_change by their definitions, and nothing is changed."""
    torch.manual_seed(0)
    model, x = Transformer(3, 8).double(), torch.randn(4, 5, 8).double()
    model.blocks[1].eval()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with torch.no_grad():
        first = model.states(x)
    out, flags = tmp_path / "mine", {"alpha": 0, "inner_pattern": "blocks.{k}.up.weight"}
    with deeplimit.watch(model, "blocks.*.down.weight", out=out, probe=x, **flags) as w:
        generator = torch.random.get_rng_state()
        w.record(0, force=True)
        w._hidden()
        assert torch.equal(generator, torch.random.get_rng_state())
        assert [m.training for m in (model, model.blocks[0], model.blocks[1], model.noise)] == [True, True, False, True]
        assert not any(block._forward_hooks or block._forward_pre_hooks for block in model.blocks)
        for _ in range(3):
            optimizer.zero_grad()
            loss = (model(x) ** 2).mean()
            loss.backward()
            optimizer.step()
            w.step(loss)
    with torch.no_grad():
        now = model.states(x)
    last = w.study.iterations.iloc[-1]
    assert last["last_state"] == pytest.approx(float((now[-1] - first[-1]).norm() / first[-1].norm()), rel=1e-9)
    added = (now.diff(dim=0) - first.diff(dim=0)).flatten(1).norm(dim=1) / first[:-1].flatten(1).norm(dim=1)
    assert last["block_change"] == pytest.approx(3 * float((added**2).mean().sqrt()), rel=1e-9)
    assert last["update_norm"] > 0
    assert last["update_norm_w"] > 0


def test_probe_refuses(tmp_path):
    """Modules that give no hidden states are not taken for such."""
    for model, text in (
        (Residual(3), "got something else behind layers.0 than the next block takes"),
        (Model(), "no modules"),
    ):
        with (
            pytest.raises(deeplimit.Error, match=text),
            deeplimit.watch(model, "layers.*", out=tmp_path / "x", alpha=0, convention="Ax", probe=torch.randn(2, 8)),
        ):
            pass
    with pytest.raises(deeplimit.Error, match="want one of them"):
        deeplimit.watch(Residual(3), probe=torch.ones(1, 8), states=lambda: None)


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.ParameterList(torch.nn.Parameter(torch.eye(8) * k) for k in range(3))


def test_cost(tmp_path):
    """Recording costs below 3 % of the steps of a transformer of 12 layers at the default cadence, with hidden states."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    d, steps = 64, 100
    model, x = Transformer(12, d), torch.randn(8, 32, d)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

    # Processor time of the trainer's thread, which other work on the machine does not change; what it waits is only printed.
    out, spent, waited = tmp_path / "mine", 0.0, 0.0
    with deeplimit.watch(model, "blocks.*.down.weight", out=out, alpha=0, probe=x[:1]) as w:
        first, began = w.seconds, time.thread_time()
        for _ in range(steps):
            optimizer.zero_grad()
            loss = ((model(x) - x.flip(1)) ** 2).mean()
            loss.backward()
            optimizer.step()
            before = time.thread_time()
            w.step(loss)
            spent += time.thread_time() - before
        total, waited = time.thread_time() - began, w.seconds - first - spent
        w._recorder.finish()
        shown = resource.getrusage(resource.RUSAGE_CHILDREN)
    records = len(w.study.iterations) - 1
    print(
        f"recording: {100 * spent / total:.2f} % of {steps} steps, {1e3 * spent / records:.1f} ms a record of {records} and "
        f"{1e3 * waited / records:.1f} ms it waits, {1e3 * total / steps:.0f} ms a step, {first:.2f} s before the first; "
        f"the process beside: {100 * (shown.ru_utime + shown.ru_stime) / total:.2f} % of that time"
    )
    assert spent / total < 0.03
