"""Depth limits of deep residual networks, from Python.

    study = deeplimit.load("runs/quickstart")     # .runs, .iterations, .exponents, .groups, .certificates, .plot
    study = deeplimit.run("study.yaml")           # or a dict; an interrupt leaves runs that the same call goes on with
    deeplimit.pvar(path, 2)                       # exact p-variation of any path, with its partition
    deeplimit.analyze(model, pattern="layers.{k}.weight")
    with deeplimit.watch(model, "layers.*", out="runs/mine") as w: ...   # record a training of PyTorch

What a word means: ``deeplimit.glossary["variation_index"]``. Nothing is imported before it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deeplimit._callbacks import lightning_callback as lightning_callback
    from deeplimit._callbacks import transformers_callback as transformers_callback
    from deeplimit._commands import analyze as analyze
    from deeplimit._commands import certify as certify
    from deeplimit._commands import run as run
    from deeplimit._commands import tune as tune
    from deeplimit._error import Error as Error
    from deeplimit._estimate import Estimate as Estimate
    from deeplimit._estimate import Variation as Variation
    from deeplimit._glossary import glossary as glossary
    from deeplimit._paths import pvar as pvar
    from deeplimit._paths import scaling as scaling
    from deeplimit._paths import variation_index as variation_index
    from deeplimit._recorded import recorded as recorded
    from deeplimit._study import Study as Study
    from deeplimit._study import load as load
    from deeplimit._watch import record as record
    from deeplimit._watch import watch as watch

__version__ = "0.1.0"

_homes = {
    "Error": "_error",
    "Estimate": "_estimate",
    "Study": "_study",
    "Variation": "_estimate",
    "analyze": "_commands",
    "certify": "_commands",
    "glossary": "_glossary",
    "lightning_callback": "_callbacks",
    "load": "_study",
    "pvar": "_paths",
    "record": "_watch",
    "recorded": "_recorded",
    "run": "_commands",
    "scaling": "_paths",
    "transformers_callback": "_callbacks",
    "tune": "_commands",
    "variation_index": "_paths",
    "watch": "_watch",
}

__all__ = [
    "Error",
    "Estimate",
    "Study",
    "Variation",
    "analyze",
    "certify",
    "glossary",
    "lightning_callback",
    "load",
    "pvar",
    "record",
    "recorded",
    "run",
    "scaling",
    "transformers_callback",
    "tune",
    "variation_index",
    "watch",
]


def __getattr__(name: str) -> Any:
    """Import what is asked for."""
    if name not in _homes:
        raise AttributeError(f"module 'deeplimit' has no attribute {name!r}")
    value = getattr(import_module(f"deeplimit.{_homes[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
