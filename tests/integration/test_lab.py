# SPDX-License-Identifier: GPL-3.0-or-later
"""Real labs on this machine: up, interrupted, broken, side by side, and gone without a trace."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from eyrie.errors import EyrieError
from eyrie.lab import Lab
from eyrie.lab.container import NSPAWN_RUNTIME
from eyrie.lab.images import ImageStore
from eyrie.lab.paths import Paths
from eyrie.lab.topology import load

pytestmark = [pytest.mark.integration, pytest.mark.skipif(os.geteuid() != 0, reason="a lab needs root")]

CHECKOUT = Path(__file__).parents[2]
OFFICE = """
plugin: eyrie.pool.lab
name: {name}
subnets: {{hq: {{network: 10.77.1.0/24}}, east: {{network: 10.77.2.0/24}}}}
hosts:
  master: {{kind: container, subnet: hq, address: 10.77.1.10, groups: [masters]}}
  desk: {{kind: container, subnet: east, address: 10.77.2.21, groups: [linux_desktops]}}
"""
SINGLE = """
plugin: eyrie.pool.lab
name: {name}
subnets: {{hq: {{network: 10.77.1.0/24}}}}
hosts:
  one: {{kind: {kind}, subnet: hq, address: 10.77.1.10, groups: [linux_desktops]}}
