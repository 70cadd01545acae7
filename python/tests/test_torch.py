"""Recording a training of PyTorch: its hooks, and what they cost."""

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


def test_cost(tmp_path):
    """Recording costs below 3 % of the steps of a transformer of 12 layers at the default cadence."""
    torch.manual_seed(0)
    d, steps = 64, 60
    model = torch.nn.Module()
    model.blocks = torch.nn.ModuleList(Block(d) for _ in range(12))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    x = torch.randn(8, 32, d)
    began = time.perf_counter()
    with deeplimit.watch(model, "blocks.*.down.weight", out=tmp_path / "mine", alpha=0) as w:
        for _ in range(steps):
            optimizer.zero_grad()
            h = x
            for block in model.blocks:
                h = block(h)
            loss = ((h - x.flip(1)) ** 2).mean()
            loss.backward()
            optimizer.step()
            w.step(loss)
        spent = w.seconds / (time.perf_counter() - began)
    print(f"recording: {100 * spent:.2f} % of {steps} steps")
    assert spent < 0.03
