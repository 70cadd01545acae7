"""The commands of the program that are no questions: run, tune, certify, and import of a network in memory."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np

from deeplimit._error import Error
from deeplimit._frames import frame as make_frame
from deeplimit._program import program
from deeplimit._study import Study, load
from deeplimit._tensors import named, write

# Exit codes of the program.
DIVERGED, INTERRUPTED = 1, 130

Description = Mapping[str, Any] | str | os.PathLike[str]


def _command(
    arguments: Sequence[str], said: Callable[[str], None] | None = None, accepted: Sequence[int] = (0, DIVERGED)
) -> str:
    """Run a command and return its standard output. An interrupt goes on to it, and it leaves a checkpoint.

    Raises:
        Error: the command failed, in its words.
        KeyboardInterrupt: the interrupt came; the same call goes on.

    """
    process = subprocess.Popen(
        [program(), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        start_new_session=True,  # the interrupt comes once, from here
    )
    lines: list[str] = []
    out: list[str] = []

    def listen() -> None:
        assert process.stderr is not None
        for line in process.stderr:
            lines.append(line.rstrip("\n"))
            if said is not None:
                said(lines[-1])

    def collect() -> None:
        assert process.stdout is not None
        out.append(process.stdout.read())

    readers = [threading.Thread(target=target, daemon=True) for target in (listen, collect)]
    for reader in readers:
        reader.start()
    interrupted = False
    try:
        while True:
            try:
                process.wait()
                break
            except KeyboardInterrupt:
                interrupted = True
                process.send_signal(signal.SIGINT)  # the second one ends it at once
    except BaseException:
        process.kill()
        raise
    finally:
        for reader in readers:
            reader.join(timeout=10)
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()
    if interrupted or process.returncode == INTERRUPTED:
        raise KeyboardInterrupt("the runs left checkpoints, and the same call goes on")
    if process.returncode not in accepted:
        prefix = "deeplimit: "
        told = [line.removeprefix(prefix) for line in lines if line.startswith(prefix)]
        if process.returncode < 0:
            told.append(f"the program was ended by signal {-process.returncode}")
        raise Error("\n".join(told) or "\n".join(lines) or f"exit code {process.returncode}")
    return "".join(out)


def _plain(value: Any) -> Any:
    """Return numbers and lists of NumPy as JSON has them."""
    if isinstance(value, np.generic):
        return cast("Any", value).item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, os.PathLike):
        return os.fspath(cast("os.PathLike[str]", value))
    raise TypeError(f"got {type(value).__name__}, want numbers, texts, lists and mappings")


def import_checkpoints(files: Sequence[str], flags: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Be ``deeplimit import --json``, and return its runs."""
    return json.loads(_command(["import", *files, "--json", *flags_of(flags)]))["runs"]


ALPHA = "alpha=0 of networks without a factor L^−α before their blocks, alpha=a of those with L^−a"


def as_stored(flags: Mapping[str, Any]) -> dict[str, Any]:
    """Return what takes weights as they are, without a factor L^β, where flags do not say which one there is."""
    return {} if flags.get("alpha") is not None or flags.get("beta") is not None else {"alpha": 1}


def states_of_runs(folder: str) -> dict[str, str]:
    """Return how the runs of a study stand, by id, as ``deeplimit status`` tells."""
    text = _command(["status", folder, "--json"], accepted=(0, 1, 2))
    return {run["id"]: run["state"] for study in json.loads(text or "[]") for run in study["runs"]}


class _StudyFile:
    """The file of a study: the one that is named, or one of a mapping, beside which relative paths begin."""

    def __init__(self, study: Description) -> None:
        self._made: str | None = None
        if not isinstance(study, Mapping):
            self.path = os.fspath(study)
            return
        try:
            text = json.dumps(study, default=_plain, allow_nan=False, indent=1, ensure_ascii=False)
        except (TypeError, ValueError) as error:
            raise Error(f"study: {error}") from error
        # In the working folder: that is where the paths in a mapping begin.
        handle, self.path = tempfile.mkstemp(prefix=".study-", suffix=".yaml", dir=os.getcwd())
        self._made = self.path
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text + "\n")

    def __enter__(self) -> str:
        return self.path

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if self._made is None:
            return
        os.unlink(self._made)
        if isinstance(error, Error):  # the file is not what the caller knows
            raise Error(str(error).replace(self._made, "mapping")) from None


