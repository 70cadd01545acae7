"""Makes the checkpoints of this folder with PyTorch, and expected.json with NumPy.

    python make_checkpoint.py [FOLDER]

needs torch, numpy and safetensors. The numbers in expected.json are computed here from
the definitions, with nothing of the project: norms by numpy.linalg, p-variation by the
quadratic dynamic programme over all partitions.
"""

import json
import pathlib
import sys

import numpy as np
import torch
from safetensors.torch import save_file

FOLDER = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
WIDTH, HIDDEN, STEPS = 4, 6, 60


class Residual(torch.nn.Module):
    """h + L^-1/2 tanh(A h + b), L layers: names layers.0.weight …"""

    def __init__(self, depth):
        super().__init__()
        self.layers = torch.nn.ModuleList(torch.nn.Linear(WIDTH, WIDTH) for _ in range(depth))

    def forward(self, h):
        for layer in self.layers:
            h = h + len(self.layers) ** -0.5 * torch.tanh(layer(h))
        return h


class Conv1D(torch.nn.Module):
    """x @ weight + bias, as GPT-2 stores its maps: weight is (inputs, outputs)."""

    def __init__(self, outputs, inputs):
        super().__init__()
        self.weight = torch.nn.Parameter(0.2 * torch.randn(inputs, outputs))
        self.bias = torch.nn.Parameter(torch.zeros(outputs))

    def forward(self, x):
        return x @ self.weight + self.bias


class Transformer(torch.nn.Module):
    """The perceptrons of GPT-2 under its names: transformer.h.0.mlp.c_fc.weight …"""

    def __init__(self, depth):
        super().__init__()
        blocks = []
        for _ in range(depth):
            mlp = torch.nn.ModuleDict({"c_fc": Conv1D(HIDDEN, WIDTH), "c_proj": Conv1D(WIDTH, HIDDEN)})
            blocks.append(torch.nn.ModuleDict({"mlp": mlp, "ln": torch.nn.LayerNorm(WIDTH)}))
        self.transformer = torch.nn.ModuleDict({"wte": torch.nn.Embedding(5, WIDTH), "h": torch.nn.ModuleList(blocks)})

    def forward(self, h):
        for block in self.transformer["h"]:
            h = h + block["mlp"]["c_proj"](torch.nn.functional.gelu(block["mlp"]["c_fc"](block["ln"](h))))
        return h


def train(model):
    """A few steps of gradient descent, so that these are trained weights."""
    x = torch.randn(16, WIDTH)
    y = torch.roll(x, 1, dims=1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    for _ in range(STEPS):
        optimizer.zero_grad()
        ((model(x) - y) ** 2).mean().backward()
        optimizer.step()
    return optimizer


def stacked(state, pattern, depth):
    """float64 array (L, rows, columns) of one tensor a layer."""
    return np.stack([state[pattern.format(k=k)].detach().to(torch.float64).numpy() for k in range(depth)])


def variation(path, p):
    """V_p by V(j) = max over i < j of V(i) + |x_j - x_i|^p."""
    best = np.zeros(len(path))
    for j in range(1, len(path)):
        best[j] = max(best[i] + np.linalg.norm(path[j] - path[i]) ** p for i in range(j))
    return float(best[-1])


def numbers(path, beta):
    rescaled = len(path) ** beta * path
    return {
        "shape": list(path.shape),
        "sum": float(path.sum()),
        "first_row": path[0, 0].tolist(),
        "max_frobenius": max(float(np.linalg.norm(a)) for a in path),
        "root_sum_squares": float(np.linalg.norm(path)),
        "max_increment": max(float(np.linalg.norm(d)) for d in np.diff(path, axis=0)),
        "quadratic_variation": float(np.sum(np.diff(rescaled, axis=0) ** 2)),
        "p_variation": {str(p): variation(rescaled, p) for p in (1, 2, 3)},
    }


def main():
    expected = {}
    for depth in (4, 8, 16):
        torch.manual_seed(depth)
        model = Residual(depth)
        initial = {k: v.clone() for k, v in model.state_dict().items()}
        train(model)
        save_file(model.state_dict(), FOLDER / f"residual-{depth}.safetensors")
        save_file(initial, FOLDER / f"initial-{depth}.safetensors")
        path = stacked(model.state_dict(), "layers.{k}.weight", depth)
        start = stacked(initial, "layers.{k}.weight", depth)
        expected[f"residual-{depth}"] = numbers(path, 0.5) | {
            "displacement": max(float(np.linalg.norm(d)) for d in path - start),
            "displacement_variation": variation(depth**0.5 * (path - start), 1),
        }
        if depth == 8:
            np.savez(FOLDER / "residual-8.npz", **{k: v.numpy() for k, v in model.state_dict().items()})
            for name, dtype in (("half", torch.float16), ("bfloat16", torch.bfloat16)):
                state = {k: v.to(dtype) for k, v in model.state_dict().items()}
                save_file(state, FOLDER / f"residual-8-{name}.safetensors")
                expected[f"residual-8-{name}"] = numbers(stacked(state, "layers.{k}.weight", depth), 0.5)
            halves = {k: v.to(torch.float16).numpy() for k, v in model.state_dict().items()}
            np.savez_compressed(FOLDER / "residual-8-half.npz", **halves)

    torch.manual_seed(0)
    model = Transformer(6)
    optimizer = train(model)
    # A training checkpoint as people keep it: the network is one entry among others.
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3}, FOLDER / "gpt2.pt")
    h = "transformer.h.{k}.mlp."
    # The path is that of A·x, so what is stored for x @ weight is transposed.
    v = stacked(model.state_dict(), h + "c_proj.weight", 6).transpose(0, 2, 1)
    w = stacked(model.state_dict(), h + "c_fc.weight", 6).transpose(0, 2, 1)
    expected["gpt2"] = {"V": numbers(v, 0.25), "W": numbers(w, 0.25)}

    # Views: a transposed one, one with an offset, and a tensor that repeats its entries.
    base = torch.arange(24, dtype=torch.float64).reshape(2, 3, 4)
    views = {"a.0": base[1].t(), "a.1": base[0, :, 1:].expand(4, 3, 3)[:, 0], "count": torch.tensor(7)}
    torch.save(views, FOLDER / "views.pt")
    expected["views"] = {k: {"shape": list(v.shape), "data": v.reshape(-1).tolist()} for k, v in views.items() if k != "count"}

    (FOLDER / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
