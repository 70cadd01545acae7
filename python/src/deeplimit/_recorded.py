"""Run folders of what was recorded."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import shutil
import tempfile
import warnings
from collections.abc import Generator
from pathlib import Path
from typing import Any

from deeplimit._commands import ALPHA, as_stored, import_checkpoints, states_of_runs
from deeplimit._error import Error
from deeplimit._recorder import DESCRIPTION, RECORDINGS, Recorder, about, keep_about, study_name
from deeplimit._study import Study, load

# Recorders of ``record`` by folder and seed, as it is called step by step.
recorders: dict[tuple[str, int], Recorder] = {}


def recorded(out: str | os.PathLike[str], *, frame: str = "pandas") -> Study:
    """Make the run folders of what was recorded in a folder, also by a trainer that has crashed, and return the study.

    A recording that another process goes on with is left to it.

    Args:
        out: folder that ``watch`` or ``record`` was given.
        frame: ``pandas`` or ``polars``, what tables are.

    Returns:
        The study of all recordings in the folder, as ``deeplimit.load`` returns it.

    Warns:
        UserWarning: depths are compared without alpha, which ``watch`` and ``record`` take.

    Raises:
        Error: no recording that has ended, or one that can be read in two ways.

    """
    folder = Path(os.path.abspath(os.fspath(out)))
    for (place, _), recorder in list(recorders.items()):
        if place == str(folder):
            recorder.finish()
    if not (folder / DESCRIPTION).is_file():
        raise Error(f"recorded: {folder}: got no recording, want the folder that watch or record was given")
    with _alone(folder):
        _make(folder)
    return load(folder, frame=frame)


def _make(folder: Path) -> None:
    flags: dict[str, Any] = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
    states = states_of_runs(str(folder))
    ended = [r for r in sorted((folder / RECORDINGS).iterdir()) if states.get(about(r).get("run", "")) != "running"]
    # Import beside it and move: readers see whole runs, and those of an earlier look are in the way of nothing.
    with tempfile.TemporaryDirectory(prefix=".importing-", dir=folder) as beside:
        table, made = Path(beside, "steps.csv"), Path(beside, "made")
        with table.open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["file", "seed", "step"])
            count = 0
            for recording in ended:
                for part in recording.glob("step*.part"):  # of a trainer that was killed
                    part.unlink()
                for path in recording.glob("step*.safetensors"):
                    rows.writerow([str(path), about(recording).get("seed", 1), path.stem.removeprefix("step")])
                    count += 1
        if not count:
            raise Error(f"recorded: {folder}: got no recording that has ended, want one")
        given = {"out": str(made), "name": study_name(folder), "steps": "series", "table": str(table)}
        runs = import_checkpoints([], {**given, **as_stored(flags), **flags})
        if as_stored(flags) and len({run["depth"] for run in runs}) > 1:
            warnings.warn(f"exponents are of the weights as they are, alpha=1: got no alpha, want {ALPHA}", stacklevel=4)
        for run in runs:
            _move(Path(run["source"]).parent, made / "runs" / run["id"], folder / "runs")
        for name in ("study.yaml", "study.json", "families.json"):
            if (made / name).exists():
                os.replace(made / name, folder / name)


def _move(recording: Path, made: Path, to: Path) -> None:
    """Put the run of a recording in the place of the one that showed it, and of an earlier one."""
    known = about(recording)
    if not (to / made.name).exists():
        os.replace(made, to / made.name)
    for earlier in {known.get("run"), known.get("made")} - {None, "", made.name}:
        shutil.rmtree(to / str(earlier), ignore_errors=True)
    keep_about(recording, made=made.name)


@contextlib.contextmanager
def _alone(folder: Path) -> Generator[None]:
    """Keep others that make runs of the same folder waiting."""
    with (folder / ".recorded.lock").open("w") as file:
        with contextlib.suppress(ImportError):  # Windows has no such locks
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield
