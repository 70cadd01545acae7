"""Tables from the columns that the program sends, as pandas or polars has them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import pandas

from deeplimit._error import Error

Column = Any
Columns = dict[str, Column]

pd: Any = pandas  # frames are what the caller asks for, and no type of this package

FRAMES = ("pandas", "polars")


def received(listed: Sequence[Mapping[str, Any]], arrays: Mapping[str, Any]) -> Columns:
    """Return columns by name; those of numbers are arrays."""
    by_place = list(arrays.values())
    return {c["name"]: by_place[c["array"]] if "array" in c else (c.get("values") or []) for c in listed}


_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,17})")  # int64 holds it
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def typed(texts: Sequence[str | None]) -> Column:
    """Return texts of settings as numbers or truth values where all of them are such.

    A number is what JSON takes for one, so 010, 1_000 and nan stay texts; so do whole numbers that neither type holds.
    """
    known = [t for t in texts if t is not None]
    if known and all(t in ("true", "false") for t in known):
        return [None if t is None else t == "true" for t in texts]
    if len(known) == len(texts) and all(_WHOLE.fullmatch(t) for t in known):
        return np.asarray([int(t) for t in known], dtype=np.int64)
    if all(_DECIMAL.fullmatch(t) and (not t.lstrip("-").isdigit() or abs(int(t)) <= 2**53) for t in known):
        return np.asarray([np.nan if t is None else float(t) for t in texts], dtype=np.float64)
    return list(texts)


def frame(columns: Columns, kind: str, index: str | None = None) -> Any:
    """Return a DataFrame; of pandas the column index is the index, too."""
    if kind == "pandas":
        out = pd.DataFrame({name: _pandas(column) for name, column in columns.items()})
        if index is not None:
            out = out.set_index(index, drop=False)
            # A column and an index of one name are ambiguous to sort_values and groupby.
            out.index.name = None
        return out
    if kind != "polars":
        raise Error(f"load: frame: got {kind!r}, want one of {', '.join(FRAMES)}")
    try:
        import polars
    except ImportError as error:
        raise Error('load: frame: got "polars", which is not installed (pip install polars)') from error
    pl: Any = polars
    series = [pl.Series(name, column, strict=False) for name, column in columns.items()]
    series = [s.cast(pl.String) if s.dtype == pl.Null else s for s in series]  # texts that no row has
    return pl.DataFrame([s.fill_nan(None) if s.dtype == pl.Float64 else s for s in series])


def _pandas(column: Column) -> Any:
    if isinstance(column, np.ndarray):
        return cast("Any", column)
    if any(isinstance(v, bool) for v in column):
        whole = all(isinstance(v, bool) for v in column)
        return pd.array(column, dtype="bool" if whole else "boolean")
    if column and all(isinstance(v, int) for v in column):
        return np.asarray(column, dtype=np.uint64)
    return pd.Series(column, dtype=object if any(v is None for v in column) else None)
