"""Holds methods.json to torch.optim, in float64: prints the largest difference of each case over 50 steps, and fails above 1e-12.

    python methods_torch.py methods.json

torch.optim has no lion and no sign (which is SGD along the sign of the gradient here); its Muon rounds to bfloat16, so muon
is left to methods.py. Decay is decoupled, as it is in AdamW alone: for the others w is multiplied by 1 - eta lambda before the
step. Clipping is by hand, as clip_grad_norm_ adds 1e-6 to the norm.
"""

import json
import sys

import torch


def optimiser(case, w):
    name, eta = case["method"], case["eta"]
    momentum = case.get("momentum", 0.9)
    adam = {
        "lr": eta, "betas": (case.get("beta1", 0.9), case.get("beta2", 0.999)), "eps": case.get("epsilon", 1e-8),
        "weight_decay": case.get("weight_decay", 0),
    }
    return {
        "gd": lambda: torch.optim.SGD([w], lr=eta),
        "sgd": lambda: torch.optim.SGD([w], lr=eta),
        "sign": lambda: torch.optim.SGD([w], lr=eta),
        "momentum": lambda: torch.optim.SGD([w], lr=eta, momentum=momentum),
        "nesterov": lambda: torch.optim.SGD([w], lr=eta, momentum=momentum, nesterov=True),
        "adam": lambda: torch.optim.AdamW([w], **adam) if adam["weight_decay"] else torch.optim.Adam([w], **adam),
        "adamw": lambda: torch.optim.AdamW([w], **adam),
    }.get(name, lambda: None)()


def worst(case, start, slope, shift):
    w = start.clone().requires_grad_()
    method, difference = optimiser(case, w), 0.0
    if method is None:
        return None
    for t in range(1, 51):
        with torch.no_grad():
            g = slope * (w - shift) + torch.roll(w, 1) * w / 10
            norm = g.norm()
            if case.get("clip") and norm > case["clip"]:
                g = g * (case["clip"] / norm)
            if case["method"] == "sign":
                g = g.sign()
            if "adam" not in case["method"]:
                w.mul_(1 - case["eta"] * case.get("weight_decay", 0))
        w.grad = g
        method.step()
        if str(t) in case["after"]:
            difference = max(difference, (w.detach() - torch.tensor(case["after"][str(t)], dtype=torch.float64)).abs().max().item())
    return difference


def main():
    with open(sys.argv[1]) as file:
        made = json.load(file)
    start, slope, shift = (torch.tensor(made[key], dtype=torch.float64) for key in ("start", "slope", "shift"))
    print("torch", torch.__version__)
    failed = False
    for case in made["cases"]:
        difference = worst(case, start, slope, shift)
        options = " ".join(f"{key}={value}" for key, value in case.items() if key not in ("method", "after"))
        print(f"{case['method']:9} {options:60}", "not in torch.optim" if difference is None else f"{difference:.1e}")
        failed = failed or difference is not None and not difference <= 1e-12
    sys.exit(failed)


main()
