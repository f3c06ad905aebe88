"""Loads the net that micrograd saved with PyTorch, compares the outputs, and saves a net of PyTorch's
own for micrograd to load. See notes/Interop.md.

    python gallery/interop.py DIR
"""

import pathlib
import sys

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from digits_net import Net

torch.set_default_dtype(torch.float64)
directory = pathlib.Path(sys.argv[1])


def read_csv(name):
    lines = (directory / name).read_text().splitlines()
    return torch.tensor([[float(cell) for cell in line.split(",")] for line in lines])


def write_csv(name, rows):
    lines = (",".join(repr(number) for number in row) for row in rows.tolist())
    (directory / name).write_text("".join(line + "\n" for line in lines))


pixels = read_csv("pixels.csv")
net = Net()
with safe_open(directory / "micrograd.safetensors", "pt") as file:
    print("metadata:", file.metadata())
for name, tensor in load_file(directory / "micrograd.safetensors").items():
    print(f"{name}: {list(tensor.shape)}, {tensor.dtype}")
net.load_state_dict(load_file(directory / "micrograd.safetensors"))
with torch.no_grad():
    difference = (net(pixels) - read_csv("micrograd.csv")).abs().max().item()
print(f"outputs for {len(pixels)} digits differ by at most {difference}")
assert difference < 1e-12

torch.manual_seed(0)
own = Net()
save_file(own.state_dict(), directory / "pytorch.safetensors", metadata={"format": "pt"})
with torch.no_grad():
    write_csv("pytorch.csv", own(pixels))
print(f"saved a net of PyTorch {torch.__version__}")
