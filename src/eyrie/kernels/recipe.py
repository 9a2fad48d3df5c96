# SPDX-License-Identifier: GPL-3.0-or-later
"""How a kernel is built from source: what goes in, its name, and the commands in their order. Pure.

Source, patches, configuration and toolchain are files with a SHA-256; together with the release they are the
recipe's identity, by which a built kernel is found again.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from shlex import quote

from eyrie.errors import EyrieError

FORMAT = 1  # counted up when the way of building changes
_RELEASE = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?(.*)")
_SET = re.compile(r"^(CONFIG_\w+)=(.*)$", re.MULTILINE)
_HUNK = re.compile(r"^@@ .*$", re.MULTILINE)
TARGETS = ("bare", "colinux")
COMPILER = (
    "3.3"  # of coLinux 0.6.1 on the Windows side; another one can make the desktop boot (NEWS of 0.6.2)
)
_COLINUX = re.compile(r".*-co-\d+\.\d+\.\d+")
CONFIG_TARGETS = ("oldconfig", "olddefconfig", "allnoconfig")


@dataclass(frozen=True)
class Recipe:
    """What goes into a kernel; the files by their SHA-256."""

    release: str
    source: str
    patches: tuple[str, ...]
    config: str
    toolchain: str = ""  # none: the build host's own
    config_target: str = "oldconfig"
    target: str = "bare"  # what boots it: a machine's bootloader, or coLinux

    @property
    def identity(self) -> str:
        """Return the name under which the built kernel is kept."""
        values = asdict(self)
        if self.target == "bare":
            del values["target"]  # kernels that were built before there was another keep their names
        text = json.dumps([FORMAT, values], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def is_old(self) -> bool:
        """Whether it is a kernel before 2.6, which needs `make dep`."""
        major, minor, _, _ = version_parts(self.release)
        return (major, minor) < (2, 5)

    @property
    def image(self) -> str:
        """Return what the kernel is called in its archive, without its release."""
        return "vmlinux" if self.target == "colinux" else "vmlinuz"


def refuse_impossible(recipe: Recipe) -> None:
    """Refuse what cannot become the kernel of a guest."""
    version_parts(recipe.release)
    if recipe.target != "colinux":
        return
    if not _COLINUX.fullmatch(recipe.release):
        raise EyrieError(
            "release of a kernel for coLinux",
            seen=recipe.release,
            wanted="one that ends with coLinux's, such as 2.4.26-om1-co-0.6.1",
            next_step="correct openmosix_kernel_release: daemon, driver and kernel are of one version",
        )
    if not recipe.patches:
        raise EyrieError("patches of a kernel for coLinux", seen="none", wanted="openMosix's, then coLinux's")
    if recipe.is_old and not recipe.toolchain:
        raise EyrieError(
            "toolchain of a kernel for coLinux",
            seen="none",
            wanted=f"gcc {COMPILER}, as coLinux 0.6.1 itself was built: it does not look, and may crash",
            next_step="name the artefact openmosix_toolchain (openmosix_kernel_toolchain)",
        )


def version_parts(release: str) -> tuple[int, int, int, str]:
    """Split a release: the last part is what the Makefile calls EXTRAVERSION."""
    found = _RELEASE.fullmatch(release)
    if found is None:
        wanted = "three numbers and an extension, such as 2.4.26-om"
        raise EyrieError("release of the kernel", seen=release, wanted=wanted, next_step="correct it")
    major, minor, patch, extra = found.groups()
    return int(major), int(minor), int(patch or 0), extra


def unpack(source: str, tree: str) -> str:
    """Return the script that unpacks the source, whatever its one folder is called."""
    return f"""
rm -rf {quote(tree)} {quote(tree)}.new
mkdir -p {quote(tree)}.new
cd {quote(tree)}.new
tar -xf {quote(source)}
set -- *
if [ $# != 1 ] || [ ! -f "$1/Makefile" ]; then echo "no kernel source: $*" >&2; exit 1; fi
mv "$1" {quote(tree)}
rm -rf {quote(tree)}.new
""".strip()


def patch(file: str, tree: str) -> str:
    """Return the script that applies one patch; rejected hunks are printed for `refuse_rejects` to judge."""
    return f"""
cd {quote(tree)}
case {quote(file)} in
    *.tar.gz) tar -xzOf {quote(file)} --wildcards '*/patch/linux' ;; # coLinux's source, which brings it
    *.gz) zcat {quote(file)} ;;
    *.bz2) bzcat {quote(file)} ;;
    *.xz) xzcat {quote(file)} ;;
    *) cat {quote(file)} ;;
esac > .eyrie.patch
patch -p1 -N -s --no-backup-if-mismatch < .eyrie.patch > .eyrie.said 2>&1 || {{
    # Hunks for a file that is not there are ignored, and leave no reject.
    if [ $? != 1 ] || grep -q 'ignored$' .eyrie.said; then cat .eyrie.said >&2; exit 1; fi
}}
find . -name '*.rej' | while read -r name; do
    echo "@@@ $name"
    cat "$name"
    rm -f "$name"