"""


class Recorder:
    """A progress that remembers the steps."""

    def __init__(self) -> None:
        self.titles: list[str] = []

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        self.titles.append(title)
        yield

    def note(self, text: str) -> None:
        raise AssertionError(text)


def traces(name: str) -> set[str]:
    """Everything of a lab that the machine still knows."""
    found = {str(path) for path in Path("/run/netns").glob(f"eyrie.{name}.*")}
    found |= {line for line in Path("/proc/self/mounts").read_text().splitlines() if f"/{name}/" in line}
    found |= {str(path) for path in Path("/sys/fs/cgroup").rglob(f"eyrie-lab/{name}")}
    found |= {str(path) for path in NSPAWN_RUNTIME.rglob(f"*eyrie.{name}.*")}
    found |= {str(path) for path in [Paths(name).state] if path.exists()}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            groups = (process / "cgroup").read_text()
        except OSError:  # ended meanwhile
            continue
        if not command:  # ended, not yet buried by PID 1
            continue
        if f"eyrie-lab/{name}/" in command + groups or f"eyrie.{name}." in command:
            found.add(f"{process.name}: {command}")
    return found


def nspawn_locks() -> set[str]:
    return {path.name for path in (NSPAWN_RUNTIME / "locks").glob("*")}


Make = Callable[..., Lab]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Describe labs; whatever a test leaves of them is removed, and has to be gone."""
    labs: list[Lab] = []

    def describe(text: str, name: str, cache: Path | None = None, **words: str) -> Lab:
        file = tmp_path / name / "lab.yml"
        file.parent.mkdir()
        file.write_text(text.format(name=name, **words))
        paths = Paths(name, cache=cache) if cache else Paths(name)
        labs.append(Lab(load(file), paths, Recorder()))
        return labs[-1]

    yield describe
    for lab in labs:
        lab.down()
        assert traces(lab.topology.name) == set()


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab of two hosts in two subnets, for all tests that leave it as it was."""
    file = tmp_path_factory.mktemp("office") / "lab.yml"
    file.write_text(OFFICE.format(name="it-office"))
    lab = Lab(load(file), Paths("it-office"), Recorder())
    locks = nspawn_locks()
    lab.up()
    mine = {
        f"inode-{root.stat().st_dev}:{root.stat().st_ino}" for root in lab.paths.state.glob("hosts/*/root")
    }
    assert mine <= nspawn_locks()
    yield lab
    assert traces("it-office")
    lab.down()
    assert traces("it-office") == set()
    assert nspawn_locks().isdisjoint(mine - locks)


def steps(lab: Lab) -> list[str]:
    assert isinstance(lab.progress, Recorder)
    return lab.progress.titles


def said(lab: Lab, host: str, line: str) -> str:
    done = lab.run(host, ["sh", "-c", line], timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_up_again_changes_nothing(office: Lab) -> None:
    boots = [status.seconds for status in office.status()]
    steps(office).clear()
    office.up()
    assert steps(office) == []
    assert all(now >= before for now, before in zip([s.seconds for s in office.status()], boots, strict=True))


def test_hosts_reach_one_another_through_the_router(office: Lab) -> None:
    assert "ttl=63" in said(office, "master", "ping -c1 -W5 desk")
    assert said(office, "desk", "hostname; id -un owner") == "desk\nowner"


def test_no_address_of_the_lab_is_known_outside(office: Lab) -> None:
    assert "10.77." not in subprocess.run(["ip", "route"], capture_output=True, text=True, check=True).stdout
    assert (
        "10.77." not in subprocess.run(["ip", "address"], capture_output=True, text=True, check=True).stdout
    )


def test_packages_come_through_the_labs_cache(office: Lab) -> None:
    said(
        office,
        "desk",
        "apt-get -q update && apt-get -q download hello && dpkg -c hello_*.deb && rm hello_*.deb",
    )
    sources = said(office, "desk", "grep -rhi uris: /etc/apt; grep -rh ^deb /etc/apt || true")
    assert {line.split()[-1].split("/")[2] for line in sources.splitlines()} == {"10.77.2.1:3142"}


def test_a_host_with_another_key_is_not_trusted(office: Lab) -> None:
    known = office.paths.known_hosts.read_text()
    office.run("desk", ["true"])
    try:
        master_key = known.splitlines()[0].split()[2]
        office.paths.known_hosts.write_text(
            "".join(" ".join([*line.split()[:2], master_key]) + "\n" for line in known.splitlines())
        )
        ssh = [*office.ssh("desk", shared=False), "true"]
        refused = subprocess.run(ssh, capture_output=True, text=True, check=False)
        assert (refused.returncode, "verification failed" in refused.stderr) == (255, True)
    finally:
        office.paths.known_hosts.write_text(known)


def test_the_owner_sits_at_a_real_terminal(office: Lab) -> None:
    with office.owner("desk") as person:
        terminal = said(office, "desk", "ps -o tty= -u owner | grep pts | sort -u")
        assert time.monotonic() - person.type() < 2
        # The kernel moves a terminal's times in steps of eight seconds, so that nobody can time a password.
        age = said(office, "desk", f"echo $(( $(date +%s) - $(stat -c %X /dev/{terminal}) ))")
        assert int(age) <= 16
    assert said(office, "desk", "ps -o tty= -u owner | grep -c pts || true") == "0"
    with pytest.raises(EyrieError, match="no owner"):
        office.owner("master")


def test_ansible_finds_and_reaches_every_host(office: Lab, tmp_path: Path) -> None:
    file = tmp_path / "lab.yml"
    file.write_text(OFFICE.format(name="another"))
    environment = {**os.environ, "EYRIE_LAB_NAME": "it-office", "ANSIBLE_NOCOLOR": "1"}
    program = Path(sys.executable).with_name("ansible")
    command = [program, "-i", str(file), "linux_desktops:masters", "-m", "ansible.builtin.ping"]
    done = subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.count("ping: pong") == 2, done.stdout + done.stderr


def test_a_power_cut_says_no_goodbye_and_the_disk_survives(office: Lab) -> None:
    said(office, "desk", "echo kept > /root/file")
    watch = "exec 3<>/dev/tcp/10.77.2.21/22; cat <&3 >/dev/null & sleep 0.5; echo open; wait $!; echo closed"
    command = [*office.ssh("master", shared=False), "--", f"bash -c '{watch}'"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watcher:
        assert watcher.stdout is not None
        assert watcher.stdout.readline() == "open\n"
        office.power_cut("desk")
        assert {status.host.name: status.state for status in office.status()} == {
            "master": "up",
            "desk": "off",
        }
        time.sleep(2)
        assert watcher.poll() is None  # neither FIN nor RST has reached the other end
        watcher.kill()
    # A shared connection would keep on talking to nobody.
    assert {path.name.split(".")[0] for path in office.paths.sockets.iterdir()} <= {"master"}
    steps(office).clear()
    office.power_on("desk")
    assert said(office, "desk", "cat /root/file") == "kept"
    assert not any("image" in step or "master" in step for step in steps(office))


def test_a_host_that_died_is_started_again(office: Lab) -> None:
    pid = office._processes().recorded("host.desk").pid  # type: ignore[union-attr]
    os.kill(pid, signal.SIGKILL)
    steps(office).clear()
    office.up()
    assert steps(office) == ["start desk", "desk answers on 10.77.2.21"]


UP = """
import sys
from pathlib import Path
from eyrie.lab import Lab
from eyrie.lab.paths import Paths
from eyrie.lab.progress import Lines
from eyrie.lab.topology import load
Lab(load(Path(sys.argv[1])), Paths(sys.argv[2], cache=Path(sys.argv[3])), Lines()).up()
"""


@contextmanager
def running_up(lab: Lab, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """`up` in a process of its own, to be killed."""
    name = lab.topology.name
    command = [sys.executable, "-c", UP, str(tmp_path / name / "lab.yml"), name, str(lab.paths.cache)]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        yield process
        process.kill()


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_an_interrupted_up_goes_on_and_comes_down(make: Make, tmp_path: Path, end: signal.Signals) -> None:
    lab = make(SINGLE, "it-cut", kind="container")
    for lines in (1, 3, 5, 7):
        with running_up(lab, tmp_path) as up:
            assert up.stdout is not None
            done = [up.stdout.readline() for _ in range(lines)]
            up.send_signal(end)
        assert all(line.startswith("done") for line in done)
        if lines == 3:
            lab.down()
            assert traces("it-cut") == set()
        elif lines == 5:
            lab.up()
            assert said(lab, "one", "hostname") == "one"
            lab.down()
    lab.up()
    assert said(lab, "one", "hostname") == "one"


def test_a_damaged_image_is_rebuilt_even_if_the_first_try_is_killed(make: Make, tmp_path: Path) -> None:
    ours = Paths("x")
    cache = tmp_path / "cache"
    store, shared = ImageStore(cache / "lab-images"), ImageStore(ours.images)
    cache.mkdir()
    (cache / "packages").symlink_to(ours.packages)
    store.directory.mkdir()
    subprocess.run(["cp", "-a", str(shared.path("container")), str(store.path("container"))], check=True)
    assert store.is_good("container")
    (store.path("container") / "root/usr/bin/true").write_bytes(b"bit rot")
    assert not store.is_good("container")

    lab = make(SINGLE, "it-rot", cache=cache, kind="container")
    building = store.directory / f"{store.path('container').name}.building" / "root" / "usr"
    with running_up(lab, tmp_path) as up:
        while not building.exists() and up.poll() is None:
            time.sleep(0.1)
        up.kill()
    assert building.exists()
    assert any("mmdebstrap" in trace for trace in traces("it-rot"))  # the builder outlives its killed parent
    lab.down()
    assert traces("it-rot") == set()

    lab.up()
    assert "container image" in steps(lab)
    assert store.is_good("container")
    assert said(lab, "one", "/usr/bin/true && hostname") == "one"
    assert not building.exists()
    lab.down()
    shutil.rmtree(cache)  # or pytest would keep three of them


def test_a_failing_step_is_named_and_the_rest_comes_down(make: Make) -> None:
    lab = make(SINGLE, "it-fail", kind="container")
    lab.paths.host("one").mkdir(parents=True)
    (lab.paths.host("one") / "upper").write_text("in the way")
    with pytest.raises(EyrieError) as caught:
        lab.up()
    assert "step 'files of one' failed" in str(caught.value)
    assert "upper" in str(caught.value)
    assert "eyrie lab down" in str(caught.value)
    assert traces("it-fail")
    lab.down()
    assert traces("it-fail") == set()


def test_two_labs_with_equal_addresses_stand_side_by_side(make: Make) -> None:
    left, right = (make(SINGLE, name, kind="container") for name in ("it-one", "it-one-b"))
    left.up()
    right.up()
    said(left, "one", "echo left > /etc/side")
    said(right, "one", "echo right > /etc/side")
    assert said(left, "one", "cat /etc/side") == "left"
    left.down()
    assert traces("it-one") == set()
    assert (
        said(right, "one", "cat /etc/side; apt-get -q update >/dev/null && echo packages")
        == "right\npackages"
    )


def test_down_needs_no_lab(make: Make) -> None:
    lab = make(SINGLE, "it-none", kind="container")
    lab.down()
    lab.down()
    with pytest.raises(EyrieError, match="not up"):
        lab.power_on("one")
    with pytest.raises(EyrieError, match=r"not up.*eyrie lab up"):
        lab.run("one", ["true"])


def test_a_vm_boots_to_ssh(make: Make) -> None:
    lab = make(SINGLE, "it-vm", kind="vm")
    lab.up()
    release, route = said(lab, "one", "uname -r; ip -o route get 10.77.1.1").splitlines()
    assert release != os.uname().release
    assert "dev eth0 src 10.77.1.10" in route
    lab.touch("one")
    lab.power_cut("one")
    assert [status.state for status in lab.status()] == ["off"]
