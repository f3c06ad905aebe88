"""Writes optimizers.csv: trajectories of PyTorch's optimizers, which tests/optim.rs compares with.

Run by hand, with PyTorch installed: python tests/pytorch/optimizers.py
"""

import csv
import pathlib

import torch

STEPS = 12
START = [1.0, -0.5, 2.0]

SETTINGS = {
    "sgd": (torch.optim.SGD, dict(lr=0.1)),
    "sgd weight_decay": (torch.optim.SGD, dict(lr=0.1, weight_decay=0.05)),
    "sgd maximize": (torch.optim.SGD, dict(lr=0.1, weight_decay=0.05, maximize=True)),
    "momentum": (torch.optim.SGD, dict(lr=0.1, momentum=0.9)),
    "momentum 0.7": (torch.optim.SGD, dict(lr=0.1, momentum=0.7)),
    "momentum dampening": (torch.optim.SGD, dict(lr=0.1, momentum=0.9, dampening=0.3)),
    "momentum 0 dampening": (torch.optim.SGD, dict(lr=0.1, momentum=0.0, dampening=0.3)),
    "momentum nesterov": (torch.optim.SGD, dict(lr=0.1, momentum=0.9, nesterov=True)),
    "momentum weight_decay": (torch.optim.SGD, dict(lr=0.1, momentum=0.9, weight_decay=0.05)),
    "momentum maximize": (torch.optim.SGD, dict(lr=0.1, momentum=0.9, maximize=True)),
    "rmsprop": (torch.optim.RMSprop, dict(lr=0.01)),
    "rmsprop alpha": (torch.optim.RMSprop, dict(lr=0.02, alpha=0.8)),
    "rmsprop eps": (torch.optim.RMSprop, dict(lr=0.02, eps=0.1)),
    "rmsprop momentum": (torch.optim.RMSprop, dict(lr=0.01, momentum=0.9)),
    "rmsprop centered": (torch.optim.RMSprop, dict(lr=0.01, centered=True)),
    "rmsprop centered momentum weight_decay": (
        torch.optim.RMSprop,
        dict(lr=0.01, centered=True, momentum=0.9, weight_decay=0.05),
    ),
    "rmsprop maximize": (torch.optim.RMSprop, dict(lr=0.01, maximize=True)),
    "adam": (torch.optim.Adam, dict(lr=0.1)),
    "adam betas": (torch.optim.Adam, dict(lr=0.1, betas=(0.7, 0.9))),
    "adam eps": (torch.optim.Adam, dict(lr=0.1, eps=0.1)),
    "adam weight_decay": (torch.optim.Adam, dict(lr=0.1, weight_decay=0.05)),
    "adam amsgrad": (torch.optim.Adam, dict(lr=0.1, betas=(0.7, 0.5), amsgrad=True)),
    "adam maximize": (torch.optim.Adam, dict(lr=0.1, maximize=True)),
    "adamw": (torch.optim.AdamW, dict(lr=0.1, weight_decay=0.01)),
    "adamw amsgrad": (
        torch.optim.AdamW,
        dict(lr=0.1, weight_decay=0.2, betas=(0.7, 0.5), amsgrad=True),
    ),
}


def gradient(step, i, p):
    """Alternates in sign and grows, and depends on the parameter, so that an error grows too."""
    return 0.1 * (step + 1) * (-1) ** (step * (i + 1)) + 0.3 * p


path = pathlib.Path(__file__).with_suffix(".csv")
with path.open("w", newline="") as file:
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(["setting", "step", "p0", "p1", "p2"])
    for setting, (optimizer, arguments) in SETTINGS.items():
        parameters = [torch.tensor(p, dtype=torch.float64, requires_grad=True) for p in START]
        optim = optimizer(parameters, foreach=False, **arguments)
        for step in range(STEPS):
            for i, p in enumerate(parameters):
                p.grad = torch.tensor(gradient(step, i, p.item()), dtype=torch.float64)
            optim.step()
            rows.writerow([setting, step, *(repr(p.item()) for p in parameters)])

print(f"{path.name}: {len(SETTINGS)} settings, PyTorch {torch.__version__}")
