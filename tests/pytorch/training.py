"""Writes losses.csv, schedules.csv and clipping.csv: PyTorch's losses with their gradients,
learning rates, and clipped gradients. tests/loss.rs and tests/optim.rs compare with them.

Run by hand in its directory, with PyTorch installed: python training.py
"""

import math
import random

import torch
from torch.nn import functional as F

torch.set_default_dtype(torch.float64)
rng = random.Random(3)


def words(numbers):
    return " ".join(repr(float(number)) for number in numbers)


def write(path, header, rows):
    with open(path, "w") as file:
        print(header, file=file)
        for row in rows:
            print(",".join(map(str, row)), file=file)


LOGITS = [
    [0.3],
    [1.5, -0.5, 0.0, 2.0],
    [40.0, -40.0, 0.5, -0.5],
    [1000.0, -1000.0, 3.0, -3.0],
    [rng.gauss(0, 2) for _ in range(10)],
    [2.0, 2.0, 2.0],
]


def losses():
    def row(name, setting, f, predictions, targets):
        p = torch.tensor(predictions, requires_grad=True)
        loss = f(p, torch.tensor(targets))
        loss.backward()
        return name, setting, words(predictions), words(targets), loss.item(), words(p.grad)

    for xs in LOGITS:
        real = [rng.choice([x, x - 1.0, rng.gauss(0, 3)]) for x in xs]
        yield row("mean_squared_error", 0.0, F.mse_loss, xs, real)
        yield row("mean_absolute_error", 0.0, F.l1_loss, xs, real)
        for delta in [0.5, 1.0, 2.0]:
            yield row("huber", delta, lambda p, t: F.huber_loss(p, t, delta=delta), xs, real)
        binary = [rng.choice([0.0, 1.0, 0.25]) for _ in xs]
        bce = F.binary_cross_entropy_with_logits
        yield row("binary_cross_entropy_with_logits", 0.0, bce, xs, binary)
        labels = [rng.choice([-1.0, 1.0]) for _ in xs]
        hinge = lambda s, t: F.margin_ranking_loss(s, torch.zeros_like(s), t, margin=1.0)
        yield row("hinge", 0.0, hinge, xs, labels)
        for smoothing in [0.0, 0.1, 1.0]:
            cross = lambda p, t: F.cross_entropy(p, t, label_smoothing=smoothing)
            one_hot = [0.0] * len(xs)
            one_hot[rng.randrange(len(xs))] = 1.0
            yield row("cross_entropy", smoothing, cross, xs, one_hot)
            spread = [rng.random() for _ in xs]
            spread = [s / sum(spread) for s in spread]
            yield row("cross_entropy", smoothing, cross, xs, spread)

    # At the kinks, and with an infinite delta.
    for delta in [1.0, math.inf]:
        ds = [0.0, 1.0, -1.0, 3.0]
        yield row("huber", delta, lambda p, t: F.huber_loss(p, t, delta=delta), ds, [0.0] * 4)
    yield row("hinge", 0.0, hinge, [1.0, -1.0, -1.0], [1.0, -1.0, 1.0])


def schedules():
    from torch.optim import lr_scheduler as lr

    def rates(make):
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.4)
        scheduler = make(optimizer)
        for _ in range(20):
            yield scheduler.get_last_lr()[0]
            optimizer.step()
            scheduler.step()

    makers = {
        "step": lambda o: lr.StepLR(o, step_size=4, gamma=0.5),
        "exponential": lambda o: lr.ExponentialLR(o, gamma=0.9),
        "cosine": lambda o: lr.CosineAnnealingLR(o, T_max=19, eta_min=0.01),
        "linear": lambda o: lr.LinearLR(o, start_factor=1.0, end_factor=0.25, total_iters=10),
        "polynomial": lambda o: lr.PolynomialLR(o, total_iters=12, power=2.0),
    }
    for name, make in makers.items():
        yield name, words(rates(make))


def clipping():
    for gradient in [[3.0, -4.0], [0.3, -0.4], [1e200, 1.0], [math.inf, 1.0], [math.nan, 1.0], [0.0, 0.0]]:
        for limit in [1.0, 0.5, 100.0]:
            parameters = [torch.zeros(1, requires_grad=True) for _ in gradient]

            def restart():
                for parameter, number in zip(parameters, gradient):
                    parameter.grad = torch.tensor([number])

            restart()
            norm = torch.nn.utils.clip_grad_norm_(parameters, limit).item()
            by_norm = words(p.grad.item() for p in parameters)
            restart()
            torch.nn.utils.clip_grad_value_(parameters, limit)
            by_value = words(p.grad.item() for p in parameters)
            yield words(gradient), limit, norm, by_norm, by_value


write("losses.csv", "loss,setting,predictions,targets,value,gradient", losses())
write("schedules.csv", "schedule,rates", schedules())
write("clipping.csv", "gradient,limit,norm,by norm,by value", clipping())
