# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole action against a machine in a folder: kept, panicked, ill, hung, right, wrong, and gone."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail
from kernel_machine import OLD, Machine, node_kernel
from kernel_samples import archive, image

from eyrie.kernels.bootloaders.grub2 import environment_block

COLLECTIONS = Path(__file__).parents[3] / ".collections"
R = "6.12.9-pool"
POOL, BEFORE = f"/boot/vmlinuz-{R}", f"/boot/vmlinuz-{OLD}"

pytestmark = [
    pytest.mark.slow,  # a hundred shells
    pytest.mark.skipif(not COLLECTIONS.exists(), reason="the checkout is not linked as a collection"),
]


class Clock:
    """Time that passes where one would sleep."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture(autouse=True)
def collection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(COLLECTIONS))
    module = importlib.import_module("ansible_collections.eyrie.pool.plugins.plugin_utils.node_boot")
    monkeypatch.setattr(module, "time", Clock())


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    (tmp_path / "machine").mkdir()
    return Machine(tmp_path / "machine")


@pytest.fixture
def given(tmp_path: Path) -> dict[str, Any]:
    return {
        "release": R,
        "archive": kernel(tmp_path, R),
        "boot_timeout_seconds": 2,
        "health_timeout_seconds": 0,
    }


def kernel(folder: Path, release: str, built: str = "(pool@eyrie) #1 Tue") -> str:
    files = {f"boot/vmlinuz-{release}": image(f"{release} {built}"), f"lib/modules/{release}/x.ko": b"x"}
    return str(archive(folder / f"{release}.tar", files))


def test_a_good_kernel_is_booted_once_and_kept(machine: Machine, given: dict[str, Any]) -> None:
    told = node_kernel(machine, **given, state="booted")
    assert told["changed"] and not told.get("failed")
    assert (told["node_kernel"]["running"], told["node_kernel"]["booted"]) == (R, True)
    machine.boot()
    assert machine.boots == [POOL, POOL]
    again = node_kernel(machine, **given, state="booted")
    assert (again["changed"], again["node_kernel"]["round_trips"]) == (False, 1)


def test_installed_is_not_booted(machine: Machine, given: dict[str, Any]) -> None:
    told = node_kernel(machine, **given)
    assert told["changed"] and not told["node_kernel"]["booted"]
    assert node_kernel(machine, **given)["changed"] is False
    machine.boot()
    assert machine.boots == [BEFORE]


def test_a_kernel_that_panics_leads_back(machine: Machine, given: dict[str, Any], tmp_path: Path) -> None:
    machine.fate = "panics"
    console = tmp_path / "machine/console"
    console.touch()
    told = node_kernel(machine, **given, state="booted", console_file=str(console))
    assert told["failed"] and told["node_kernel"]["running"] == OLD
    assert told["msg"] == (
        f"Kernel {R} was booted once and did not do: the node runs {OLD}. Its console said: 'Kernel panic -"
        f" not syncing: no init'. The node fell back by itself, runs {OLD} now, and boots that by default."
    )
    machine.boot()
    assert machine.boots == [POOL, BEFORE, BEFORE]


def test_a_node_that_is_ill_is_booted_back(machine: Machine, given: dict[str, Any]) -> None:
    told = node_kernel(machine, **given, state="booted", health_command="echo no disk >&2; exit 1")
    assert told["failed"]
    assert "did not do: the node fails its health check: no disk" in told["msg"]
    assert "The node was booted again, runs" in told["msg"]
    machine.has_hpc = False
    assert "has no /proc/hpc" in node_kernel(machine, **given, state="booted")["msg"]
    assert machine.boots == [POOL, BEFORE, POOL, BEFORE]


def test_a_kernel_that_hangs_is_told_of_and_not_kept(machine: Machine, given: dict[str, Any]) -> None:
    machine.fate = "hangs"
    given |= {"boot_timeout_seconds": 1}
    with pytest.raises(AnsibleActionFail, match=rf"did not answer within 1 s.*then boots {OLD} as before"):
        node_kernel(machine, **given, state="booted")
    machine.silent = 0
    machine.boot()
    assert machine.boots[-1] == BEFORE


def test_a_run_that_was_cut_off_after_the_boot_is_finished(machine: Machine, given: dict[str, Any]) -> None:
    node_kernel(machine, **given)
    (machine.root / "boot/grub/grubenv").write_text(environment_block({"next_entry": f"eyrie-{R}"}))
    machine.boot()
    assert machine.boots == [POOL]
    assert node_kernel(machine, **given)["changed"]
    told = node_kernel(machine, **given, state="booted")
    assert told["changed"] and told["node_kernel"]["booted"]
    machine.boot()
    assert machine.boots == [POOL, POOL]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"release": "2.4.26-om"}, "wanted boot/vmlinuz-2.4.26-om, the pool's kernel"),
        ({"sha256": "0" * 64}, "SHA-256 of"),
        ({"append": ["a;b"]}, "word for the kernel's command line"),
        ({"release": "../../etc", "archive": None, "state": "absent"}, "release of the kernel"),
    ],
    ids=str,
)
def test_what_is_wrong_is_refused_before_the_node_is_asked(
    machine: Machine, given: dict[str, Any], change: dict[str, Any], said: str
) -> None:
    machine.silent = 1
    with pytest.raises(AnsibleActionFail, match=said):
        node_kernel(machine, **{**given, "state": "booted", **change})
    assert machine.silent == 1


def test_check_mode_tells_and_does_nothing(machine: Machine, given: dict[str, Any]) -> None:
    before = machine.files()
    for state in ("installed", "booted"):
        told = node_kernel(machine, check=True, **given, state=state)
        assert told["changed"] and "custom.cfg" in told["diff"][0]["before_header"]
    assert (machine.files(), machine.boots) == (before, [])


def test_absent_boots_the_nodes_own_kernel_and_leaves_nothing(
    machine: Machine, given: dict[str, Any]
) -> None:
    node_kernel(machine, **given, state="booted")
    told = node_kernel(machine, check=True, release=R, state="absent")
    assert told["changed"] and told["node_kernel"]["is_openmosix"]
    told = node_kernel(machine, release=R, state="absent", boot_timeout_seconds=2)
    assert told["changed"] and told["node_kernel"]["running"] == OLD
    assert (machine.files(), machine.boots) == (set(), [POOL, BEFORE])
    assert node_kernel(machine, release=R, state="absent")["changed"] is False


def test_the_next_release_falls_back_to_the_pools_last(
    machine: Machine, given: dict[str, Any], tmp_path: Path
) -> None:
    node_kernel(machine, **given, state="booted")
    newer = given | {"release": "6.12.10-pool", "archive": kernel(tmp_path, "6.12.10-pool")}
    told = node_kernel(machine, **newer, state="booted", health_command="exit 1")
    assert f"runs {R} now" in told["msg"]
    assert machine.boots == [POOL, "/boot/vmlinuz-6.12.10-pool", POOL]
    assert node_kernel(machine, **given, state="booted")["node_kernel"]["running"] == R


def test_another_build_of_the_running_release_is_refused(
    machine: Machine, given: dict[str, Any], tmp_path: Path
) -> None:
    node_kernel(machine, **given, state="booted")
    other = given | {"archive": kernel(tmp_path, R, "(pool@eyrie) #2 Wed")}
    with pytest.raises(AnsibleActionFail, match=rf"another build of {R} runs on the node"):
        node_kernel(machine, **other, state="booted")
