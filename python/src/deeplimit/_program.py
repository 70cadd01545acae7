"""The program that the wheel carries."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from deeplimit._error import Error


def program() -> str:
    """Return the path of the program: $DEEPLIMIT_PROGRAM, or the one of this package.

    Raises:
        Error: there is none, as in a checkout without a wheel.

    """
    named = os.environ.get("DEEPLIMIT_PROGRAM")
    if named:
        return named
    name = "deeplimit.exe" if os.name == "nt" else "deeplimit"
    path = Path(__file__).parent / "bin" / name
    if not path.is_file():
        raise Error(f"{path}: no program there, want a wheel (make wheel), or its path in DEEPLIMIT_PROGRAM")
    return str(path)


def main() -> int:
    """Be the command ``deeplimit``."""
    try:
        path = program()
    except Error as error:
        print(f"deeplimit: {error}", file=sys.stderr)
        return 2
    if os.name == "nt":
        return subprocess.call([path, *sys.argv[1:]])
    os.execv(path, [path, *sys.argv[1:]])