def flags_of(given: Mapping[str, Any]) -> list[str]:
    """Return keywords as flags: only="depth > 8" is --only; a list repeats the flag, a mapping has K=V."""
    out: list[str] = []
    for name, value in given.items():
        flag = "--" + name.strip("_").replace("_", "-")
        if value is None:
            continue
        if isinstance(value, bool):
            out.append(f"{flag}={str(value).lower()}")
        elif isinstance(value, Mapping):
            pairs = cast("Mapping[str, Any]", value).items()
            out += [f"{flag}={key}={v if isinstance(v, str) else json.dumps(v, default=_plain)}" for key, v in pairs]
        elif isinstance(value, (list, tuple)):
            out += [f"{flag}={v}" for v in cast("Sequence[Any]", value)]
        else:
            out.append(f"{flag}={value}")
    return out


class _Progress:
    """One line that says how many runs are done."""

    def __init__(self, out: str | None, wanted: bool) -> None:
        self._out, self._wanted, self._done, self._total, self._drawn, self._width = out, wanted, 0, 0, 0.0, 0

    def __call__(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        if word in ("done", "failed", "diverged"):
            self._done += 1
        if self._wanted and word in ("start", "done", "failed", "diverged", "tune:"):
            now = time.monotonic()
            if word != "start" and now - self._drawn < 0.1:
                return
            self._drawn = now
            self._draw(f"{self._done} of {self.total() or '…'} runs; {rest.strip()}")
        elif self._wanted and line.startswith(("warning:", "note:")):
            self.end()
            print(line, file=sys.stderr)

    def total(self) -> int:
        """Return how many runs the study has, 0 if that is not known yet."""
        if not self._total and self._out is not None:
            try:
                self._total = len(json.loads(Path(self._out, "runs.json").read_text(encoding="utf-8"))["runs"])
            except (OSError, ValueError, KeyError):
                return 0
        return self._total

    def _draw(self, text: str) -> None:
        text = text[:110]
        print("\r" + text + " " * max(0, self._width - len(text)), end="", file=sys.stderr, flush=True)
        self._width = len(text)

    def end(self) -> None:
        """End the line."""
        if self._width:
            print("\r" + " " * self._width + "\r", end="", file=sys.stderr, flush=True)
            self._width = 0


def _folder(study: Description, out: str | os.PathLike[str] | None, suffix: str = "") -> str | None:
    """Return the folder of the runs where it is known without reading the study."""
    if out is not None:
        return os.fspath(out)
    if isinstance(study, Mapping):
        name = study.get("name")
        if not isinstance(name, str) or not name:
            raise Error("study: name: got none, want one, or a folder in out")
        return os.path.join("runs", name + suffix)
    return None


def run(
    study: Description,
    out: str | os.PathLike[str] | None = None,
    *,
    set: Mapping[str, Any] | None = None,
    progress: bool = True,
    frame: str = "pandas",
    report: bool = False,
    **flags: Any,
) -> Study:
    """Train the runs of a study that are not done, and return the study.

    An interrupt (Ctrl-C, or stop in a notebook) ends the runs at their next iteration with a checkpoint; the same
    call goes on there.

    Args:
        study: a mapping as a study file has it, or the path of one.
        out: folder of the study, by default runs/<name>.
        set: fields of the study to override, {"network.alpha": 0.75}.
        progress: whether one line on standard error tells how far it is.
        frame: ``pandas`` or ``polars``, what tables are.
        report: whether to write figures and the page.
        flags: those of ``deeplimit run --help``: ``only="depth >= 64"``, ``jobs=4``, ``rerun="failed"``.

    Raises:
        Error: the study is wrong, or a run failed, in the words of the program.
        KeyboardInterrupt: the interrupt.

    >>> import deeplimit, tempfile
    >>> data = {"kind": "separated", "width": 4, "samples": 2, "distance": 0.3}
    >>> described = {"name": "doc", "depths": [8, 16], "data": data, "train": {"stop": {"iterations": 5}}}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     study = deeplimit.run(described, folder + "/doc", progress=False)
    ...     study.runs["iterations"].tolist()
    [5, 5]

    """
    folder = _folder(study, out)
    with _StudyFile(study) as path:
        told = _Progress(folder, progress)
        place = {"out": folder, "set": set, "json": True, "no-report": not report}
        try:
            text = _command(["run", path, *flags_of({**place, **flags})], told)
        finally:
            told.end()
    if folder is None:  # where the program puts a study of this name
        folder = os.path.join("runs", json.loads(text)["study"])
    return load(folder, frame=frame)


class Tuned(dict[str, Any]):
    """What ``deeplimit tune --json`` prints, with ``.best`` as a table: the best value at each depth.

    Attributes:
        path: folder of the runs.

    """

    path: str

    def __init__(self, answer: Mapping[str, Any], path: str, kind: str) -> None:
        super().__init__(answer)
        self.path, self._kind = path, kind

    @property
    def best(self) -> Any:
        """One row a group and depth: value, its 95 % interval, the range within a tenth of the least loss, seeds."""
        rows: list[dict[str, Any]] = []
        for group in self["groups"]:
            words = {"data": group["data"], "method": group["method"], "over": group["over"]}
            words |= group.get("settings") or {}
            found: list[dict[str, Any]] = group["best"] or []
            rows += [{**words, **best} for best in found]
        names = list(dict.fromkeys(name for row in rows for name in row))
        return make_frame({name: _column([row.get(name) for row in rows]) for name in names}, self._kind)

    def __repr__(self) -> str:
        lines = [f"tuned {self['study']}"]
        for group in self["groups"]:
            exponent = group.get("exponent")
            text = f"exponent in depth {exponent['text']}" if exponent else "no exponent in depth"
            lines.append(
                f"  {group['data']}, {group['method']}, {group['over']}: {text}; {group.get('verdict') or 'no verdict'}"
            )
        return "\n".join(lines)


def _column(values: list[Any]) -> Any:
    numbers = [v for v in values if v is not None]
    if numbers and all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in numbers):
        whole = len(numbers) == len(values) and all(isinstance(v, int) for v in numbers)
        return np.asarray([np.nan if v is None else v for v in values], dtype=np.int64 if whole else np.float64)
    return values


