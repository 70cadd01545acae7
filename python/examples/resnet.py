"""A residual network of convolutions with equal blocks, on the images of digits, at three depths.

    python resnet.py runs/resnet [digits.csv.gz]

h_k = h_{k−1} + L^−½ V_k∗relu(W_k∗h_{k−1}), 8 channels of 8×8, kernels of 3×3. What is looked at are the kernels V_k as
the matrices that take patches to channels.
"""

import gzip
import sys

import numpy as np
import torch
from torch import nn

import deeplimit


class Block(nn.Module):
    """L^−½ V∗relu(W∗h), added to h."""

    def __init__(self, channels, factor):
        super().__init__()
        self.inner = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.outer = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.factor = factor

    def forward(self, h):
        return h + self.factor * self.outer(torch.relu(self.inner(h)))


class ResNet(nn.Module):
    """Stem, L equal blocks, classes."""

    def __init__(self, depth, channels=8):
        super().__init__()
        self.stem = nn.Conv2d(1, channels, 3, padding=1)
        self.blocks = nn.ModuleList(Block(channels, depth**-0.5) for _ in range(depth))
        self.head = nn.Linear(64 * channels, 10)

    def forward(self, x):
        h = self.stem(x)
        for block in self.blocks:
            h = block(h)
        return self.head(h.flatten(1))


def digits(path):
    """Return images (n, 1, 8, 8) and classes (n,): those of a table with 64 grey values and a class a row."""
    with gzip.open(path, "rt") as file:
        table = np.loadtxt(file, delimiter=",", dtype=np.float32)
    return torch.tensor(table[:, :64] / 16).reshape(-1, 1, 8, 8), torch.tensor(table[:, 64]).long()


def made(n=1500):
    """Return images of one bright row or column with noise, and which of ten it is."""
    generator = torch.Generator().manual_seed(0)
    classes = torch.randint(10, (n,), generator=generator)
    images = 0.3 * torch.rand(n, 1, 8, 8, generator=generator)
    for image, c in zip(images, classes.tolist()):
        (image[0, c] if c < 5 else image[0, :, c - 5]).add_(0.7)
    return images, classes


def train(out, depth, seed, data, steps=40):
    """Train a network of one depth, and record it."""
    torch.manual_seed(seed)
    images, classes = data
    model = ResNet(depth)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    error = nn.CrossEntropyLoss()
    with deeplimit.watch(model, "blocks.*.outer.weight", out=out, seed=seed, probe=images[:8], alpha=0.5) as w:
        for _ in range(steps):
            chosen = torch.randint(len(images), (64,))
            optimizer.zero_grad()
            loss = error(model(images[chosen]), classes[chosen])
            loss.backward()
            optimizer.step()
            w.step(loss)
    return w.study


def main(out, path=None, depths=(8, 16, 32), seeds=(1, 2)):
    """Train all depths and return their study."""
    data = digits(path) if path else made()
    for depth in depths:
        for seed in seeds:
            study = train(out, depth, seed, data)
    return study


if __name__ == "__main__":
    study = main(*sys.argv[1:])
    print(study.summary())
    print(study.exponents[["part", "quantity", "estimate", "low", "high", "runs"]].dropna().to_string(index=False))
    last = study.iterations.groupby("run").last().groupby("depth")
    print(last[["batch_loss", "update_norm", "last_state", "block_change"]].mean().to_string())
