# SPDX-License-Identifier: GPL-3.0-or-later
"""From what a node has to what it should have: refusals first, then files, entry, one boot, default. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from shlex import quote

from eyrie.errors import EyrieError
from eyrie.kernels import bootloaders
from eyrie.kernels.bootloaders import Edit, Entry
from eyrie.kernels.bootloaders.grub2 import Grub2
from eyrie.kernels.bundle import BOOT_FILES, Bundle
from eyrie.kernels.node import COPY_ON_WRITE, SEARCH_PATH, STAMP, NodeKernels
from eyrie.kernels.release import Build, is_release, is_word

# Unpacked beside what is there, before the old files go.
COPIES = 2


@dataclass(frozen=True)
class Wanted:
    """The pool's kernel, as one node shall have it."""

    release: str
    bundle: Bundle | None  # none: a node that runs the release already needs none
    needs_hpc: bool
    words: tuple[str, ...] = ()
    bootloader: str = "auto"

    def __post_init__(self) -> None:
        """Refuse what must not get into a shell or a bootloader's configuration."""
        if not is_release(self.release):
            wanted = "such as 2.4.26-om"
            raise EyrieError(
                "release of the kernel", seen=self.release, wanted=wanted, next_step="correct it"
            )
        for word in self.words:
            if not is_word(word):
                wanted = "letters, digits and _.,:/=@%+-"
                raise EyrieError("word for the kernel's command line", seen=word, wanted=wanted)

    @property
    def entry(self) -> Entry:
        """Return what the bootloader shall know."""
        return Entry(self.release, self.bundle.has_initrd if self.bundle else False, self.words)

    @property
    def build(self) -> Build | None:
        """Return the exact build, if it is known."""
        return self.bundle.build if self.bundle else None


@dataclass(frozen=True)
class Install:
    """What is missing on a node."""

    files: bool = False
    edit: Edit = field(default_factory=Edit)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be done."""
        return not self.files and not self.edit.texts


def ails(node: NodeKernels, wanted: Wanted) -> str:
    """Say why the running kernel is not the pool's, or is not well; nothing if all is right."""
    if node.running.release != wanted.release:
        return f"runs {node.running.release}"
    if wanted.build is not None and node.running != wanted.build:
        return f"runs another build of it, {node.running.built}"
    if wanted.needs_hpc and not node.has_hpc:
        return f"runs {node.running.release}, but has no /proc/hpc"
    return ""


def needs_keeping(node: NodeKernels, wanted: Wanted) -> bool:
    """Whether the pool's kernel runs by our own entry, but was not yet made the default."""
    ours = [text for text in node.texts.values() if bootloaders.has_block(text)]
    if not any(wanted.entry.image in text for text in ours):
        return False
    return not bootloaders.find(node.texts, wanted.bootloader).is_kept(node.texts, wanted.entry)


def install(node: NodeKernels, wanted: Wanted) -> Install:
    """Plan files and entry; refuse what would leave a node without a kernel to fall back to."""
    bundle = wanted.bundle
    if bundle is None:
        raise EyrieError(
            "kernel to install",
            seen="none",
            wanted=f"an archive of {wanted.release}, since the node {ails(node, wanted)}",
            next_step="set openmosix_kernel_archive, or have it built (openmosix_kernel_source)",
        )
    if node.running.release == wanted.release:
        raise EyrieError(
            f"another build of {wanted.release} runs on the node",
            seen=str(node.running),
            wanted=str(bundle.build),
            next_step="give it a release of its own (EXTRAVERSION): it would overwrite what to fall back to",
        )
    loader = bootloaders.find(node.texts, wanted.bootloader)
    if isinstance(loader, Grub2):
        _refuse_unwritable(node)
    has_files = node.stamp == bundle.digest and all(node.sums.get(name) == md5 for name, md5 in bundle.boot)
    if not has_files:
        _refuse_full(node, bundle)
    return Install(not has_files, loader.add(node.texts, wanted.entry, node.command_line))


