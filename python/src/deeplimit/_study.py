"""A study or run folder as tables."""

from __future__ import annotations

import html
import os
import warnings
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from deeplimit._error import Error
from deeplimit._frames import FRAMES, Columns, frame, received, typed
from deeplimit._pipe import call

if TYPE_CHECKING:
    from deeplimit._plot import Plots

# Parts of a table, with the names that this package gives them.
_RENAMED = {"run": "id"}


class Weights(np.ndarray[Any, np.dtype[np.float64]]):
    """Weights of a run along its layers, with their positions.

    Attributes:
        positions: k/L for the layers k = 1 … L, (L,).
        part: the name of the part, such as A.
        factor: what the stored weights were multiplied with: L^β of rescaled ones, else 1.

    """

    positions: npt.NDArray[np.float64]
    part: str
    factor: float

    def __array_finalize__(self, obj: Any) -> None:
        # What is cut out of weights is an array of other layers: it keeps the values alone.
        self.part, self.factor = getattr(obj, "part", ""), getattr(obj, "factor", 1.0)
        self.positions = np.empty(0)


class Study:
    """The runs of a folder, as ``deeplimit.load`` returns it. Tables are read when they are asked for.

    Attributes:
        path: of the folder.
        result: what ``deeplimit analyze --json`` prints.

    """

    def __init__(self, path: str, kind: str) -> None:
        if kind not in FRAMES:
            raise Error(f"load: frame: got {kind!r}, want one of {', '.join(FRAMES)}")
        self.path, self._kind = path, kind
        values, arrays = call("study", {"dir": path})
        self.result: dict[str, Any] = values["result"]
        self._runs = received(values["runs"], arrays)
        self._exponents = received(values["exponents"], arrays)
        self._keep: Any = None  # a temporary folder lives as long as the study that is read from it
        for damage in _list(self.result, "damaged"):
            warnings.warn(f"{damage['id']} is left out: {damage['error']}", stacklevel=4)

    # Groups and their labels.

    @cached_property
    def labels(self) -> dict[str, str]:
        """The name of each group for people: its data and what the study varies; by group hash."""
        groups: list[dict[str, Any]] = self.result["groups"]
        named = [self._label(g) for g in groups]
        return {
            g["group"]: label if named.count(label) == 1 else f"{label} ({g['group'][:8]})"
            for g, label in zip(groups, named, strict=True)
        }

    def _label(self, group: Mapping[str, Any]) -> str:
        settings: dict[str, str] = _get(group, "settings")
        last = [name.rsplit(".", 1)[-1] for name in settings]
        names = [short if last.count(short) == 1 else name for name, short in zip(settings, last, strict=True)]
        parts = [f"{name}={value}" for name, value in zip(names, settings.values(), strict=True)]
        return ", ".join([group["data"] or "unnamed", *parts])

    def _settings(self, settings: list[Mapping[str, str]], taken: Columns) -> Columns:
        """Return the columns of what the study varies; a name that is taken gets a prefix."""
        names = sorted({name for s in settings for name in s})
        return {f"settings.{name}" if name in taken else name: typed([s.get(name) for s in settings]) for name in names}

    def _with_settings(self, columns: Columns) -> Columns:
        """Put labels beside the hashes of groups, and columns in the place of the JSON text of settings."""
        by_group = {g["group"]: _get(g, "settings") for g in self.result["groups"]}
        groups: list[str] = list(columns["group"])
        out: Columns = {}
        for name, column in columns.items():
            if name == "settings":
                out |= self._settings([by_group.get(g, {}) for g in groups], columns)
            elif name == "group":
                out["label"] = [self.labels.get(g, g) for g in groups]
                out["group"] = column
            else:
                out[_RENAMED.get(name, name)] = column
        return out

    # Tables.

    @cached_property
    def runs(self) -> Any:
        """One row a finished run: ``id``, label, settings that vary, depth, seed, loss, rate, norms, variations.

        Norms are of the weights as trained; ``v_p`` and ``quadratic_variation`` are of the rescaled path L^β A, sums
        without the root. What is not known is NaN (null in polars). In pandas ``id`` is the index, too.
        """
        columns = self._with_settings(self._runs)
        return frame({"id": columns.pop("id"), **columns}, self._kind, "id")

    @cached_property
    def iterations(self) -> Any:
        """One row a run and recorded iteration: loss, gradient norm, step size, norms; ``run`` is the id."""
        ids: list[str] = list(self._runs["run"])
        listed, arrays = call("iterations", {"dir": self.path, "runs": ids})
        columns = received(listed, arrays)
        columns = {
            "run": columns.pop("run"),
            "label": [self.labels.get(g, g) for g in columns["group"]],
            **columns,
        }
        return frame(columns, self._kind)

    @cached_property
    def exponents(self) -> Any:
        """One row a group, part and quantity: estimate, the 95 % interval ``low``, ``high``, and how many runs.

        Slopes of log quantity in log L over the depths there are; ``quantity`` v_p is that of V_p. A ``missing``
        text says why there is no estimate.
        """
        return frame(self._with_settings(self._exponents), self._kind)

    @cached_property
    def groups(self) -> Any:
        """One row a group, runs that differ in depth and seed alone: label, settings, depths, α + β̂, kind of limit."""
        groups: list[dict[str, Any]] = self.result["groups"]
        get = _estimates(groups)
        regimes = [_get(g, "regime") for g in groups]
        verdicts: list[str | None] = [r.get("verdict") for r in regimes]
        columns: Columns = {
            "label": [self.labels[g["group"]] for g in groups],
            "group": [g["group"] for g in groups],
            "data": [g["data"] for g in groups],
            "block": [g["block"] for g in groups],
            "activation": [g["activation"] for g in groups],
            "alpha": np.asarray([g["alpha"] for g in groups], dtype=np.float64),
            "runs": np.asarray([g["runs"] for g in groups], dtype=np.int64),
            "diverged": np.asarray([g.get("diverged", 0) for g in groups], dtype=np.int64),
            "depths": [" ".join(map(str, g["depths"])) for g in groups],
            "seeds": np.asarray([len(g["seeds"]) for g in groups], dtype=np.int64),
            **get("alpha_plus_beta", "alpha_plus_beta_estimate", "value"),
            **get("variation_index", "variation_index", "index"),
            "limit": verdicts,
            "limit_probability": np.asarray(
                [_get(r, "probability").get(v, np.nan) if v else np.nan for r, v in zip(regimes, verdicts, strict=True)],
                dtype=np.float64,
            ),
            "linear_runs": np.asarray([_get(g, "rate").get("linear", 0) for g in groups], dtype=np.int64),
        }
        settings = self._settings([_get(g, "settings") for g in groups], columns)
        head = {name: columns.pop(name) for name in ("label", "group", "data")}
        return frame({**head, **settings, **columns}, self._kind)

    @cached_property
    def certificates(self) -> Any:
        """One row a run and statement: hypotheses with what was got and wanted, bounds with value, measured, slack.

        ``verdict`` is that of the statement, ``run_verdict`` that of ``deeplimit certify``. Iteration −1 is the
        whole run.
        """
        rows = [row for id in self._runs["run"] for row in self._statements(id)]
        texts = ("run", "run_verdict", "kind", "name", "verdict", "got", "want", "formula", "reason")
        columns: Columns = {name: [row.get(name) for row in rows] for name in texts}
        for name in ("value", "measured", "slack"):
            columns[name] = np.asarray([_float(row.get(name)) for row in rows], dtype=np.float64)
        for name in ("depth", "iteration"):
            columns[name] = np.asarray([row.get(name, -1) for row in rows], dtype=np.int64)
        order = (
            "run",
            "depth",
            "run_verdict",
            "kind",
            "iteration",
            "name",
            "verdict",
            "value",
            "measured",
            "slack",
        )
        return frame({**{name: columns.pop(name) for name in order}, **columns}, self._kind)

    def _statements(self, id: str) -> Iterator[dict[str, Any]]:
        report, _ = call("certificates", {"dir": self.path, "run": id})
        base = {"run": id, "depth": report["depth"], "run_verdict": report["verdict"]}
        for h in _list(report, "hypotheses"):
            yield {**base, **h, "kind": "hypothesis", "verdict": "met" if h["met"] else "not met"}
        for iterate in _list(report, "iterates"):
            for bound in _list(iterate, "bounds"):
                yield {**base, **bound, "kind": "bound", "iteration": iterate["iteration"]}
        for bound in _list(report, "way"):
            yield {**base, **bound, "kind": "way"}

    # Arrays.

    def weights(self, id: str, rescaled: bool = True, part: str | None = None) -> Weights:
        """Return weights of a run along the layers.

        Args:
            id: of the run.
            rescaled: whether they are multiplied with L^β, β = 1 − α.
            part: A, or V and W of a block of two maps, b and c of biases, ``A_initial``… as the file has them; by
                default A or V.

        Returns:
            (L, d, d) of matrices, (L, d) of biases, with ``.positions`` k/L, (L,).

        Raises:
            Error: no such run or part, or a damaged file.

        """
        values, arrays = call("weights", {"dir": self.path, "run": id, "part": part or "", "rescaled": bool(rescaled)})
        (array,) = arrays.values()
        out: Weights = cast("Any", array).view(Weights)
        out.positions = np.arange(1, len(array) + 1) / len(array)
        out.part, out.factor = values["part"], values["factor"]
        return out

    def norms(self, id: str) -> dict[str, npt.NDArray[np.float64]]:
        """Return the Frobenius norms of every layer along training, (M, L) for each part and M ``iterations``.

        ``A_displacement`` has ‖A_k(t) − A_k(0)‖.

        Raises:
            Error: the run recorded none (train.norms was off, or its weights come from elsewhere).

        """
        _, arrays = call("norms", {"dir": self.path, "run": id})
        if not arrays:
            raise Error(f"{id}: got no norms of layers, want a run that recorded them (train.norms)")
        return arrays

    # Texts.

    def summary(self) -> str:
        """Return what the runs say, in the sentences of the report."""
        lines: list[str] = []
        for group in self.result["groups"]:
            lines += [self.labels[group["group"]], *(f"  {w}" for w in group["words"]), ""]
        unfinished = _list(self.result, "unfinished")
        if unfinished:
            named = ", ".join(unfinished[:5]) + " …" * (len(unfinished) > 5)
            lines.append(f"{len(unfinished)} runs are not finished: {named}")
        return "\n".join(lines).rstrip()

    @property
    def plot(self) -> Plots:
        """Figures in the style of the report: each method takes axes of matplotlib and returns them."""
        from deeplimit._plot import Plots

        return Plots(self)

    def __repr__(self) -> str:
        runs, groups = len(self._runs["run"]), len(self.result["groups"])
        return f"Study({self.result['study']!r}: {runs} runs, {groups} group{'s' * (groups != 1)}, {self.path})"

    def _repr_html_(self) -> str:
        out: list[str] = [f"<h3>{html.escape(self.result['study'])}</h3>"]
        for group in self.result["groups"]:
            out.append(f"<h4>{html.escape(self.labels[group['group']])}</h4><ul>")
            out += [f"<li>{html.escape(words)}</li>" for words in group["words"]]
            heads = ("quantity", "exponent in depth, 95 % interval", "runs")
            out.append("</ul><table><tr>" + "".join(f"<th>{head}</th>" for head in heads) + "</tr>")
            rows: dict[str, Any] = {"α + β̂": group.get("alpha_plus_beta_estimate"), **_get(group, "exponents")}
            rows |= {f"V_{p}": slope for p, slope in _get(group, "variation_slopes").items()}
            for name, e in rows.items():
                if e:
                    cells = (name, e.get("text", ""), e.get("runs", ""))
                    out.append("<tr>" + "".join(f"<td>{html.escape(str(c))}</td>" for c in cells) + "</tr>")
            out.append("</table>")
        for id in _list(self.result, "unfinished"):
            out.append(f"<p>not finished: {html.escape(id)}</p>")
        return "".join(out)


