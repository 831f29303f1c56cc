"""Values for the tests of the drift checks, made without any of their code. Prints drift.json:  python3 drift.py > drift.json

The first case is published: the example of psi() in the reference of KAscore, an R package
(https://ketchbrookanalytics.github.io/KAscore/reference/psi.html), draws two samples with set.seed(123) and prints 0.3404592.
R's generator and its sample() with probabilities (src/main/RNG.c, random.c and sort.c of R) are done again here, so that the samples
are the same ones.
"""
import json
import math
import random
from fractions import Fraction


def r_uniform(seed):
    """R's unif_rand() after set.seed(): a Mersenne Twister whose state is filled by a congruential generator."""
    mask = 0xFFFFFFFF
    for _ in range(50):
        seed = (69069 * seed + 1) & mask
    state = []
    for _ in range(625):
        seed = (69069 * seed + 1) & mask
        state.append(seed)
    generator = random.Random()
    generator.setstate((3, (*state[1:], 624), None))
    while True:
        yield generator.getrandbits(32) * 2.3283064365386963e-10


def r_decreasing(weights):
    """R's revsort: the order of a heap sort, in which equal weights change places."""
    a, order = [None, *weights], [None, *range(len(weights))]
    start, end = (len(weights) >> 1) + 1, len(weights)
    while True:
        if start > 1:
            start -= 1
            weight, index = a[start], order[start]
        else:
            weight, index = a[end], order[end]
            a[end], order[end] = a[1], order[1]
            end -= 1
            if end == 1:
                a[1], order[1] = weight, index
                return order[1:]
        at, below = start, start * 2
        while below <= end:
            if below < end and a[below] > a[below + 1]:
                below += 1
            if weight > a[below]:
                a[at], order[at] = a[below], order[below]
                at = below
                below += at
            else:
                below = end + 1
        a[at], order[at] = weight, index


def r_sample_counts(uniform, size, weights):
    """How often sample(…, size, replace = TRUE, prob = weights) draws each."""
    order = r_decreasing(weights)
    edges, total = [], 0.0
    for index in order:
        total += weights[index]
        edges.append(total)
    counts = [0] * len(weights)
    for _ in range(size):
        drawn = next(uniform)
        at = 0
        while at < len(weights) - 1 and drawn > edges[at]:
            at += 1
        counts[order[at]] += 1
    return counts


def psi(expected, actual):
    total, all_of = 0.0, []
    for before, now in zip(expected, actual):
        e = Fraction(before, sum(expected)) if before else Fraction(1, 10000)
        a = Fraction(now, sum(actual)) if now else Fraction(1, 10000)
        all_of.append(float(a - e) * math.log(a / e))
    return math.fsum(all_of)


def deviation(reference, current):
    before = sum(map(Fraction, reference)) / len(reference)
    now = sum(map(Fraction, current)) / len(current)
    return float(abs(now - before) / abs(before))


def main():
    uniform = r_uniform(123)
    development = r_sample_counts(uniform, 1000, [0.25, 0.25, 0.25, 0.25])
    monitoring = r_sample_counts(uniform, 200, [0.10, 0.20, 0.30, 0.40])
    draw = random.Random(7)
    counts = [([draw.randrange(0, 400) for _ in range(10)], [draw.randrange(0, 400) for _ in range(10)]) for _ in range(20)]
    counts.append(([10, 0, 5], [0, 7, 8]))
    samples = [([draw.gauss(50, 9) for _ in range(200)], [draw.gauss(55, 9) for _ in range(150)]) for _ in range(10)]
    samples.append(([1e12 + 0.25, 1e12 + 0.5, -1e12], [1e12 + 0.75, 2.5, -1e12]))
    document = {
        "published": {"expected": development, "actual": monitoring, "printed": "0.3404592"},
        "psi": [{"expected": e, "actual": a, "value": psi(e, a)} for e, a in counts],
        "deviation": [{"reference": r, "current": c, "value": deviation(r, c)} for r, c in samples],
    }
    print(json.dumps(document))


main()