def install_script(release: str, bundle: Bundle) -> str:
    """Return the script that takes the archive on its standard input and puts every file in place at once."""
    staging, target = f"/lib/modules/.eyrie-{release}", f"/lib/modules/{release}"
    sums = "\n".join(f"check {name} {md5}" for name, md5 in bundle.boot)
    moves = "\n".join(f"place {name}" for name, _ in bundle.boot)
    gone = " ".join(sorted(_boot_files(release) - {f"/boot/{name}" for name, _ in bundle.boot}))
    return f"""
{SEARCH_PATH}
set -e
umask 022
check() {{
    if [ "$(md5sum < boot/$1 | cut -c1-32)" != $2 ]; then echo "$1 arrived damaged" >&2; exit 1; fi
}}
place() {{ cp boot/$1 /boot/.eyrie-new; chmod 644 /boot/.eyrie-new; sync; mv -f /boot/.eyrie-new /boot/$1; }}
mkdir -p /lib/modules /boot
rm -rf {staging}
mkdir {staging}
cd {staging}
tar -xf -
{sums}
mkdir -p lib/modules/{release}
echo {bundle.digest} > lib/modules/{release}/{STAMP}
{moves}
rm -rf {target}.eyrie-old
if [ -d {target} ]; then mv {target} {target}.eyrie-old; fi
mv lib/modules/{release} {target}
cd /
rm -rf {staging} {target}.eyrie-old
rm -f {gone}
sync
""".strip()


def remove_script(release: str) -> str:
    """Return the script that removes every file of a release."""
    boot = " ".join(sorted(_boot_files(release)))
    return f"{SEARCH_PATH}\nrm -f {boot}\nrm -rf /lib/modules/{release} /lib/modules/.eyrie-{release}\nsync"


def edit_script(edit: Edit) -> str:
    """Return the script that writes the files, each at once, and puts all back if a command then fails."""
    writes = "\n".join(f"write {quote(path)} {quote(text)}" for path, text in edit.texts.items())
    backs = "; ".join(f"back {quote(path)}" for path in edit.texts)
    forgets = "\n".join(f"rm -f {quote(path)}.eyrie-old" for path in edit.texts)
    commands = " && ".join(edit.commands) or "true"
    return f"""
{SEARCH_PATH}
set -e
umask 022
write() {{
    rm -f "$1.eyrie-old" "$1.eyrie-new"
    if [ -f "$1" ]; then cp -p "$1" "$1.eyrie-old"; cp -p "$1" "$1.eyrie-new"; fi
    printf '%s' "$2" > "$1.eyrie-new"
    sync
    mv -f "$1.eyrie-new" "$1"
    if [ -z "$2" ]; then rm -f "$1"; fi
}}
back() {{ if [ -f "$1.eyrie-old" ]; then mv -f "$1.eyrie-old" "$1"; else rm -f "$1"; fi; }}
{writes}
if ! ( {commands} ) >&2; then
    {backs or ":"}
    exit 1
fi
{forgets}
sync
""".strip()


def _boot_files(release: str) -> set[str]:
    return {f"/boot/{kind}-{release}" for kind in BOOT_FILES}


def _refuse_unwritable(node: NodeKernels) -> None:
    device, kind = node.boot_file_system
    if kind in COPY_ON_WRITE or device.startswith(("/dev/mapper/", "/dev/dm-", "/dev/md")):
        raise EyrieError(
            "place of GRUB's environment block, /boot/grub",
            seen=f"{kind} on {device}",
            wanted="a plain file system (ext2/3/4, xfs) on a plain partition, which GRUB can write",
            next_step="give /boot a partition of its own: else a kernel that panics is tried again for ever",
        )


def _refuse_full(node: NodeKernels, bundle: Bundle) -> None:
    needed = COPIES * len(bundle.archive) // 1024 + 1024
    for folder, free in node.free_kib.items():
        if 0 <= free < needed:
            raise EyrieError(
                f"room in {folder} on the node",
                seen=f"{free} KiB free",
                wanted=f"{needed} KiB",
                next_step="remove old kernels there; nothing was changed",
            )
