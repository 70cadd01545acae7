"""A small transformer that turns a sequence round, at three depths.

    python transformer.py runs/transformer

Blocks of attention and two maps, each behind a layer norm and added without a factor, so alpha is 0.
"""

import sys

import torch
from torch import nn

import deeplimit

TOKENS, LENGTH, WIDTH = 12, 10, 24


class Block(nn.Module):
    """h + attention(norm(h)), then h + down(gelu(up(norm(h))))."""

    def __init__(self, width):
        super().__init__()
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, 4, batch_first=True)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, h):
        x = self.first(h)
        h = h + self.attention(x, x, x, need_weights=False)[0]
        return h + self.down(nn.functional.gelu(self.up(self.second(h))))


class Transformer(nn.Module):
    """Tokens and places, L equal blocks, tokens."""

    def __init__(self, depth):
        super().__init__()
        self.tokens, self.places = nn.Embedding(TOKENS, WIDTH), nn.Parameter(torch.randn(LENGTH, WIDTH) / 2)
        self.blocks = nn.ModuleList(Block(WIDTH) for _ in range(depth))
        self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, TOKENS)

    def forward(self, x):
        h = self.tokens(x) + self.places
        for block in self.blocks:
            h = block(h)
        return self.head(self.norm(h))


def train(out, depth, seed, steps=40):
    """Train a network of one depth, and record it."""
    torch.manual_seed(seed)
    model = Transformer(depth)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    probe = torch.randint(TOKENS, (8, LENGTH), generator=torch.Generator().manual_seed(0))
    with deeplimit.watch(
        model,
        "blocks.*.down.weight",
        out=out,
        seed=seed,
        probe=probe,
        alpha=0,
        inner_pattern="blocks.{k}.up.weight",
    ) as w:
        for _ in range(steps):
            x = torch.randint(TOKENS, (32, LENGTH))
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x).transpose(1, 2), x.flip(1))
            loss.backward()
            optimizer.step()
            w.step(loss)
    return w.study


def main(out, depths=(8, 16, 32), seeds=(1, 2)):
    """Train all depths and return their study."""
    for depth in depths:
        for seed in seeds:
            study = train(out, depth, seed)
    return study


if __name__ == "__main__":
    study = main(*sys.argv[1:])
    print(study.summary())
    print(study.exponents[["part", "quantity", "estimate", "low", "high", "runs"]].dropna().to_string(index=False))
    last = study.iterations.groupby("run").last().groupby("depth")
    print(last[["batch_loss", "update_norm", "update_norm_w", "last_state", "block_change"]].mean().to_string())
