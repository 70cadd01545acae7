"""Measures of paths and of numbers over depth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast, overload

import numpy as np

from deeplimit._arrays import Floats, to_floats
from deeplimit._error import Error
from deeplimit._estimate import Estimate, Variation
from deeplimit._pipe import call


def _path(x: Any) -> Floats:
    a = to_floats(x, "pvar: path")
    if not 1 <= a.ndim <= 3:
        raise Error(f"pvar: path: got shape {a.shape}, want (n), (n,D) or (n,r,c)")
    return a


@overload
def pvar(path: Any, p: float, *, metric: str = "frobenius") -> Variation: ...
@overload
def pvar(path: Any, p: Sequence[float], *, metric: str = "frobenius") -> list[Variation]: ...
def pvar(path: Any, p: float | Sequence[float], *, metric: str = "frobenius") -> Variation | list[Variation]:
    """Return the exact p-variation V_p = max Σ_j d(x_{k_j}, x_{k_{j+1}})^p over all partitions of the path.

    Args:
        path: (n,) numbers, (n, D) points or (n, r, c) matrices, along the first axis; NumPy, PyTorch or JAX.
        p: the exponent, at least 1; several give a list.
        metric: the distance: ``frobenius`` (Euclidean), ``spectral``, ``l1`` or ``sup``.

    Returns:
        V_p as a float, the sum in the unit of the distance to the power p, with ``.norm`` (its p-th root) and
        ``.partition`` (indices of the points at which it is attained).

    Raises:
        Error: p below 1, a number that is not finite, or another shape.

    >>> import deeplimit
    >>> v = deeplimit.pvar([0, 1, 3, 2, 2.5, 0], 2)
    >>> float(v), v.partition.tolist()
    (18.0, [0, 2, 5])

    """
    several = np.ndim(p) > 0
    try:
        ps = [float(q) for q in cast("Sequence[float]", p if several else [p])]
    except (TypeError, ValueError) as error:
        raise Error(f"pvar: p: got {p!r}, want numbers of at least 1") from error
    if not all(np.isfinite(ps)):
        raise Error(f"pvar: p: got {ps}, want finite numbers of at least 1")
    if several and len(set(ps)) < len(ps):
        raise Error(f"pvar: p: got {ps}, want each exponent once")
    # One call for each p: an answer has one array of the name partition.
    array, out = _path(path), list[Variation]()
    for q in ps:
        values, arrays = call("pvar", {"p": [q], "metric": metric}, [("path", array)])
        (v,) = values
        out.append(Variation(v["value"], v["p"], v["norm"], arrays["partition"], metric))
    return out if several else out[0]


def variation_index(path: Any, *, seeds: Sequence[int] | None = None) -> Estimate:
    """Return the variation index: the smallest p at which p-variation stays bounded.

    Args:
        path: one path, (n,), (n, D) or (n, r, c) with n ≥ 33; or a list of paths of several depths, which are
            the rescaled weights of one network each. Of a list the index is that of the limit L → ∞: it needs
            three depths of 8 layers or more, and two seeds.
        seeds: of a list, the seed of each path. By default the paths of each depth are numbered from 1.

    Returns:
        The index, at least 1, with its 95 % interval; infinite for independent noise. Of one path the interval is
        a jackknife over 16 blocks of it (1/H of a fractional Brownian path, 1 of smooth ones and of jumps).

    Raises:
        Error: too few points, depths or seeds, or a number that is not finite.

    >>> import deeplimit, numpy
    >>> walk = numpy.random.default_rng(1).normal(size=4096).cumsum()
    >>> index = deeplimit.variation_index(walk)
    >>> bool(index.low < 2 < index.high)
    True

    """
    listed = list(cast("Sequence[Any]", path)) if isinstance(path, (list, tuple)) else []
    if listed and np.ndim(listed[0]) > 0 and not _is_rows(listed):
        paths = [_path(p) for p in listed]
        numbered = _numbered([len(p) for p in paths]) if seeds is None else _whole(seeds, "variation index: seeds")
        values, _ = call("infer", {"seeds": numbered}, [(str(i), p) for i, p in enumerate(paths)])
        return Estimate(values, "index")
    if seeds is not None:
        raise Error("variation index: seeds: got them for one path, want none, or a list of paths")
    values, _ = call("index", {}, [("path", _path(path))])
    return Estimate({"method": "jackknife", **values})


def _is_rows(path: Sequence[Any]) -> bool:
    """Report whether a list is one path, its points being lists of numbers."""
    return all(isinstance(point, (list, tuple)) for point in path)


def _whole(numbers: Sequence[Any], what: str) -> list[int]:
    """Return numbers as whole ones, which they must be."""
    try:
        listed = [int(n) for n in numbers]
    except (TypeError, ValueError, OverflowError):
        listed = []
    if listed != list(numbers) or any(n < 0 for n in listed):
        raise Error(f"{what}: got {list(numbers)}, want whole numbers")
    return listed


def _numbered(depths: Sequence[int]) -> list[int]:
    """Count those that share a depth from 1."""
    seen: dict[int, int] = {}
    out: list[int] = []
    for depth in depths:
        seen[depth] = seen.get(depth, 0) + 1
        out.append(seen[depth])
    return out


def scaling(
    depths: Sequence[int] | Mapping[int, Any],
    values: Any = None,
    *,
    seeds: Sequence[int] | None = None,
    level: float = 0.95,
) -> Estimate:
    """Return the exponent b of value ≈ e^a · L^b over the depths L, with its interval.

    Args:
        depths: (n,) whole numbers; or a mapping from each depth to its value or values, without ``values``.
        values: (n,) positive numbers, or (n, S) for S seeds.
        seeds: (n,) of the values; by default those of each depth are numbered from 1 in their order.
        level: of the interval.

    Returns:
        The slope, with ``low``, ``high``, ``warning`` and in ``fields`` intercept, r2 and residuals (log y).

    Raises:
        Error: fewer than two depths, a value that is not positive, or lengths that differ.

    >>> import deeplimit
    >>> b = deeplimit.scaling([8, 16, 32, 64], [1 / 8, 1 / 16, 1 / 32, 1 / 64])
    >>> round(b, 6)
    -1.0

    """
    if isinstance(depths, Mapping):
        if values is not None or seeds is not None:
            raise Error("scaling: got a mapping beside values or seeds, want the mapping alone")
        pairs = [(d, float(v)) for d, vs in depths.items() for v in to_floats(vs, f"scaling: depth {d}").ravel()]
        depths, values = [d for d, _ in pairs], np.asarray([v for _, v in pairs])
    y = to_floats([] if values is None else values, "scaling: values")
    listed = _whole(depths, "scaling: depths")
    if y.ndim == 2 and len(listed) == len(y):
        if seeds is not None:
            raise Error(f"scaling: got seeds beside values of shape {y.shape}, want values of shape (n,) with them")
        listed = [d for d in listed for _ in range(y.shape[1])]
        y = y.ravel()
    if y.ndim != 1 or len(y) != len(listed):
        raise Error(f"scaling: got {len(listed)} depths and values of shape {y.shape}, want (n,) or (n, seeds)")
    if not np.isfinite(y).all():
        raise Error("scaling: values: got one that is not finite, want positive numbers")
    numbered = _numbered(listed) if seeds is None else _whole(seeds, "scaling: seeds")
    fitted, _ = call("scaling", {"depths": listed, "seeds": numbered, "values": y.tolist(), "level": level})
    return Estimate(fitted, "slope")
