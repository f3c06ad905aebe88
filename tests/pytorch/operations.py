"""Writes operations.csv, exact.csv and graphs.csv: reference numbers for the operations of
src/ops/table.rs.

    python -m venv venv && venv/bin/pip install torch mpmath
    cd tests/pytorch && ../../venv/bin/python operations.py

- operations.csv: value and gradient of every operation at a grid of points, by PyTorch in float64.
- exact.csv: the same by mpmath with 50 digits, rounded to float64, at the points where the relative
  error of the value and the gradient is at most 1000 times the relative error of the arguments.
- graphs.csv: 200 random graphs of 5 to 60 operations, with their value and gradient by PyTorch.

Written with Python 3.12, PyTorch 2.15.0 and mpmath 1.3.0.
"""

import math
import random

import mpmath
import torch
from mpmath import mp, mpf

torch.set_default_dtype(torch.float64)

POSITIVE = [0.0, 1e-310, 1e-8, 0.1, 0.3, 0.5, 0.9, 0.999, 1.0, 1.001, 1.5, 2.0, 3.7, 8.0, 12.0, 19.5,
            21.0, 30.0, 100.0, 355.0, 710.0, 746.0, 1e10, 1e154, 1e308, math.inf]
XS = [sign * x for x in POSITIVE for sign in (1.0, -1.0)] + [math.nan]
PAIR = [0.0, -0.0, 1e-310, 0.5, 1.0, -1.0, 2.0, -2.5, 3.0, 1e200, -1e200, math.inf, -math.inf,
        math.nan]
PARAMETERS = [0.0, 0.01, 1.0, 2.5, -0.5]


def where(condition, x):
    return torch.where(condition, x, torch.zeros_like(x))


def away_from_zero(x):
    """The nearest integer, with halfway cases away from 0, unlike PyTorch's own `round`."""
    return torch.trunc(x + torch.copysign(torch.tensor(0.49999999999999994), x))


def phi(x):
    return mpmath.erfc(-x / mpmath.sqrt(2)) / 2


def sigmoid(x):
    return 1 / (1 + mpmath.exp(-x))


# The name, PyTorch's function, and mpmath's where the operation has no kink or jump.
UNARY = [
    ("neg", torch.neg, None),
    ("recip", torch.reciprocal, lambda x: 1 / x),
    ("sqrt", torch.sqrt, mpmath.sqrt),
    ("cbrt", None, lambda x: mpmath.sign(x) * mpmath.root(abs(x), 3)),
    ("exp", torch.exp, mpmath.exp),
    ("exp2", torch.exp2, lambda x: mpmath.power(2, x)),
    ("exp_m1", torch.expm1, lambda x: mpmath.exp(x) - 1),
    ("ln", torch.log, mpmath.ln),
    ("log2", torch.log2, lambda x: mpmath.ln(x) / mpmath.ln(2)),
    ("log10", torch.log10, lambda x: mpmath.ln(x) / mpmath.ln(10)),
    ("ln_1p", torch.log1p, lambda x: mpmath.ln(1 + x)),
    ("sin", torch.sin, mpmath.sin),
    ("cos", torch.cos, mpmath.cos),
    ("tan", torch.tan, mpmath.tan),
    ("asin", torch.asin, mpmath.asin),
    ("acos", torch.acos, mpmath.acos),
    ("atan", torch.atan, mpmath.atan),
    ("sinh", torch.sinh, mpmath.sinh),
    ("cosh", torch.cosh, mpmath.cosh),
    ("tanh", torch.tanh, mpmath.tanh),
    ("asinh", torch.asinh, mpmath.asinh),
    ("acosh", torch.acosh, mpmath.acosh),
    ("atanh", torch.atanh, mpmath.atanh),
    ("abs", torch.abs, None),
    ("detach", torch.detach, None),
    ("floor", torch.floor, None),
    ("ceil", torch.ceil, None),
    ("round", away_from_zero, None),
    ("round_ties_even", torch.round, None),
    ("trunc", torch.trunc, None),
    ("signum", torch.sign, None),
    ("relu", torch.relu, None),
    ("sigmoid", torch.sigmoid, sigmoid),
    ("softplus", torch.nn.functional.softplus, lambda x: mpmath.ln(1 + mpmath.exp(x))),
    ("silu", torch.nn.functional.silu, lambda x: x * sigmoid(x)),
    ("gelu", torch.nn.functional.gelu, lambda x: x * phi(x)),
    ("normal_cdf", torch.special.ndtr, phi),
    ("erf", torch.erf, mpmath.erf),
    ("erfc", torch.erfc, mpmath.erfc),
]
BINARY = [
    ("add", torch.add, None),
    ("sub", torch.sub, None),
    ("mul", torch.mul, None),
    ("div", torch.div, None),
    ("pow", torch.pow, mpmath.power),
    ("hypot", torch.hypot, mpmath.hypot),
    ("atan2", torch.atan2, mpmath.atan2),
    ("max", torch.maximum, None),
    ("min", torch.minimum, None),
    ("at_most", lambda x, y: (x <= y).double(), None),
    ("equals", lambda x, y: (x == y).double(), None),
    ("when", lambda x, y: where(y != 0, x), None),
    ("unless", lambda x, y: where(y == 0, x), None),
]
WITH_PARAMETER = [
    ("leaky_relu", torch.nn.functional.leaky_relu, None),
    ("elu", torch.nn.functional.elu, None),
    ("clamp_min", torch.clamp_min, None),
    ("clamp_max", torch.clamp_max, None),
]


