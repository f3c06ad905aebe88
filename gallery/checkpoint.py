"""Resumes the training of micrograd's checkpoints in PyTorch: compares the next step with
micrograd's, takes some more, and saves checkpoints for micrograd to resume from. See
notes/Interop.md.

    python gallery/checkpoint.py DIR
"""

import pathlib
import sys

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch.nn import functional as F

from digits_net import Net

torch.set_default_dtype(torch.float64)
directory = pathlib.Path(sys.argv[1])

BATCH = 32
STEPS = 20
# As in gallery/examples/checkpoint.rs.
OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1, weight_decay=1e-3),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.001, centered=True, momentum=0.9),
    "adam": lambda p: torch.optim.Adam(p, lr=0.01, amsgrad=True),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.01),
}


def read_batch():
    path = pathlib.Path(__file__).parents[1] / "examples/data/digits.txt"
    rows = [line.split() for line in path.read_text().splitlines()[:BATCH]]
    pixels = [[int(pixel, 17) / 16 for pixel in image] for image, _ in rows]
    return torch.tensor(pixels), torch.tensor([int(digit) for _, digit in rows])


def load(path, net, optimizer):
    """Returns the number of steps that the checkpoint has seen."""
    tensors = load_file(path)
    parameters = dict(net.named_parameters())
    net.load_state_dict({name: tensors[f"model.{name}"] for name in parameters})
    step = tensors["optimizer.step"]
    quantities = {name.split(".")[1] for name in tensors if name.startswith("optimizer.")}
    if isinstance(optimizer, torch.optim.SGD):
        quantities.remove("step")  # which PyTorch's SGD does not keep
    state = {}
    for i, name in enumerate(parameters):
        state[i] = {
            quantity: step.clone() if quantity == "step" else tensors[f"optimizer.{quantity}.{name}"]
            for quantity in quantities
        }
    groups = optimizer.state_dict()["param_groups"]  # the settings are ours
    optimizer.load_state_dict({"state": state, "param_groups": groups})
    return int(step)


def save(path, net, optimizer, steps, note):
    tensors = {f"model.{name}": parameter.detach() for name, parameter in net.named_parameters()}
    tensors["optimizer.step"] = torch.tensor(float(steps))
    for name, parameter in net.named_parameters():
        for quantity, numbers in optimizer.state[parameter].items():
            if quantity != "step":
                tensors[f"optimizer.{quantity}.{name}"] = numbers
    save_file(tensors, path, metadata={"note": note})


def take_step():
    optimizer.zero_grad()
    F.cross_entropy(net(pixels), classes).backward()
    optimizer.step()


pixels, classes = read_batch()
for name, new_optimizer in OPTIMIZERS.items():
    net = Net()
    optimizer = new_optimizer(net.parameters())
    steps = load(directory / f"{name}.safetensors", net, optimizer)
    take_step()
    theirs = load_file(directory / f"{name}-next.safetensors")
    difference = max((p - theirs[q]).abs().max().item() for q, p in net.named_parameters())
    with safe_open(directory / f"{name}.safetensors", "pt") as file:
        note = file.metadata()["note"]
    print(f"{name} ({note}): step {steps + 1} differs by at most {difference}")
    assert difference < 1e-12
    for _ in range(STEPS):
        take_step()
    steps += 1 + STEPS
    path = directory / f"{name}-pytorch.safetensors"
    save(path, net, optimizer, steps, f"by PyTorch {torch.__version__}")
    take_step()
    save_file(net.state_dict(), directory / f"{name}-pytorch-next.safetensors")
