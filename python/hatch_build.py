"""Put the program into the wheel, and the platform it was built for into the wheel's name."""

import os
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# The program is built without cgo and needs no C library, so one wheel serves glibc and musl.
TAGS = {
    "linux/amd64": "manylinux_2_17_x86_64.manylinux2014_x86_64.musllinux_1_1_x86_64",
    "linux/arm64": "manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64",
    "linux/riscv64": "manylinux_2_39_riscv64.musllinux_1_2_riscv64",
    "darwin/amd64": "macosx_12_0_x86_64",
    "darwin/arm64": "macosx_12_0_arm64",
    "windows/amd64": "win_amd64",
    "windows/arm64": "win_arm64",
}


class CustomBuildHook(BuildHookInterface):
    def initialize(self, version, build_data):
        if version == "editable":
            return
        platform = os.environ.get("DEEPLIMIT_PLATFORM", "linux/amd64")
        if platform not in TAGS:
            raise SystemExit(f"DEEPLIMIT_PLATFORM: got {platform!r}, want one of {', '.join(TAGS)}")
        name = "deeplimit.exe" if platform.startswith("windows/") else "deeplimit"
        program = Path(os.environ.get("DEEPLIMIT_PROGRAM") or Path(self.root, "build", name))
        if not program.is_file():
            raise SystemExit(f"{program}: no program there, want `make wheel` in the folder above to build it")
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{TAGS[platform]}"
        build_data["force_include"][str(program)] = f"deeplimit/bin/{name}"