def gradient(f, arguments):
    """The value and the gradient, which is 0 for arguments that are not connected."""
    leaves = [torch.tensor(a, requires_grad=True) for a in arguments]
    out = f(*leaves)
    if out.requires_grad:
        out.backward()
    return out.item(), [0.0 if leaf.grad is None else leaf.grad.item() for leaf in leaves]


def by_pytorch():
    def row(name, arguments, f, varying):
        value, gradients = gradient(f, varying)
        return [name, *arguments, value, *gradients]

    for name, f, _ in UNARY:
        if f is not None:
            for x in XS:
                yield row(name, [x, None], f, [x]) + [None]
    for name, f, _ in BINARY:
        for x in PAIR:
            for y in PAIR:
                yield row(name, [x, y], f, [x, y])
    for name, f, _ in WITH_PARAMETER:
        for x in XS:
            for p in PARAMETERS:
                yield row(name, [x, p], lambda x: f(x, p), [x]) + [None]


def exactly():
    """Rows of value and gradient to 50 digits, where both are real, finite and well-conditioned."""
    mp.dps = 50

    def derivative(f, i, arguments):
        def along(t):
            moved = list(arguments)
            moved[i] = t
            return f(*moved)

        h = abs(arguments[i]) * mpf(10) ** -120
        with mpmath.workdps(420):
            at, above, below = (along(arguments[i] + k * h) for k in (0, 1, -1))
            return (above - below) / (2 * h), (above - 2 * at + below) / h**2

    def row(name, f, arguments):
        # Enough digits for 1 + e^x and 1 + x to be precise.
        exact = [mpf(a) for a in arguments]
        try:
            with mpmath.workdps(420):
                value = f(*exact)
            if isinstance(value, mpmath.mpc):
                return None
            derivatives = [derivative(f, i, exact) for i in range(len(exact))]
        except (ZeroDivisionError, ValueError):
            return None
        if any(isinstance(d, mpmath.mpc) for pair in derivatives for d in pair):
            return None
        for x, (first, second) in zip(exact, derivatives):
            if abs(x * first) > 1000 * abs(value) or abs(x * second) > 1000 * abs(first):
                return None
        rounded = [float(value)] + [float(first) for first, _ in derivatives]
        normal = all(math.isfinite(r) and abs(r) >= 1e-300 for r in rounded)
        if not normal:
            return None
        padding = [None] * (2 - len(arguments))
        return [name, *arguments, *padding, *rounded, *padding]

    for name, _, f in UNARY:
        if f is not None:
            for x in XS:
                if math.isfinite(x) and x != 0.0 and abs(x) < 1e160:
                    if (r := row(name, f, [x])) is not None:
                        yield r
    for name, _, f in BINARY:
        if f is not None:
            for x in PAIR:
                for y in PAIR:
                    if math.isfinite(x) and math.isfinite(y) and x != 0.0 and y != 0.0:
                        if (r := row(name, f, [x, y])) is not None:
                            yield r


def write(path, header, rows):
    with open(path, "w") as file:
        print(header, file=file)
        for row in rows:
            print(",".join("" if cell is None else cell if isinstance(cell, str) else repr(cell)
                           for cell in row), file=file)


