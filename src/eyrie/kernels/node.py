# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node says of its kernels: one POSIX sh script to ask, and a parser for what it prints. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from eyrie.errors import EyrieError
from eyrie.kernels import bootloaders
from eyrie.kernels.release import Build, of_banner

# File systems that GRUB reads but never writes: there `next_entry` would never be cleared.
COPY_ON_WRITE = ("btrfs", "f2fs", "zfs", "squashfs", "iso9660", "overlay", "tmpfs", "ramfs")
STAMP = ".eyrie"
# A shell that ssh starts on an old node looks in /bin and /usr/bin alone.
SEARCH_PATH = "PATH=/sbin:/usr/sbin:/usr/local/sbin:$PATH; export PATH"
_MARK = "@@eyrie"
_SHOWN = re.compile(rf"^{_MARK} file (\S+)\n(.*?)\n{_MARK} end$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class NodeKernels:
    """One reading."""

    running: Build
    boot_id: str
    command_line: str
    has_hpc: bool
    texts: Mapping[str, str]  # the bootloaders' files
    sums: Mapping[str, str]  # name in /boot -> MD5, of the files asked for
    stamp: str  # mark of the bundle that is installed
    has_modules: bool
    mounts: str  # /proc/mounts
    free_kib: Mapping[str, int]  # folder -> room

    @property
    def boot_file_system(self) -> tuple[str, str]:
        """Return device and type of what /boot/grub lies on."""
        best = ("", "", "")
        for line in self.mounts.splitlines():
            device, point, kind = line.split()[:3]
            inside = point == "/" or "/boot/grub/".startswith(point.rstrip("/") + "/")
            if inside and len(point) >= len(best[1]):  # what is mounted last is what is seen
                best = (device, point, kind)
        return best[0], best[2]


def read_script(release: str, names: Sequence[str]) -> str:
    """Return the script that reads everything in one round trip."""
    files = " ".join(shlex.quote(path) for path in bootloaders.FILES)
    boot = " ".join(shlex.quote(f"/boot/{name}") for name in names)
    modules = shlex.quote(f"/lib/modules/{release}")
    return f"""
{SEARCH_PATH}
show() {{ if [ -f "$1" ]; then echo "{_MARK} file $1"; cat "$1"; echo; echo "{_MARK} end"; fi; }}
echo "hpc=$([ -d /proc/hpc/admin ] && echo 1)"
echo "boot_id=$(cat /proc/sys/kernel/random/boot_id 2>/dev/null || grep btime /proc/stat)"
echo "modules=$([ -d {modules} ] && echo 1)"
for folder in /boot /lib/modules; do
    echo free=$folder $(df -k $folder 2>/dev/null | sed 1d)
done
for file in {boot}; do if [ -f "$file" ]; then echo "sum=$(md5sum "$file")"; fi; done
for file in /proc/version /proc/cmdline /proc/mounts {modules}/{STAMP} {files}; do show "$file"; done
echo done=1
""".strip()


def parse(output: str, release: str) -> NodeKernels:
    """Parse what the script printed."""
    text = output.replace("\r\n", "\n")
    shown: dict[str, str] = dict(_SHOWN.findall(text))
    rest = _SHOWN.sub("", text)
    pairs = [
        (key, value) for key, found, value in (line.partition("=") for line in rest.splitlines()) if found
    ]
    values = dict(pairs)
    if "done" not in values or "/proc/version" not in shown:
        raise EyrieError("what the node says of its kernels", seen=text[-300:], wanted="a whole answer")
    return NodeKernels(
        running=of_banner(shown["/proc/version"]),
        boot_id=values.get("boot_id", ""),
        command_line=shown.get("/proc/cmdline", "").strip(),
        has_hpc=values.get("hpc") == "1",
        texts={path: content for path, content in shown.items() if path in bootloaders.FILES},
        sums=_sums(value for key, value in pairs if key == "sum"),
        stamp=shown.get(f"/lib/modules/{release}/{STAMP}", "").strip(),
        has_modules=values.get("modules") == "1",
        mounts=shown.get("/proc/mounts", ""),
        free_kib=dict(_free(value) for key, value in pairs if key == "free"),
    )


def _sums(values: Iterable[str]) -> dict[str, str]:
    found = {}
    for value in values:
        digest, _, path = value.partition(" ")
        found[path.strip().removeprefix("*").rpartition("/")[2]] = digest
    return found


def _free(value: str) -> tuple[str, int]:
    """Read `FOLDER DEVICE TOTAL USED FREE ...`: an old df breaks the line behind a long device name."""
    folder, *words = value.split()
    numbers = [int(word) for word in words if word.isdigit()]
    return folder, numbers[2] if len(numbers) > 2 else -1
