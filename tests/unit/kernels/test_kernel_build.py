# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole action that builds, on this machine, with a source of a few lines."""

from __future__ import annotations

import hashlib
import importlib
import os
import shutil
import subprocess
import tarfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail
from kernel_samples import NAMES_IT, source

from eyrie.kernels import bundle

COLLECTIONS = Path(__file__).parents[3] / ".collections"
R = "2.4.26-pool"

pytestmark = pytest.mark.skipif(not COLLECTIONS.exists(), reason="the checkout is not linked as a collection")


@pytest.fixture(autouse=True)
def collection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(COLLECTIONS))


@pytest.fixture
def given(tmp_path: Path) -> dict[str, Any]:
    names = {"openmosix": NAMES_IT.format(old="", new="-om", file="om.c")}
    names["colinux"] = NAMES_IT.format(old="", new="-co", file="co.c")
    for name, text in names.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "config").write_text("CONFIG_MOSIX=y\nCONFIG_NEW=m\n")
    return {
        "release": R,
        "source": str(source(tmp_path)),
        "patches": [str(tmp_path / name) for name in names],
        "config": str(tmp_path / "config"),
        "directory": str(tmp_path / "build-host"),
        "dest": str(tmp_path / "store"),
    }


class Built:
    """One run of the action; the build host is this machine."""

    def __init__(self, given: dict[str, Any], check: bool = False) -> None:
        module = importlib.import_module("ansible_collections.eyrie.pool.plugins.action.kernel_build")
        task = SimpleNamespace(args=given, check_mode=check, async_val=0, diff=True, action="kernel_build")
        connection = SimpleNamespace(
            _shell=SimpleNamespace(tmpdir=None), put_file=shutil.copy, fetch_file=shutil.copy
        )
        templar = SimpleNamespace(template=lambda value: value)
        self.asked = 0
        action = module.ActionModule(task, connection, None, None, templar, None)
        action._low_level_execute_command = self._execute
        self.result: dict[str, Any] = action.run(None, {})

    def _execute(self, script: str, sudoable: bool, in_data: bytes | None) -> dict[str, Any]:
        self.asked += 1
        done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False)
        return {"rc": done.returncode, "stdout": done.stdout, "stderr": done.stderr}


def test_a_kernel_is_built_once_for_all(given: dict[str, Any]) -> None:
    first = Built(given).result
    told = first["kernel_build"]
    assert first["changed"]
    assert told["build"] == "(pool@eyrie) #1"
    assert [Path(path).name for path in told["settled_rejects"]] == ["colinux"]
    assert told["lost_settings"] == ["CONFIG_NEW=m"]
    assert bundle.load(Path(told["archive"]), R).release == R
    assert list(Path(given["directory"]).iterdir()) == []
    os.utime(told["archive"], (1000, 1000))
    again = Built(given)
    assert (again.result["changed"], again.asked) == (False, 0)
    assert again.result["kernel_build"]["sha256"] == told["sha256"]
    assert Path(told["archive"]).stat().st_mtime > 1000  # used last, as pruning sees it


def test_check_mode_builds_nothing(given: dict[str, Any]) -> None:
    built = Built(given, check=True)
    assert (built.result["changed"], built.asked) == (True, 0)


def test_a_patch_that_does_not_fit_is_named_and_nothing_is_kept(given: dict[str, Any]) -> None:
    Path(given["patches"][1]).write_text(Path(given["patches"][1]).read_text().replace("-EXTRA", "-SUB"))
    with pytest.raises(AnsibleActionFail, match=r"patch .*/colinux: found 'hunks rejected in Makefile'"):
        Built(given)
    assert list(Path(given["dest"]).glob("kernel-*")) == []


def test_a_compiler_that_fails_is_quoted_and_its_tree_stays(given: dict[str, Any]) -> None:
    given["release"] = "2.4.27-pool"
    with pytest.raises(AnsibleActionFail, match=r"the source is not 2.4.27"):
        Built(given)
    assert len(list(Path(given["directory"]).glob("*/linux/Makefile"))) == 1


def test_of_two_builds_at_once_one_waits_and_finds_the_kernel(given: dict[str, Any]) -> None:
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(Built, given) for _ in range(2)]
        built = [run.result() for run in runs]
    assert sorted(each.result["changed"] for each in built) == [False, True]
    assert sorted(bool(each.asked) for each in built) == [False, True]
    assert len({each.result["kernel_build"]["sha256"] for each in built}) == 1


def test_the_kernels_used_last_stay(given: dict[str, Any]) -> None:
    folder = Path(given["dest"])
    folder.mkdir()
    for number in range(4):
        old = folder / f"kernel-{R}-{number:016x}.tar"
        old.touch()
        os.utime(old, (1000 - number, 1000 - number))
    others = [folder / name for name in (f"kernel-{R}2-{7:016x}.tar", f"kernel-{R}-own.tar")]
    for other in others:
        other.touch()
        os.utime(other, (1, 1))
    made = Built(given).result["kernel_build"]
    assert made["pruned"] == [f"kernel-{R}-{number:016x}.tar" for number in (2, 3)]
    names = {path.name for path in folder.glob("kernel-*")}
    kept = {f"kernel-{R}-{number:016x}.tar" for number in (0, 1)}
    assert names == kept | {Path(made["archive"]).name, *(other.name for other in others)}


def test_toolchains_that_nobody_built_with_for_a_month_go(given: dict[str, Any], tmp_path: Path) -> None:
    host = Path(given["directory"])
    for name, days in {"toolchain-old": 32, "toolchain-recent": 28, "another": 32}.items():
        (host / name).mkdir(parents=True)
        os.utime(host / name, (time.time() - days * 86400,) * 2)
    given["toolchain"] = str(tmp_path / "toolchain.tar")
    with tarfile.open(given["toolchain"], "w") as tar:
        for name in (".", "./bin"):  # as old as a compiler of that time
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(folder)
    with pytest.raises(AnsibleActionFail, match=r"chroot"):  # there is no shell in it
        Built(given)
    own = f"toolchain-{hashlib.sha256(Path(given['toolchain']).read_bytes()).hexdigest()[:16]}"
    assert {path.name for path in host.iterdir()} == {own, "toolchain-recent", "another"}
    assert (host / own / "bin").exists()
