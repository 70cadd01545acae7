"""Arrays of NumPy, PyTorch, JAX and others as the program takes them."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import numpy.typing as npt

from deeplimit._error import Error

Floats = npt.NDArray[np.float64]


def to_numpy(x: Any) -> npt.NDArray[Any]:
    """Return x as an array of NumPy, without a copy where there can be one.

    Tensors of PyTorch are detached and brought to the processor; bfloat16, which NumPy lacks, becomes float32.

    Raises:
        Error: an array with masked entries, whose numbers are not there.

    """
    if cast("Any", np.ma).is_masked(x):
        raise Error("got an array with masked entries, want numbers everywhere")
    if hasattr(x, "detach") and hasattr(x, "cpu"):
        x = x.detach().cpu()
        if str(x.dtype) == "torch.bfloat16":
            x = x.float()
        return np.asarray(x.numpy())
    a: npt.NDArray[Any] = np.asarray(x)
    if str(cast("Any", a.dtype)) == "bfloat16":  # of ml_dtypes, as JAX has it
        a = a.astype(np.float32)
    return a


def to_floats(x: Any, what: str) -> Floats:
    """Return x as contiguous float64, exactly.

    Raises:
        Error: numbers that float64 does not hold exactly, no numbers at all, or rows of several lengths.

    """
    try:
        a = to_numpy(x)
    except (Error, ValueError, TypeError, RuntimeError) as error:
        raise Error(f"{what}: {error}") from error
    if a.dtype.kind not in "fiu" or a.dtype.itemsize > 8:
        raise Error(f"{what}: got dtype {a.dtype}, want real numbers of 64 bits at most")
    out: Floats = np.asarray(a, dtype="<f8", order="C")
    # 2^53 is the first after which float64 leaves out whole numbers.
    if a.dtype.kind in "iu" and a.dtype.itemsize == 8 and a.size and not -(2**53) <= int(a.min()) <= int(a.max()) <= 2**53:
        raise Error(f"{what}: got whole numbers beyond 2^53, want floats or smaller numbers")
    return out
