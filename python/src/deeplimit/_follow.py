"""A process of the program that shows a recording while it goes on, and outlives the trainer."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
import weakref
from collections.abc import Sequence
from typing import Any, cast

from deeplimit._error import Error
from deeplimit._program import program

# Those of this process, for a child that is forked from it, such as a worker that loads data.
_all: weakref.WeakSet[Follower] = weakref.WeakSet()


class Follower:
    """``deeplimit record``: it measures each checkpoint that it is told of, for ``status`` and ``serve``.

    Attributes:
        run: name of the run folder, known after the first checkpoint.

    """

    def __init__(self, arguments: Sequence[str]) -> None:
        self.run = ""
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 (it lives as long as the process)
        try:
            # A session of its own keeps an interrupt of the terminal from it.
            self._process = subprocess.Popen(
                [program(), "record", *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._said,
                start_new_session=True,
            )
        except OSError as error:
            self._said.close()
            raise Error(f"starting the program: {error}") from error
        if hasattr(os, "setpriority"):
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, self._process.pid, 10)  # the trainer comes first
        _all.add(self)
        self._answer()  # the folder of the study is there

    def _answer(self) -> str:
        """Return the next line that the program says.

        Raises:
            Error: it has ended, with its words.

        """
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            raise Error(self.trouble())
        return line.decode().strip()

    def trouble(self) -> str:
        """Return what the program has said on its standard error."""
        self._said.seek(0)
        text = self._said.read(1 << 16).decode(errors="replace").strip().replace("deeplimit: ", "")
        return text or f"the program that shows the recording ended with exit code {self._process.poll()}"

    def tell(self, step: int) -> None:
        """Tell it that the checkpoint of a step is there; wait for the first one to be understood.

        Raises:
            Error: the weights can be read in two ways; the program names the flag that decides.

        """
        self._write(f"{step}\n")
        if not self.run:
            self.run = self._answer()

    def _write(self, text: str) -> None:
        assert self._process.stdin is not None
        # One that was killed shows no more; checkpoints are what counts, and are written all the same.
        with contextlib.suppress(OSError, ValueError):
            self._process.stdin.write(text.encode())
            self._process.stdin.flush()

    def end(self) -> str:
        """Say that the recording is over, wait for the program, and return what went wrong in it, "" for nothing."""
        self._write("end\n")
        for stream in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                cast("Any", stream).close()
        trouble = self.trouble() if self._process.wait() else ""
        _all.discard(self)
        self._said.close()
        return trouble

    def forget(self) -> None:
        """Close the pipe of the parent: the program would take a forked child for a trainer that lives."""
        with contextlib.suppress(OSError, ValueError):
            cast("Any", self._process.stdin).raw.close()


def _forget() -> None:
    for follower in list(_all):
        follower.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
