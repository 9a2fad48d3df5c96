# SPDX-License-Identifier: GPL-3.0-or-later
"""The MSI on Wine's msiexec and service manager: installed, upgraded, interrupted, removed.

The agent in it is the real one, but for upgrades that shall fail.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

import pytest
from msi_place import SERVICES, Machine, machine, require_tools

from eyrie.agent import bundle
from eyrie.artefacts.windows_files import windows_python
from eyrie.guests.image.recipe import cache_root
from eyrie.msi.build import Built, agent_bundle, build, package, read_python
from eyrie.msi.version import parse
from eyrie.windows.installer_codes import REMOVED, Outcome, explain

pytestmark = pytest.mark.integration

AGENT = r"HKLM\Software\Eyrie\Agent"
PROGRAMS = "Program Files/Eyrie"
SECRET = "one-time-7Q2x"
PROPERTIES = ("EYRIE_SERVER=master.example.org", "EYRIE_POOL=office", f"EYRIE_ENROLMENT={SECRET}")
BROKEN = bundle.pack({"__main__.py": b"# an agent that cannot start, for the test\nraise SystemExit(1)\n"})


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Built]:
    """Two versions with the real agent, and a newer one whose agent does not start."""
    require_tools()
    folder = tmp_path_factory.mktemp("msi")
    python, agent = read_python(windows_python(cache_root())), agent_bundle()
    wanted = {"old": ("1.0.0", agent), "new": ("1.1.0", agent), "broken": ("1.2.0", BROKEN)}
    return {
        name: build(package(parse(version), python, program), folder / f"{name}.msi")
        for name, (version, program) in wanted.items()
    }


@pytest.fixture(scope="module")
def installed(packages: dict[str, Built]) -> Iterator[Machine]:
    """A machine with the old version, switched off; each test goes on from a copy."""
    with machine() as made:
        assert install(made, packages["old"], *PROPERTIES) is Outcome.DONE
        made.await_running()
        made.off()
        yield made


def tell(text: str) -> None:
    """Say a figure, for whoever runs this with -s."""
    sys.stdout.write(f"{text}\n")


def install(on: Machine, what: Built, *properties: str) -> Outcome:
    done = on.run(
        "msiexec", "/i", on.put(what.path), "/qn", "/norestart", "/l*v", r"C:\install.log", *properties
    )
    tell(f"msiexec /i {what.path.name}: {done.code} after {done.seconds:.1f} s")
    return explain(done.code).outcome


def remove(on: Machine, product_code: str) -> Outcome:
    done = on.run("msiexec", "/x", product_code, "/qn", "/norestart", "/l*v", r"C:\remove.log")
    tell(f"msiexec /x: {done.code} after {done.seconds:.1f} s")
    return explain(done.code).outcome


def image_path(on: Machine) -> str:
    return on.value(rf"{SERVICES}\EyrieAgent", "ImagePath") or ""


def releases(on: Machine) -> set[str]:
    return {path.name for path in (on.c / PROGRAMS / "versions").iterdir()}


def assert_runs(on: Machine, what: Built) -> None:
    """The service, and the paths that people use, are of this release and whole."""
    on.await_running()
    folder = rf"C:\Program Files\Eyrie\versions\{what.release}"
    wanted = rf'"{folder}\python\pythonw.exe" -B "{folder}\agent.pyz" service'
    assert (image_path(on), on.value(AGENT, "Release")) == (wanted, what.release)
    home = on.c / PROGRAMS
    assert (home / "agent.pyz").read_bytes() == (home / "versions" / what.release / "agent.pyz").read_bytes()
    facts = on.run(
        r"C:\Program Files\Eyrie\python\python.exe", "-B", r"C:\Program Files\Eyrie\agent.pyz", "--help"
    )
    assert facts.code == 0, facts.out


def keys(on: Machine) -> set[str]:
    """Return every line of the machine's registry that could be ours."""
    saved = (on.saved(key).splitlines() for key in ("Software", r"System\CurrentControlSet\Services"))
    lines = {line.rpartition("] ")[0] or line for each in saved for line in each}  # without keys' times
    return {line for line in lines if "eyrie" in line.lower() and "eyrie-lab" not in line}


