"""Trains a small transformer on a text, and saves a checkpoint now and then: python3 train.py [FOLDER [STEPS]]

12 layers of width 64 with 4 heads learn the next character of a text that every Python has: the modules of its standard library.
A step takes 0.06 s on one core with PyTorch 2.15, up to 1 s with 1.13. Then

    deeplimit import FOLDER --all --steps all --out runs/transformer
    deeplimit report runs/transformer
"""
import glob
import json
import math
import os
import sys
import time

import torch
from torch import nn
from torch.nn import functional

LAYERS, WIDTH, HEADS, CONTEXT, BATCH = 12, 64, 4, 32, 8
SAVED = [0, 25, 50, 100, 200, 400, 800, 1600]


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention_norm, self.mlp_norm = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.q_proj, self.k_proj, self.v_proj, self.o_proj = (nn.Linear(WIDTH, WIDTH, bias=False) for _ in range(4))
        self.up_proj, self.down_proj = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, h):
        n, t, _ = h.shape
        x = self.attention_norm(h)
        q, k, v = (f(x).view(n, t, HEADS, -1).transpose(1, 2) for f in (self.q_proj, self.k_proj, self.v_proj))
        scores = q @ k.transpose(2, 3) / math.sqrt(WIDTH // HEADS)
        later = torch.ones(t, t, dtype=torch.bool).triu(1)
        mixed = scores.masked_fill(later, -math.inf).softmax(-1) @ v
        h = h + self.o_proj(mixed.transpose(1, 2).reshape(n, t, WIDTH))
        return h + self.down_proj(functional.gelu(self.up_proj(self.mlp_norm(h))))


class Transformer(nn.Module):
    def __init__(self, characters):
        super().__init__()
        self.embedding, self.position = nn.Embedding(characters, WIDTH), nn.Embedding(CONTEXT, WIDTH)
        self.layers = nn.ModuleList(Block() for _ in range(LAYERS))
        self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, characters)

    def forward(self, text):
        h = self.embedding(text) + self.position(torch.arange(text.shape[1]))
        for layer in self.layers:
            h = layer(h)
        return self.head(self.norm(h))


def main(folder, steps):
    torch.manual_seed(1)
    torch.set_num_threads(1)
    files = sorted(glob.glob(os.path.dirname(os.__file__) + "/*.py"))
    text = "".join(open(file, encoding="utf-8", errors="replace").read() for file in files)[:1_000_000]
    known = sorted(set(text))
    place = {c: i for i, c in enumerate(known)}
    data = torch.tensor([place[c] for c in text])
    model = Transformer(len(known))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.01)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "config.json"), "w") as file:
        json.dump({"num_attention_heads": HEADS, "num_hidden_layers": LAYERS}, file)
    start, loss = time.time(), None
    for step in range(steps + 1):
        if step in SAVED or step == steps:
            print(f"step {step}, loss {'-' if loss is None else round(loss.item(), 3)}, {time.time() - start:.0f} s", flush=True)
            torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, os.path.join(folder, f"step{step}.pt"))
        at = torch.randint(len(data) - CONTEXT - 1, (BATCH, 1)) + torch.arange(CONTEXT + 1)
        window = data[at]
        loss = functional.cross_entropy(model(window[:, :-1]).flatten(0, 1), window[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


main(sys.argv[1] if len(sys.argv) > 1 else "checkpoints", int(sys.argv[2]) if len(sys.argv) > 2 else 1600)
