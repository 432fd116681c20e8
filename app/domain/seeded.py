"""Chance that is the same on every machine: a stream of choices made from a seed.

Only ``random.Random.random()`` is used, the one method whose sequence for an integer seed Python promises to keep
from version to version; ``shuffle``, ``sample`` and ``randrange`` carry no such promise. The integer is the SHA-256 of
the seed and the labels, so the streams of one seed are independent of each other: drawing one stratum more does not
change what another one gets.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from random import Random
from typing import TypeVar

T = TypeVar("T")


def stream(seed: str, *labels: str) -> Callable[[], float]:
    """Floats in [0, 1), always the same ones for the same seed and labels."""
    # Length prefixes keep ("a", "bc") and ("ab", "c") apart.
    text = "".join(f"{len(part)}:{part}" for part in (seed, *labels))
    return Random(int.from_bytes(hashlib.sha256(text.encode()).digest())).random


def shuffled(values: Iterable[T], chance: Callable[[], float]) -> list[T]:
    """The values in a random order (Fisher-Yates)."""
    order = list(values)
    for last in range(len(order) - 1, 0, -1):
        other = int(chance() * (last + 1))
        order[last], order[other] = order[other], order[last]
    return order
