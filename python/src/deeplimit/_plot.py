"""Figures in the style of the report: axes of matplotlib in, axes out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from deeplimit._error import Error

if TYPE_CHECKING:
    from deeplimit._study import Study

# The darker two thirds of plasma, as the report has them: depths keep their order and distance in greyscale.
_PLASMA = ["#0d0887", "#48039f", "#7904a6", "#a31e99", "#c23d81", "#db5b68", "#ed7953"]
# Okabe and Ito, with shapes that tell them apart without colours.
_CATEGORIES = [("#0072b2", "o"), ("#d55e00", "s"), ("#009e73", "^"), ("#cc79a7", "D"), ("#565656", "v")]

_STYLE = {
    "font.family": "serif",
    "font.serif": ["Liberation Serif", "Times New Roman", "Times", "DejaVu Serif"],
    "mathtext.fontset": "stix",
    "font.size": 8.5,
    "axes.labelsize": 8.5,
    "axes.titlesize": 8.5,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "legend.fontsize": 7.5,
    "legend.frameon": False,
    "axes.linewidth": 0.5,
    "lines.linewidth": 0.9,
    "lines.markersize": 4.2,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.dpi": 150,
}
_WIDTH, _HEIGHT = 85 / 25.4, 58 / 25.4  # inches: one column of a journal

# Keys of exponents as figures name them.
_SYMBOLS = {
    "alpha_plus_beta": r"$\alpha+\hat\beta$",
    "max_frobenius": r"$\max_k\|A_k\|_F$",
    "displacement": r"$\max_k\|A_k(T)-A_k(0)\|_F$",
    "max_increment": r"$\max_k\|A_{k+1}-A_k\|_F$",
    "root_sum_squares": r"$(\sum_k\|A_k\|_F^2)^{1/2}$",
    "displacement_variation": r"$V_1$ of $L^\beta(A(T)-A(0))$",
    "variation_index": "variation index",
}


def _pyplot() -> Any:
    try:
        import matplotlib.pyplot as pyplot
    except ImportError as error:
        raise Error("plot: matplotlib is not installed (pip install matplotlib)") from error
    return cast("Any", pyplot)


def _color(depth: int, depths: Sequence[int]) -> Any:
    """Return the colour of a depth: linear in log L, dark for deep."""
    from matplotlib.colors import LinearSegmentedColormap

    low, high = min(depths), max(depths)
    at = math.log(high / depth) / math.log(high / low) if high > low else 0.0
    return LinearSegmentedColormap.from_list("depths", _PLASMA)(at)


class Plots:
    """Figures of a study. Each takes ``ax`` (axes of matplotlib; new ones by default) and returns it.

    ``group`` is a label of ``study.groups``; it may be left out where there is one.
    """

    def __init__(self, study: Study) -> None:
        self._study = study

    # What is drawn.

    def _group(self, group: str | None) -> dict[str, Any]:
        groups: list[dict[str, Any]] = self._study.result["groups"]
        labels = self._study.labels
        if group is None:
            if len(groups) == 1:
                return groups[0]
            raise Error(f"plot: group: got none, want one of {', '.join(repr(v) for v in labels.values())}")
        for g in groups:
            if group in (labels[g["group"]], g["group"]):
                return g
        raise Error(f"plot: group: got {group!r}, want one of {', '.join(repr(v) for v in labels.values())}")

    def _runs(self, group: Mapping[str, Any]) -> list[dict[str, Any]]:
        runs: list[dict[str, Any]] = self._study.result["runs"]
        return [r for r in runs if r["group"] == group["group"]]

    def _axes(self, ax: Any, square: bool = False) -> Any:
        if ax is not None:
            return ax
        pyplot = _pyplot()
        with pyplot.rc_context(_STYLE):
            _, ax = pyplot.subplots(figsize=(_WIDTH, _WIDTH if square else _HEIGHT), constrained_layout=True)
        return ax

    def _labelled(self, ax: Any, x: str, y: str, group: Mapping[str, Any]) -> Any:
        ax.set_xlabel(x)
        ax.set_ylabel(y)
        if len(self._study.result["groups"]) > 1:
            ax.set_title(self._study.labels[group["group"]])
        return ax

    def _legend(self, ax: Any, depths: Sequence[int], width: float = 0.9) -> None:
        from matplotlib.lines import Line2D

        handles = [Line2D([], [], color=_color(d, depths), linewidth=width, label=f"L = {d}") for d in depths]
        ax.legend(handles=handles, fontsize=7.5, frameon=False)

    # The figures.

    def loss(self, ax: Any = None, *, group: str | None = None) -> Any:
        """Draw the loss against the iteration, one line a run, depths by colour; logarithmic where it can be."""
        chosen = self._group(group)
        rows = self._study.iterations
        runs = self._runs(chosen)
        depths = sorted({int(r["depth"]) for r in runs})
        ids, at, loss = (np.asarray(rows[name]) for name in ("run", "iteration", "loss"))
        name = r"loss $J$"
        if not np.isfinite(loss).any():  # a recording may know that of mini-batches alone
            loss, name = np.asarray(rows["batch_loss"]), "loss of the mini-batch"
        ax = self._axes(ax)
        drawn = False
        for run in runs:
            mine = ids == run["id"]
            y = loss[mine]
            if np.isfinite(y).any():
                mine &= np.isfinite(loss)
                ax.plot(at[mine], loss[mine], color=_color(int(run["depth"]), depths), linewidth=0.9)
                drawn = True
        if not drawn:
            raise Error("plot: loss: got runs without a loss, as imported weights have none")
        shown = loss[np.isin(ids, [r["id"] for r in runs])]
        if np.nanmin(shown) > 0:
            ax.set_yscale("log")
        self._legend(ax, depths)
        return self._labelled(ax, "iteration", name, chosen)

    def weights(self, ax: Any = None, *, group: str | None = None, part: str | None = None, entry: Any = None) -> Any:
        """Draw rescaled weights against k/L, the first seed of each depth: one entry, by default the Frobenius norm.

        ``entry`` is an index of a layer's array, such as (0, 1).
        """
        chosen = self._group(group)
        runs = self._runs(chosen)
        depths = sorted({int(r["depth"]) for r in runs})
        ax = self._axes(ax)
        name = ""
        for depth in reversed(depths):
            run = next(r for r in runs if r["depth"] == depth)
            w = self._study.weights(run["id"], part=part)
            values: Any = np.asarray(w)
            name = w.part
            if entry is None:
                y = np.sqrt((values.reshape(len(values), -1) ** 2).sum(axis=1))
            else:
                try:
                    y = values[(slice(None), *entry)]
                except (IndexError, TypeError) as error:
                    raise Error(f"plot: entry: got {entry!r}, want an index of {values.shape[1:]}") from error
            ax.plot(w.positions, y, color=_color(depth, depths), linewidth=0.9)
        self._legend(ax, depths)
        label = rf"$\|L^\beta {name}_k\|_F$" if entry is None else rf"entry {tuple(entry)} of $L^\beta {name}_k$"
        return self._labelled(ax, r"$k/L$", label, chosen)

    def variation(self, ax: Any = None, *, group: str | None = None) -> Any:
        """Draw V_p of the rescaled weights against depth, one mark a run, with the fitted power laws."""
        chosen = self._group(group)
        runs = [r for r in self._runs(chosen) if not r.get("copy_of")]
        ax = self._axes(ax)
        slopes: dict[str, Any] = chosen.get("variation_slopes") or {}
        ps: list[str] = sorted({p for r in runs for p in r["p_variation"]}, key=float)
        for i, p in enumerate(ps):
            color, marker = _CATEGORIES[i % len(_CATEGORIES)]
            pairs = [(r["depth"], r["p_variation"].get(p)) for r in runs]
            pairs = [(d, v) for d, v in pairs if v is not None and v > 0]
            slope = slopes.get(p)
            label = rf"$V_{{{p}}}$" + (f"  {slope['text']}" if slope and slope.get("text") else "")
            if not pairs:
                continue
            at = [float(d) for d, _ in pairs]
            values = [v for _, v in pairs]
            ax.plot(at, values, marker, color=color, markerfacecolor="white", markersize=4.2, label=label)
            if slope:
                x = np.geomspace(min(at), max(at), 50)
                ax.plot(x, np.exp(slope["intercept"]) * x ** slope["slope"], color=color, linewidth=0.9)
        self._depth_axis(ax, sorted({int(r["depth"]) for r in runs}))
        ax.set_yscale("log")
        # Beside the axes: five lines leave no corner free.
        ax.legend(fontsize=7.5, frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
        return self._labelled(ax, r"depth $L$", r"$V_p$ of $L^\beta A$", chosen)

    def _depth_axis(self, ax: Any, depths: Sequence[int]) -> None:
        from matplotlib.ticker import FixedLocator, NullLocator

        ax.set_xscale("log")
        ax.xaxis.set_major_locator(FixedLocator(list(depths)))
        ax.xaxis.set_minor_locator(NullLocator())
        ax.set_xticklabels([str(d) for d in depths])

    def exponents(self, ax: Any = None, *, part: str | None = None) -> Any:
        """Draw the exponents in depth of every group with their 95 % intervals, as the table ``exponents`` has them."""
        rows = self._study.exponents
        columns = {name: list(rows[name]) for name in ("label", "quantity", "part", "estimate", "low", "high")}
        listed = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        first = {row["label"]: row["part"] for row in reversed(listed)}
        listed = [r for r in listed if r["part"] == (part or first[r["label"]]) and _known(r["estimate"])]
        if not listed:
            raise Error("plot: exponents: got none, want runs of two depths or more")
        quantities = list(dict.fromkeys(r["quantity"] for r in listed))
        labels = list(dict.fromkeys(r["label"] for r in listed))
        ax = self._axes(ax, square=True)
        for i, label in enumerate(labels):
            color, marker = _CATEGORIES[i % len(_CATEGORIES)]
            for n, row in enumerate(r for r in listed if r["label"] == label):
                y = quantities.index(row["quantity"]) + 0.5 * ((i + 0.5) / len(labels) - 0.5)
                if _known(row["low"]):
                    high = row["high"] if _known(row["high"]) else row["estimate"]
                    ax.plot([row["low"], high], [y, y], color=color, linewidth=0.9)
                name = label if n == 0 else None
                ax.plot([row["estimate"]], [y], marker, color=color, markerfacecolor="white", markersize=4.2, label=name)
        ax.axvline(0, color="#808080", linewidth=0.5, zorder=0)
        names = [_SYMBOLS.get(q, rf"$V_{{{q[2:]}}}$" if q.startswith("v_") else q) for q in quantities]
        ax.set_yticks(range(len(quantities)), labels=names)
        ax.invert_yaxis()
        ax.set_xlabel("exponent in depth, with 95 % interval")
        if len(labels) > 1:
            ax.legend(fontsize=7.5, frameon=False)
        return ax

    def step_transfer(self, ax: Any = None, *, where: Mapping[str, Any] | None = None) -> Any:
        """Draw the last loss against the step size, one line a depth, of a study that varies train.step.value.

        ``where`` chooses runs by other columns of ``study.runs`` that vary, ``{"network.alpha": 0.5}``.
        """
        rows = self._study.runs
        name = "train.step.value"
        if name not in rows.columns:
            raise Error(
                f"plot: step_transfer: got a study that does not vary {name}, want one with a grid over it, or of tune"
            )
        groups: list[dict[str, Any]] = self._study.result["groups"]
        settings: list[dict[str, str]] = [g.get("settings") or {} for g in groups]
        varied = {"data", *(s for one in settings for s in one)} - {name}
        kept = np.ones(len(rows), dtype=bool)
        for column, wanted in (where or {}).items():
            if column not in rows.columns:
                raise Error(f"plot: where: got {column!r}, want a column of runs")
            kept &= np.asarray([v == wanted for v in rows[column]])
        names = ("depth", name, "loss", "stop_reason", *sorted(varied))
        listed = [row for row, keep in zip(zip(*(list(rows[c]) for c in names), strict=True), kept, strict=True) if keep]
        for i, column in enumerate(names[4:], 4):
            values = sorted({row[i] for row in listed}, key=str)
            if len(values) > 1:
                raise Error(
                    f"plot: step_transfer: got runs of several {column}, want one by where={{{column!r}: {values[0]!r}}}"
                )
        depths = sorted({int(row[0]) for row in listed})
        ax = self._axes(ax)
        for depth in depths:
            by_step: dict[float, list[float]] = {}
            for d, step, loss, stop in (row[:4] for row in listed):
                if d == depth and _known(step):
                    by_step.setdefault(float(step), []).append(
                        math.inf if stop == "diverged" or not _known(loss) else float(loss)
                    )
            points = sorted(
                (s, math.exp(float(np.mean(np.log(v))))) for s, v in by_step.items() if min(v) > 0 and max(v) < math.inf
            )
            if points:
                x, y = zip(*points, strict=True)
                ax.plot(x, y, "o-", color=_color(depth, depths), markersize=3, linewidth=0.9)
                best = int(np.argmin(y))
                ax.plot([x[best]], [y[best]], "o", color=_color(depth, depths), markersize=6)
        ax.set_xscale("log")
        ax.set_yscale("log")
        self._legend(ax, depths)
        ax.set_xlabel("step size, as the study gives it")
        ax.set_ylabel("last loss, geometric mean over seeds")
        return ax

    def heat(self, ax: Any = None, *, run: str | None = None, part: str | None = None, displacement: bool = False) -> Any:
        """Draw the norm of every layer along training as colours, of one run (the first of the greatest depth)."""
        runs: list[dict[str, Any]] = self._study.result["runs"]
        id: str = max(runs, key=lambda r: r["depth"])["id"] if run is None else run
        norms = self._study.norms(id)
        parts = [name for name in norms if name != "iterations" and not name.endswith("_displacement")]
        chosen = part or ("A" if "A" in parts else sorted(parts)[0])
        if chosen not in parts:
            raise Error(f"plot: heat: part: got {chosen!r}, want one of {', '.join(sorted(parts))}")
        values: Any = norms[chosen + "_displacement" if displacement else chosen]
        at = norms["iterations"]
        depth = values.shape[1]
        pyplot = _pyplot()
        ax = self._axes(ax)
        # A cell begins halfway to the record before it; iterations are thinned, so the axis is that of log(1 + t).
        x = np.log1p(at)
        edges = np.concatenate([[x[0]], (x[1:] + x[:-1]) / 2, [x[-1]]]) if len(x) > 1 else np.asarray([x[0], x[0] + 1])
        mesh = ax.pcolormesh(
            edges, (np.arange(depth + 1) + 0.5) / depth, values.T, cmap="viridis", shading="flat", rasterized=True
        )
        ticks = [t for t in (0, 1, 10, 100, 1000, 10_000, 100_000) if t <= at[-1]]
        ax.set_xticks(np.log1p(ticks), labels=[str(t) for t in ticks])
        bar = pyplot.colorbar(mesh, ax=ax)
        bar.set_label(rf"$\|{chosen}_k(t)-{chosen}_k(0)\|_F$" if displacement else rf"$\|{chosen}_k(t)\|_F$")
        ax.set_xlabel("iteration")
        ax.set_ylabel(r"$k/L$")
        return ax


def _known(value: Any) -> bool:
    return value is not None and math.isfinite(value)
