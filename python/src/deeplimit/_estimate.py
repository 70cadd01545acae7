"""Numbers that carry what they rest on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from deeplimit._pipe import number


class Variation(float):
    """V_p, the sum without the root, in the unit of the distance to the power p.

    It is a float; NaN where float64 cannot hold the sum, beside its ``norm``.

    Attributes:
        p: the exponent.
        norm: V_p^(1/p), in the unit of the distance.
        partition: indices k_0 < … < k_m of points, (m+1,) int64, at which the sum is attained.
        metric: the name of the distance.

    """

    p: float
    norm: float
    partition: npt.NDArray[np.int64]
    metric: str

    def __new__(cls, value: Any, p: float, norm: float, partition: npt.NDArray[np.int64], metric: str) -> Variation:
        self = super().__new__(cls, number(value))
        self.p, self.norm, self.partition, self.metric = p, float(norm), partition, metric
        return self

    def __getnewargs__(self) -> tuple[Any, ...]:
        return float(self), self.p, self.norm, self.partition, self.metric

    def __repr__(self) -> str:
        return f"V_{self.p:g} = {float(self):.10g} (norm {self.norm:.6g}, {len(self.partition)} points)"

    __str__ = float.__repr__


class Estimate(float):
    """A number with its 95 % interval and the runs that it rests on.

    It is a float, the value. ``low`` and ``high`` are NaN where there is no interval.

    Attributes:
        low: lower end of the interval.
        high: upper end, infinite where the interval has none.
        text: value and interval, to the digits that the interval leaves.
        method: how the interval was made (``deeplimit.glossary[method]``).
        warning: what speaks against the number, "" if nothing.
        depths: that entered, ascending.
        seeds: likewise.
        runs: how many entered.
        fields: all that the program says, as its JSON has it.

    """

    low: float
    high: float
    text: str
    method: str
    warning: str
    depths: list[int]
    seeds: list[int]
    runs: int
    fields: dict[str, Any]
    _value: str

    def __new__(cls, fields: Mapping[str, Any], value: str = "value") -> Estimate:
        self = super().__new__(cls, number(fields[value]))
        low, high = fields.get("low"), fields.get("high")
        self.low = number(low)
        # An interval without an upper end has a lower one alone.
        self.high = math.inf if high is None and low is not None else number(high)
        self.method, self.warning = fields.get("method", ""), fields.get("warning", "")
        self.depths, self.seeds = list(fields.get("depths", [])), list(fields.get("seeds", []))
        self.runs, self.fields = int(fields.get("runs", 0)), dict(fields)
        self.text = fields.get("text", "") or f"{float(self):.3g} [{self.low:.3g}, {self.high:.3g}]"
        self._value = value
        return self

    def __getnewargs__(self) -> tuple[Any, ...]:
        return self.fields, self._value

    def __repr__(self) -> str:
        warned = f"; {self.warning}" if self.warning else ""
        basis = f" ({self.runs} runs)" if self.runs else ""
        return self.text + basis + warned

    __str__ = float.__repr__