done
rm -f .eyrie.patch .eyrie.said
""".strip()


def refuse_rejects(output: str, file: str) -> bool:
    """Refuse rejected hunks, unless they only set EXTRAVERSION, which is ours; tell whether there were any.

    Two patches that each give the kernel a name of their own cannot both apply to that line of the Makefile.
    """
    rejects = dict(each.partition("\n")[::2] for each in output.split("@@@ ")[1:])
    others = [name for name, text in rejects.items() if name != "./Makefile.rej" or not sets_version(text)]
    if others:
        names = ", ".join(name.removesuffix(".rej").removeprefix("./") for name in others)
        raise EyrieError(
            f"patch {file}",
            seen=f"hunks rejected in {names}",
            wanted="a patch for exactly this source",
            next_step="check the order of the patches and the version of the source",
        )
    return bool(rejects)


def sets_version(reject: str) -> bool:
    """Whether every hunk of a reject changes nothing but the lines of EXTRAVERSION."""
    changes = [
        line[1:].lstrip()
        for hunk in _HUNK.split(reject)[1:]
        for line in hunk.splitlines()
        if line[:1] in "+-!" and line[1:].strip() and not line.startswith(("+++", "---"))
    ]
    return bool(changes) and all(change.startswith("EXTRAVERSION") for change in changes)


def configure(recipe: Recipe, config: str, tree: str) -> str:
    """Return the script that names the kernel, takes the configuration and prints what became of it."""
    major, minor, sublevel, extra = version_parts(recipe.release)
    numbers = " ".join((f"VERSION={major}", f"PATCHLEVEL={minor}", f"SUBLEVEL={sublevel}"))
    if recipe.config_target == "allnoconfig":
        make = f"make KCONFIG_ALLCONFIG={quote(config)} allnoconfig"
    else:
        # Old kernels ask for what is new to the configuration; an empty answer takes the default.
        make = f"cp {quote(config)} .config\nyes '' | make {recipe.config_target}"
    return f"""
cd {quote(tree)}
for word in {numbers}; do
    if ! grep -q "^${{word%%=*}} *= *${{word#*=}}$" Makefile; then
        echo "the source is not {major}.{minor}.{sublevel}:" >&2
        sed -n '/^VERSION/,/^EXTRAVERSION/p' Makefile >&2
        exit 1
    fi
done
sed 's/^EXTRAVERSION *=.*/EXTRAVERSION = {extra}/' Makefile > .eyrie.Makefile
cat .eyrie.Makefile > Makefile
rm .eyrie.Makefile
{{
{make}
}} > .eyrie.said 2>&1 || {{ tail -n 20 .eyrie.said >&2; exit 1; }}
cat .config
""".strip()


def lost(wanted: str, got: str) -> tuple[str, ...]:
    """Return the settings of a configuration that the kernel's own rules changed or dropped."""
    have = dict(_SET.findall(got))
    return tuple(f"{name}={value}" for name, value in _SET.findall(wanted) if have.get(name) != value)


def make(recipe: Recipe, tree: str, jobs: int) -> str:
    """Return the script that compiles; the end of what make said comes out if it fails."""
    image = "vmlinux" if recipe.target == "colinux" else "bzImage"
    targets = [["dep"], [image], ["modules"]] if recipe.is_old else [[image, "modules"]]
    runs = " && ".join(f"make -j{1 if target == ['dep'] else jobs} {' '.join(target)}" for target in targets)
    stamp = {"KBUILD_BUILD_HOST": "eyrie", "KBUILD_BUILD_USER": "pool"}
    return f"""
cd {quote(tree)}
{_exports(stamp)}
{{ {runs}; }} > .eyrie.said 2>&1 || {{ tail -n 40 .eyrie.said >&2; exit 1; }}
""".strip()


def collect(recipe: Recipe, tree: str, target: str) -> str:
    """Return the script that puts image, map, configuration and modules into one archive."""
    release, out = recipe.release, f"{tree}/.eyrie.out"
    image = "arch/i386/boot/bzImage" if recipe.is_old else "arch/x86/boot/bzImage"
    if recipe.target == "colinux":
        image = "vmlinux"  # with its symbols: coLinux's daemon looks them up by name
    return f"""
cd {quote(tree)}
rm -rf {quote(out)}
mkdir -p {quote(out)}/boot {quote(out)}/lib/modules/{release}
make INSTALL_MOD_PATH={quote(out)} modules_install > .eyrie.said 2>&1 || {{
    tail -n 20 .eyrie.said >&2
    exit 1
}}
cp {image} {quote(out)}/boot/{recipe.image}-{release}
cp System.map {quote(out)}/boot/System.map-{release}
cp .config {quote(out)}/boot/config-{release}
rm -f {quote(out)}/lib/modules/{release}/build {quote(out)}/lib/modules/{release}/source
tar -C {quote(out)} -cf {quote(target)} boot lib
""".strip()


def inside(toolchain: str, script: str, priority: int) -> str:
    """Return a script that runs in the toolchain's root, if there is one, at a low priority."""
    within = f"chroot {quote(toolchain)} " if toolchain else ""
    clean = "/usr/bin/env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C"
    return f"exec nice -n {priority} {within}{clean} /bin/sh -euc {quote(script)}"


def _exports(values: Mapping[str, str]) -> str:
    return "\n".join(f"export {name}={quote(value)}" for name, value in values.items())
