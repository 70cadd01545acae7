"""What a reader must know about the machine that times came from."""

import os
import platform
import shutil
import subprocess
from pathlib import Path

FEATURES = ("fma", "avx2", "avx512f", "avx512vl", "amx_tile")


def describe():
    """Facts by name; a fact the system does not tell is "unknown"."""
    info = _pairs("/proc/cpuinfo", ":")
    memory = _pairs("/proc/meminfo", ":").get("MemTotal", "0 kB").split()[0]
    flags = info.get("flags", "").split()
    return {
        "cpu": f"{info.get('model name', platform.processor() or 'unknown')} "
        f"(family {info.get('cpu family', '?')}, model {info.get('model', '?')})",
        "cores": os.cpu_count(),
        "features": [f for f in FEATURES if f in flags],
        "caches": _caches(),
        "memory_gib": round(int(memory) / 2**20),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "compiler": _first_line("c++", "--version"),
        "load_before": os.getloadavg()[0],
    }


def commit(folder):
    """The commit checked out in the folder, "" where it is no checkout, and whether
    tracked files differ from it."""
    git = ("git", "-C", folder)
    return _first_line(*git, "rev-parse", "HEAD"), _first_line(*git, "status", "--porcelain", "-uno") != ""


def _pairs(path, separator):
    """The first value of every name in a file of lines NAME separator VALUE."""
    pairs = {}
    try:
        with open(path) as lines:
            for line in lines:
                name, found, value = line.partition(separator)
                if found:
                    pairs.setdefault(name.strip(), value.strip())
    except OSError:
        pass
    return pairs


def _caches():
    """Sizes of the first core's caches, such as "L1d 32K, L2 1024K, L3 32768K"."""
    sizes = []
    for folder in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, kind, size = ((folder / name).read_text().strip() for name in ("level", "type", "size"))
        if kind != "Instruction":
            sizes.append(f"L{level}{'d' if kind == 'Data' else ''} {size}")
    return ", ".join(sizes) or "caches unknown"


def _first_line(*command):
    if shutil.which(command[0]) is None:
        return ""
    out = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    return out.splitlines()[0] if out else ""