# Where micrograd passes nothing down, PyTorch passes a 0, which may meet an infinite slope.
PASSING_NOTHING = {"detach", "floor", "ceil", "round", "round_ties_even", "trunc", "signum"}
GRAPH_UNARY = [(name, f) for name, f, _ in UNARY
               if f is not None and name not in PASSING_NOTHING | {"softplus"}]
# Above its threshold, PyTorch replaces softplus(x) by x, which is off by up to 2e-9.
GRAPH_UNARY.append(("softplus", lambda x: torch.nn.functional.softplus(x, threshold=700.0)))
GRAPH_BINARY = [(name, f) for name, f, _ in BINARY]
LITERALS = [-2.0, -1.0, -0.5, 0.5, 2.0, 3.0]


def random_graph(rng):
    """Leaves, steps as text, value, gradient, and the largest value and gradient of a node."""
    leaves = [rng.uniform(-2.0, 2.0) for _ in range(rng.randint(1, 4))]
    nodes = [torch.tensor(x, requires_grad=True) for x in leaves]
    steps = []
    length = rng.randint(5, 60)
    while len(steps) < length:
        name, node = random_step(rng, nodes)
        # With an infinite upstream gradient, PyTorch passes 0 · ∞ = NaN down from a power that is
        # 0: see notes/Trust.md.
        if name.startswith("pow ") and node.item() == 0.0:
            continue
        finite = math.isfinite(node.item()) and abs(node.item()) < 1e6
        if finite or rng.random() < 0.002:
            if node.requires_grad:
                node.retain_grad()
            nodes.append(node)
            steps.append(name)
    out = nodes[-1]
    if not out.requires_grad:
        return random_graph(rng)
    out.backward()
    grads = [0.0 if node.grad is None else node.grad.item() for node in nodes]
    largest = [max(abs(n) for n in numbers) for numbers in ([n.item() for n in nodes], grads)]
    return leaves, steps, out.item(), grads[:len(leaves)], largest


def random_step(rng, nodes):
    """A step as text, with operands as indices and constants after '=', and its node."""
    def pick():
        # Recent nodes are picked more often, so that the graph gets deep.
        start = max(0, len(nodes) - 10) if rng.random() < 0.7 else 0
        return rng.randrange(start, len(nodes))

    kind = rng.random()
    if kind < 0.4:
        name, f = rng.choice(GRAPH_UNARY)
        x = pick()
        return f"{name} {x}", f(nodes[x])
    if kind < 0.7:
        name, f = rng.choice(GRAPH_BINARY)
        x, y = pick(), pick()
        return f"{name} {x} {y}", f(nodes[x], nodes[y])
    if kind < 0.8:
        name, f = rng.choice(GRAPH_BINARY[:9])
        x, literal = pick(), rng.choice(LITERALS)
        if rng.random() < 0.5:
            return f"{name} {x} ={literal}", f(nodes[x], torch.tensor(literal))
        return f"{name} ={literal} {x}", f(torch.tensor(literal), nodes[x])
    if kind < 0.9:
        name, f, _ = rng.choice(WITH_PARAMETER[:2])  # not the clamps, which differ at their bounds
        x, parameter = pick(), rng.choice(PARAMETERS)
        return f"{name} {x} ={parameter}", f(nodes[x], parameter)
    picked = [pick() for _ in range(2 * rng.randint(1, 4))]
    words = " ".join(map(str, picked))
    if kind < 0.95:
        return f"sum {words}", torch.stack([nodes[i] for i in picked]).sum()
    pairs = zip(picked[0::2], picked[1::2])
    return f"dot {words}", torch.stack([nodes[i] * nodes[j] for i, j in pairs]).sum()


def graphs():
    rng = random.Random(1)
    for _ in range(200):
        leaves, steps, value, gradient, largest = random_graph(rng)
        yield [" ".join(map(repr, leaves)), ";".join(steps), value, " ".join(map(repr, gradient)), *largest]


if __name__ == "__main__":
    header = "operation,x,y,value,dx,dy"
    write("operations.csv", header, by_pytorch())
    write("exact.csv", header, exactly())
    write("graphs.csv", "leaves,steps,value,gradient,largest value,largest gradient", graphs())