def files(on: Machine) -> set[str]:
    skipped = {"side.py", "install.log", "remove.log"}
    paths = (path.relative_to(on.c) for path in on.c.rglob("*") if path.name not in skipped)
    return {str(path) for path in paths if path.suffix != ".msi" or len(path.parts) > 1}


def test_install_and_uninstall_leave_nothing(packages: dict[str, Built]) -> None:
    with machine() as on:
        files_before, keys_before = files(on), keys(on)
        assert install(on, packages["old"], *PROPERTIES) is Outcome.DONE
        assert SECRET not in (on.c / "install.log").read_text(errors="replace")
        assert_runs(on, packages["old"])
        assert on.value(AGENT, "Server") == "master.example.org"
        assert on.value(AGENT, "Pool") == "office"
        assert keys(on) != keys_before

        assert install(on, packages["old"]) is Outcome.DONE, "again"
        assert on.value(AGENT, "Server") == "master.example.org"

        assert remove(on, packages["old"].product_code) is Outcome.DONE
        assert on.state() == "none"
        assert keys(on) == keys_before
        assert files(on) - files_before <= {"windows/Installer"}, "that folder is Windows' own"
        outcome = remove(on, packages["old"].product_code)
        assert outcome is Outcome.ABSENT and outcome in REMOVED


def test_the_secret_reaches_the_agent(installed: Machine) -> None:
    with machine(installed) as on:
        assert on.value(AGENT, "Enrolment") is None
        assert (on.c / "ProgramData/Eyrie/enrolment").read_text() == SECRET


def test_an_upgrade_keeps_identity_and_settings(installed: Machine, packages: dict[str, Built]) -> None:
    with machine(installed) as on:
        identity = on.c / "ProgramData/Eyrie/token"
        identity.write_text("who this desktop is")
        assert install(on, packages["new"]) is Outcome.DONE
        assert_runs(on, packages["new"])
        assert releases(on) == {packages["new"].release}
        assert identity.read_text() == "who this desktop is"
        assert (on.c / "ProgramData/Eyrie/enrolment").read_text() == SECRET
        assert on.value(AGENT, "Server") == "master.example.org"

        assert install(on, packages["old"]) is Outcome.FAILED, "a downgrade"
        assert_runs(on, packages["new"])
        assert remove(on, packages["new"].product_code) is Outcome.DONE
        assert not (on.c / PROGRAMS).exists() and not (on.c / "ProgramData/Eyrie").exists()


def test_an_upgrade_that_fails_leaves_the_old_release_running(
    installed: Machine, packages: dict[str, Built]
) -> None:
    with machine(installed) as on:
        assert install(on, packages["broken"]) is not Outcome.DONE
        assert_runs(on, packages["old"])
        assert releases(on) == {packages["old"].release}
        assert on.value(AGENT, "Server") == "master.example.org"
        assert install(on, packages["new"]) is Outcome.DONE, "a good one still installs"
        assert_runs(on, packages["new"])


@pytest.mark.parametrize("seconds", [0.5, 1.5, 2.5, 4.0])
def test_a_lost_power_leaves_old_or_new(
    installed: Machine, packages: dict[str, Built], seconds: float
) -> None:
    with machine(installed) as on:
        on.await_running()
        on.run("msiexec", "/i", on.put(packages["new"].path), "/qn", "/norestart", wait=False)
        time.sleep(seconds)
        on.off()
        on.on()
        on.await_running()
        image = image_path(on)
        kept = [name for name in ("old", "new") if packages[name].release in image]
        tell(f"power lost after {seconds} s: {kept} runs, {len(releases(on))} there")
        assert len(kept) == 1

        assert install(on, packages["new"]) is Outcome.DONE, "the next run repairs"
        assert_runs(on, packages["new"])
        assert releases(on) == {packages["new"].release}
