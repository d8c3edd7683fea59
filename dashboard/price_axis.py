"""The hybrid price axis: logarithmic below 0 and above 300 $/MWh, linear between.

So one picture holds both a negative noon and a spike at the cap. A height is 0 at the floor and 1 at the cap; in between,
0 $ stands at 0.16 and 300 $ at 0.70. Heights of prices past floor or cap go on along the same curve.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nem.caps import FLOOR

Array = npt.NDArray[Any]

ZERO, KNEE, KNEE_PRICE = 0.16, 0.70, 300.0
TICKS = (-1_000, -100, 0, 100, 200, 300, 1_000, 3_000, 10_000, 15_000, 20_000)
FEW_TICKS = (-1_000, 0, 100, 200, 300, 3_000)  # of a low chart
# Below 0 it is the logarithm of 1 + price / 10: at 0 it is nearly as steep as the linear part, so there is no kink.
_SOFT = 10.0
_MINUS = "\N{MINUS SIGN}"


def heights(prices: Array, cap: float) -> Array:
    """Where ``prices`` stand on the axis; NaN stays NaN."""
    prices = np.asarray(prices, dtype=float)
    below = ZERO * (1 - np.log1p(np.maximum(-prices, 0) / _SOFT) / np.log1p(-FLOOR / _SOFT))
    between = ZERO + (KNEE - ZERO) * prices / KNEE_PRICE
    above = KNEE + (1 - KNEE) * np.log(np.maximum(prices, KNEE_PRICE) / KNEE_PRICE) / np.log(cap / KNEE_PRICE)
    return np.where(prices < 0, below, np.where(prices <= KNEE_PRICE, between, above))


def ticks(cap: float, prices: Sequence[int] = TICKS) -> dict[float, str]:
    """Height and label of every one of ``prices`` up to the cap."""
    shown = [price for price in prices if price <= cap]
    labels = (f"{_MINUS if price < 0 else ''}${abs(price):,}" for price in shown)
    return dict(zip(map(float, heights(np.array(shown), cap)), labels, strict=True))
