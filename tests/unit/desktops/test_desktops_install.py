# SPDX-License-Identifier: GPL-3.0-or-later
"""Installations with everything that can go wrong on the way, on a FAKE desktop."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from fake_windows import NEW, OLD, PROGRAMS, FakeWindows

from eyrie.desktops.install import install
from eyrie.desktops.model import DesktopOutcome, Lost, Package, Story
from eyrie.desktops.plan import Step
from eyrie.desktops.uninstall import uninstall
from eyrie.errors import EyrieError

PACKAGE = Package("0.2.0", "ab" * 32, 9_000_000, "https://master:8443/ab.msi", product_code=NEW)
INSTALLED: dict[str, Any] = {"version": "0.2.0", "products": [NEW], "service": True}


class Slept(list[float]):
    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def bring(desktop: FakeWindows, **changes: Any) -> tuple[Step, Story, Slept]:
    slept = Slept()
    story = Story(slept)
    step, seen = install(desktop, replace(PACKAGE, **changes), story)
    assert seen.version == desktop.version
    return step, story, slept


def outcome(desktop: FakeWindows, **changes: Any) -> str:
    with pytest.raises(DesktopOutcome) as raised:
        bring(desktop, **changes)
    assert raised.value.next_step
    return raised.value.outcome


def test_a_desktop_without_agent_gets_it_and_keeps_nothing_of_the_way() -> None:
    desktop = FakeWindows()
    step, story, _ = bring(desktop)
    assert step is Step.INSTALL and desktop.version == "0.2.0" and not story.reboot
    assert rf"{PROGRAMS}\Eyrie-install" not in desktop.left
    line = next(line for line in desktop.lines if "msiexec" in line)
    assert line.startswith('start "" /wait msiexec /i') and " /qn /norestart /l*v " in line
    assert desktop.count("curl.exe --fail ") == 1


def test_one_that_has_it_is_looked_at_once() -> None:
    desktop = FakeWindows(**INSTALLED)
    step, _, _ = bring(desktop)
    assert step is Step.KEEP and len(desktop.lines) == 1


@pytest.mark.parametrize(
    "state",
    [
        {"version": "0.1.9", "products": [OLD], "service": True},
        {"version": "0.2.0", "products": [OLD], "service": True},
        {"version": "0.2.0", "products": [NEW], "service": False},
    ],
)
def test_an_older_or_other_build_is_upgraded(state: dict[str, Any]) -> None:
    desktop = FakeWindows(**state)
    assert bring(desktop)[0] is Step.UPGRADE and desktop.products == [NEW]


def test_check_looks_and_touches_nothing() -> None:
    desktop = FakeWindows()
    step, _ = install(desktop, PACKAGE, Story(Slept()), check=True)
    assert step is Step.INSTALL and len(desktop.lines) == 1 and not desktop.version


@pytest.mark.parametrize(
    "state, package, name",
    [
        ({"version": "0.3.0", "products": [OLD], "service": True}, {}, "a newer version is installed"),
        ({"ver": "Microsoft Windows [Version 12.0.1]"}, {}, "unknown Windows version"),
        ({"ver": "Microsoft Windows XP [Version 5.1.2600]"}, {}, "unknown Windows version"),
        ({"ver": "something else"}, {}, "unknown Windows version"),
        ({"arch": "x86,%PROCESSOR_ARCHITEW6432%"}, {}, "not a 64-bit desktop"),
        ({"arch": "ARM64,%PROCESSOR_ARCHITEW6432%"}, {}, "not a 64-bit desktop"),
        ({}, {"backend": "colinux"}, "not a 32-bit desktop"),
        ({"arch": "x86,%PROCESSOR_ARCHITEW6432%"}, {"backend": "colinux"}, "no MSI for this desktop"),
        ({}, {"source": ""}, "agent not installed"),
        ({"sha256": "cd" * 32}, {}, "the package has another hash"),
        ({"fetched": 22}, {}, "the package cannot be fetched"),
        ({"curl": False}, {}, "no curl on this desktop"),
        ({"codes": [1618] * 9}, {}, "another installation is running"),
        ({"codes": [1603]}, {}, "installation failed"),
        ({"codes": [1603], "log": "Error 1921. Service"}, {}, "the service does not stop"),
        ({"codes": [1603], "log": "EYRIE-DOWNGRADE: x"}, {}, "a newer version is installed"),
        ({"codes": [1625]}, {}, "policy forbids the installation"),
        ({"codes": [1633]}, {}, "not for this kind of Windows"),
        ({"codes": [4711]}, {}, "an unknown exit code"),
        ({"codes": [1638]}, {}, "another package of this product is installed"),
        ({"codes": [1603], "log": "SECREPAIR: CryptAcquireContext: x", "task_code": 1603}, {}, None),
        ({"codes": [1603], "log": "SECREPAIR: CryptAcquireContext: x"}, {}, "the task does not end"),
    ],
)
def test_what_goes_wrong_has_a_name(state: dict[str, Any], package: dict[str, Any], name: str | None) -> None:
    desktop = FakeWindows(**state)
    told = outcome(desktop, **package)
    assert told == (name or told)
    assert desktop.version == state.get("version", "")  # nothing was half installed


@pytest.mark.parametrize(
    "ver, arch, backend, said",
    [
        ("6.1.7601", "x86", "qemu", "set windows_agent_guest_backend: colinux"),
        ("10.0.19045", "AMD64", "colinux", "set windows_agent_guest_backend: qemu"),
        ("5.1.2600", "x86", "colinux", "role colinux_hours"),
        ("6.1.7601", "ARM64", "colinux", "Next: take it out of windows_agent"),
    ],
)
def test_a_desktop_that_the_backend_is_not_for_is_told_the_other_way(
    ver: str, arch: str, backend: str, said: str
) -> None:
    desktop = FakeWindows(ver=f"Microsoft Windows [Version {ver}]", arch=f"{arch},%PROCESSOR_ARCHITEW6432%")
    with pytest.raises(DesktopOutcome) as refused:
        bring(desktop, backend=backend)
    assert said in str(refused.value)


@pytest.mark.parametrize("ver", ["6.0.6002", "6.1.7601"])
def test_an_agent_put_on_a_32_bit_desktop_by_hand_is_kept(ver: str) -> None:
    desktop = FakeWindows(
        ver=f"Microsoft Windows [Version {ver}]", arch="x86,%PROCESSOR_ARCHITEW6432%", **INSTALLED
    )
    assert bring(desktop, backend="colinux", source="")[0] is Step.KEEP


@pytest.mark.parametrize("state", [{"version": "0.1.0", "service": True}, {**INSTALLED, "version": "9.0.0"}])
def test_where_others_bring_the_msi_any_is_accepted(state: dict[str, Any]) -> None:
    assert bring(FakeWindows(**state), source="")[0] is Step.KEEP


def test_a_64_bit_windows_is_seen_from_a_32_bit_prompt() -> None:
    assert bring(FakeWindows(arch="x86,AMD64"))[0] is Step.INSTALL


@pytest.mark.parametrize(
    "ver",
    [
        "Microsoft Windows [版本 10.0.22631]",
        "Microsoft Windows [versión 6.3.9600]",
        "Microsoft Windows 10.0.19043",
    ],
)
def test_versions_are_read_in_any_language(ver: str) -> None:
    assert bring(FakeWindows(ver=ver))[0] is Step.INSTALL


def test_a_busy_installer_is_waited_for() -> None:
    desktop = FakeWindows(codes=[1618, 1618, 0])
    _, story, slept = bring(desktop)
    assert slept == [5, 10] and any("1618" in step for step in story.steps)


@pytest.mark.parametrize("code", [3010, 1641])
def test_a_restart_that_is_needed_is_told(code: int) -> None:
    assert bring(FakeWindows(codes=[code]))[1].reboot


def test_an_account_that_never_logged_on_is_helped_by_the_system_account() -> None:
    desktop = FakeWindows(codes=[1603], log="x\nSECREPAIR: CryptAcquireContext: Could not\n", task_code=0)
    _, story, _ = bring(desktop)
    assert desktop.version == "0.2.0" and any("as SYSTEM ended with 0" in step for step in story.steps)
    assert desktop.count("schtasks /delete") == 1
    (script,) = desktop.given
    assert b"msiexec /i" in script and b"%errorlevel%" in script and script.endswith(b"\r\n")


def test_the_task_goes_even_if_it_never_ends() -> None:
    desktop = FakeWindows(codes=[1603], log="SECREPAIR: CryptAcquireContext")
    outcome(desktop)
    assert desktop.count("schtasks /delete") == 1


def test_another_package_of_the_product_goes_first() -> None:
    desktop = FakeWindows(version="0.1.0", products=[OLD], service=True, codes=[1638])
    bring(desktop)
    assert desktop.products == [NEW] and desktop.count(f"msiexec /x {OLD}") == 1


@pytest.mark.parametrize("code, tries", [("lost before", 2), ("lost after", 1)])
def test_a_connection_lost_in_the_middle_is_looked_after(code: str, tries: int) -> None:
    desktop = FakeWindows(codes=[code])
    step, _, _ = bring(desktop)
    assert step is Step.INSTALL and desktop.version == "0.2.0"
    assert (desktop.came_back, desktop.count("msiexec /i")) == (1, tries)


def test_a_msiexec_that_still_runs_is_waited_for() -> None:
    """A second one beside it, on a folder that is emptied, would spoil both."""
    desktop = FakeWindows(codes=["lost before"], busy=3)
    bring(desktop)
    asked = [at for at, line in enumerate(desktop.lines) if "eyrie:busy" in line]
    makes = [at for at, line in enumerate(desktop.lines) if " & mkdir " in line]
    assert asked[:4] == [1, 2, 3, 4] and makes[0] > 4, "one of an earlier play"
    lost = next(at for at, line in enumerate(desktop.lines) if "msiexec" in line)
    assert lost < asked[-1] < makes[-1], "its own"


def test_after_a_lost_connection_msiexec_ends_before_the_desktop_is_judged() -> None:
    desktop = FakeWindows(codes=["lost after"])
    bring(desktop)
    lost = next(at for at, line in enumerate(desktop.lines) if "msiexec" in line)
    assert "eyrie:busy" in desktop.lines[lost + 1] and desktop.lines[lost + 2].startswith("ver")


def test_a_log_that_type_leaves_in_utf_16_is_read() -> None:
    log = "".join(f"{letter}\0" for letter in "SECREPAIR: CryptAcquireContext: Could not")
    desktop = FakeWindows(codes=[1603], log=log, task_code=0)
    bring(desktop)
    assert desktop.count("schtasks /run") == 1


def test_a_msiexec_that_never_ends_has_a_name() -> None:
    with pytest.raises(DesktopOutcome) as raised:
        bring(FakeWindows(busy=10**6))
    assert raised.value.outcome == "another installation is running"


def test_a_connection_lost_again_and_again_is_given_up() -> None:
    with pytest.raises(Lost):
        bring(FakeWindows(codes=["lost before"] * 9))


def test_the_depot_is_trusted_by_the_pools_authority_alone() -> None:
    desktop = FakeWindows()
    bring(desktop, ca="-----BEGIN CERTIFICATE-----")
    assert desktop.count(rf'--cacert "{PROGRAMS}\Eyrie-install\authority.pem"') == 1
    assert desktop.given == [b"-----BEGIN CERTIFICATE-----"]
    desktop = FakeWindows()
    bring(desktop)
    assert desktop.count("--cacert") == 0 and desktop.count("--insecure") == 0


def test_msiexec_fetches_only_where_that_is_allowed() -> None:
    desktop = FakeWindows(curl=False)
    _, story, _ = bring(desktop, msiexec_fetches=True)
    assert desktop.count(f"msiexec /i {PACKAGE.source}") == 1 and "not checked" in story.steps[0]


@pytest.mark.parametrize(
    "source", [r"\\files\pool\agent.msi", r"C:\Deploy\agent.msi", r"D:\with blank\agent.msi"]
)
def test_shares_and_files_are_copied_and_hashed(source: str) -> None:
    desktop = FakeWindows(curl=False)
    bring(desktop, source=source)
    assert desktop.count("copy /y /b") == 1 and desktop.count("certutil -hashfile") == 1


@pytest.mark.parametrize(
    "source",
    [
        "http://master/x.msi",
        "ftp://master/x.msi",
        r"C:\x%PATH%.msi",
        r"relative.msi",
        r"C:\x.exe",
        "https://master/x.msi&calc",
    ],
)
def test_other_sources_are_refused(source: str) -> None:
    desktop = FakeWindows()
    with pytest.raises(EyrieError, match="windows_agent_msi_source"):
        bring(desktop, source=source)
    assert not desktop.lines


def test_properties_are_quoted_and_refused_as_msiexec_needs_it() -> None:
    desktop = FakeWindows()
    bring(desktop, properties=(("EYRIE_SERVER", "192.0.2.1"), ("EYRIE_POOL", "my pool")))
    assert desktop.count('EYRIE_SERVER="192.0.2.1" EYRIE_POOL="my pool"') == 1
    with pytest.raises(EyrieError, match="EYRIE_POOL"):
        bring(FakeWindows(), properties=(("EYRIE_POOL", 'x" & calc'),))


def test_no_cmd_at_the_other_end_is_named() -> None:
    class Other(FakeWindows):
        def _look(self) -> Any:
            return super()._look().__class__(127, "sh: ver: not found", "")

    assert outcome(Other()) == "no cmd.exe"


def test_removal_leaves_nothing_and_proves_it() -> None:
    desktop = FakeWindows(**INSTALLED, left={rf"{PROGRAMS}\Eyrie", r"C:\ProgramData\Eyrie"})
    assert uninstall(desktop, Story(Slept()))
    assert not (desktop.left or desktop.products or desktop.version or desktop.service)
    assert not uninstall(desktop, Story(Slept()))


def test_check_of_a_removal_touches_nothing() -> None:
    desktop = FakeWindows(**INSTALLED)
    assert uninstall(desktop, Story(Slept()), check=True) and desktop.products == [NEW]


def test_a_product_whose_package_is_gone_is_forgotten_and_the_wanted_one_installed() -> None:
    desktop = FakeWindows(version="0.1.0", products=[OLD], service=True, dead={OLD})
    step, story, _ = bring(desktop)
    assert step is Step.UPGRADE and desktop.products == [NEW]
    assert [step for step in story.steps if f"forgetting {OLD}" in step]


def test_a_product_whose_package_is_gone_is_removed_all_the_same() -> None:
    desktop = FakeWindows(**INSTALLED, dead={NEW}, releases=["0.2.0-abcd1234"], left={rf"{PROGRAMS}\Eyrie"})
    assert uninstall(desktop, Story(Slept()))
    assert desktop.purged == 1 and not desktop.count("msiexec")
    assert not (desktop.left or desktop.products or desktop.version or desktop.service)


def test_what_a_package_left_goes_as_well() -> None:
    desktop = FakeWindows(version="0.1.0", service=True, left={r"C:\ProgramData\Eyrie"})
    assert uninstall(desktop, Story(Slept()))
    assert not (desktop.left or desktop.version or desktop.service)


def test_what_cannot_go_is_named() -> None:
    class Held(FakeWindows):
        def _removed(self, folder: str) -> Any:
            return super()._made(True)

    with pytest.raises(DesktopOutcome, match="ProgramData") as raised:
        uninstall(Held(left={r"C:\ProgramData\Eyrie"}), Story(Slept()))
    assert raised.value.outcome == "something is left"


@pytest.mark.parametrize("code", [1605, 3010])
def test_a_product_that_is_gone_or_goes_with_the_restart_is_removed(code: int) -> None:
    class Gone(FakeWindows):
        def _msiexec(self, verb: str, what: str) -> Any:
            self._do(verb, what)
            return super()._look().__class__(code, "", "")

    story = Story(Slept())
    assert uninstall(Gone(**INSTALLED), story) and story.reboot is (code == 3010)


def test_a_removal_that_loses_its_connection_is_gone_on_with() -> None:
    desktop = FakeWindows(**INSTALLED, codes=["lost after"])
    assert uninstall(desktop, Story(Slept())) and not desktop.products
