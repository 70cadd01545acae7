"""What a reader must know about the machine that times came from."""

import os
import platform
import shutil
import subprocess

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
    names = (("LEVEL1_DCACHE_SIZE", "L1d"), ("LEVEL2_CACHE_SIZE", "L2"), ("LEVEL3_CACHE_SIZE", "L3"))
    sizes = []
    for key, name in names:
        size = int((_first_line("getconf", key) or "0").strip() or 0)
        sizes.append(f"{name} {size // 1024} KiB" if size else f"{name} unknown")
    return ", ".join(sizes)


def _first_line(*command):
    if shutil.which(command[0]) is None:
        return ""
    out = subprocess.run(command, stdout=subprocess.PIPE, text=True).stdout
    return out.splitlines()[0] if out else ""