def _estimates(groups: list[dict[str, Any]]) -> Any:
    """Return what makes the columns of an estimate: value, low and high."""

    def columns(name: str, key: str, value: str) -> Columns:
        found = [_get(g, key) for g in groups]
        ends = (("", value), ("_low", "low"), ("_high", "high"))
        return {name + end: np.asarray([_float(f.get(field)) for f in found], dtype=np.float64) for end, field in ends}

    return columns


def _get(of: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Return the mapping of a key, empty where it is absent or null."""
    return of.get(key) or {}


def _list(of: Mapping[str, Any], key: str) -> list[Any]:
    """Return the list of a key, likewise."""
    return of.get(key) or []


def _float(value: Any) -> float:
    return np.nan if value is None else float(value)


def load(dir: str | os.PathLike[str], *, frame: str = "pandas") -> Study:
    """Return the study or run in a folder, as ``deeplimit run`` or ``deeplimit import`` left it.

    Args:
        dir: folder of a study or of one run.
        frame: ``pandas`` or ``polars``, what tables are.

    Raises:
        Error: no such folder, or one without runs.

    Warns:
        UserWarning: a damaged run is left out.

    >>> import deeplimit
    >>> study = deeplimit.load(demo_dir)
    >>> study.runs[["depth", "seed"]].drop_duplicates().shape
    (6, 2)

    """
    path = os.fspath(dir)
    if not os.path.isdir(path):
        raise Error(f"load: {path}: got no folder, want that of a study or of a run")
    return Study(os.path.abspath(path), frame)