def tune(
    study: Description,
    out: str | os.PathLike[str] | None = None,
    *,
    over: str | Sequence[str] | None = None,
    set: Mapping[str, Any] | None = None,
    progress: bool = True,
    frame: str = "pandas",
    **flags: Any,
) -> Tuned:
    """Find the best step size, or another number, at every depth, and how it moves with depth.

    Args:
        study: a mapping as a study file has it, or the path of one.
        out: folder of the runs, by default runs/<name>-tune.
        over: the field that is tuned, by default ``train.step.value``.
        set: fields of the study to override.
        progress: whether one line on standard error tells how far it is.
        frame: ``pandas`` or ``polars``, what ``.best`` is.
        flags: those of ``deeplimit tune --help``: ``precision=1.3``, ``measure="test-loss"``.

    Raises:
        Error: the study is wrong, or nothing can be told.
        KeyboardInterrupt: the interrupt; the same call goes on.

    """
    folder = _folder(study, out, "-tune")
    with _StudyFile(study) as path:
        told = _Progress(folder, progress)
        listed = [over] if isinstance(over, str) else over
        try:
            text = _command(
                ["tune", path, *flags_of({"out": folder, "json": True, "over": listed, "set": set, **flags})], told
            )
        finally:
            told.end()
    answer = json.loads(text)
    if folder is None:
        folder = os.path.join("runs", answer["study"] + "-tune")
    return Tuned(answer, folder, frame)


class Certified(dict[str, Any]):
    """What ``deeplimit certify --json`` prints of a run."""

    def __repr__(self) -> str:
        return f"{self['run']}: {self['verdict']}" + (f" ({self['reason']})" if self.get("reason") else "")


def certify(run: str | os.PathLike[str], id: str | None = None, **flags: Any) -> Certified:
    """Return what is proved about a run: hypotheses, bounds, the certificate of convergence.

    Args:
        run: folder of the run, or of its study with ``id``.
        id: of the run in the study.
        flags: those of ``deeplimit certify --help``: ``kernel=True``, ``polish=True``, ``at=[0, 16]``.

    Returns:
        A mapping, as ``--json`` has it: ``verdict``, ``hypotheses``, ``iterates``, ``certificate``, ``promises`` …

    Raises:
        Error: no such run, or the run is not finished.

    """
    path = os.fspath(run)
    if id is not None:
        if id != os.path.basename(id):
            raise Error(f"certify: id: got {id!r}, want the name of a folder")
        path = os.path.join(path, "runs", id)
    return Certified(json.loads(_command(["certify", path, "--json", *flags_of(flags)])))


def analyze(
    network: Any,
    pattern: str | None = None,
    *,
    seeds: Sequence[int] | None = None,
    initial: Any = None,
    frame: str = "pandas",
    **flags: Any,
) -> Study:
    """Return the analysis of a network that is in memory, or of several of different depths.

    Args:
        network: a module or state dict of PyTorch, nested mappings of arrays (Flax, Haiku) or ``{name: array}``; a
            list of them is a study. (L, d, d) in one array is a network, too.
        pattern: the name of the weights with ``{k}`` for the layer and ``*`` for anything, ``"layers.{k}.weight"``.
        seeds: of a list, the seed of each network, 1 by default; two of one depth need different ones.
        initial: the initial weights of one network, of the same names; without them there is no displacement.
        frame: ``pandas`` or ``polars``, what tables are.
        flags: those of ``deeplimit import --help``: ``alpha=0`` of a network without a factor L^−α, ``convention="Ax"``,
            ``layers="1:30"``, ``bias_pattern=…``, ``preset=…``, ``beta=…``. Without alpha or beta the weights of a
            network are taken as they are, without a factor L^β, which is alpha=1; networks of several depths need it.

    Returns:
        The study of these weights; nothing of the network is changed.

    Raises:
        Error: the names or shapes can be read in two ways, or depths are compared without alpha; it names the flag
            that decides.

    >>> import deeplimit, numpy
    >>> layers = {f"layers.{k}.weight": numpy.eye(3) * k for k in range(4)}
    >>> study = deeplimit.analyze(layers, "layers.{k}.weight", alpha=0, convention="Ax")
    >>> study.runs["depth"].tolist(), round(study.runs["max_frobenius"].iloc[0] ** 2)
    ([4], 27)

    """
    several = isinstance(network, (list, tuple))
    networks = list(cast("Sequence[Any]", network)) if several else [network]
    if not networks:
        raise Error("analyze: got an empty list, want networks")
    if seeds is not None and (not several or len(seeds) != len(networks)):
        raise Error(f"analyze: seeds: got {len(seeds)}, want one for each network of a list")
    if initial is not None and several:
        raise Error("analyze: initial: got it beside a list, want one network")
    folder = tempfile.TemporaryDirectory(prefix="deeplimit-")
    try:
        files: list[str] = []
        for i, one in enumerate(networks):
            seed = 1 if seeds is None else int(seeds[i])
            file = Path(folder.name, f"seed{seed}-n{i}.safetensors" if several else "network.safetensors")
            write(file, named(one))
            files.append(str(file))
        extra: dict[str, Any] = {"name": "network", "pattern": pattern}
        if several:
            extra["names"] = "seed{seed}-*"
        if initial is not None:
            start = Path(folder.name, "initial.safetensors")
            write(start, named(initial))
            extra["initial"] = str(start)
        out = os.path.join(folder.name, "study")
        runs = import_checkpoints(files, {"out": out, **extra, **as_stored(flags), **flags})
        depths = sorted({run["depth"] for run in runs})
        if as_stored(flags) and len(depths) > 1:
            raise Error(f"analyze: alpha: got none for depths {', '.join(map(str, depths))}, want {ALPHA}")
        study = load(out, frame=frame)
    except Error as error:
        folder.cleanup()
        raise Error(str(error).replace(folder.name + os.sep, "")) from None
    except BaseException:
        folder.cleanup()
        raise
    study._keep = folder  # pyright: ignore[reportPrivateUsage]
    return study
