# SPDX-License-Identifier: GPL-3.0-or-later
"""Real labs on this machine: interrupted, broken, side by side, and gone without a trace."""

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
from lab_place import Recorder, said, steps, traces

from eyrie.errors import EyrieError
from eyrie.lab import Lab
from eyrie.lab.images import ImageStore
from eyrie.lab.paths import Paths
from eyrie.lab.topology import load

pytestmark = [pytest.mark.integration, pytest.mark.skipif(os.geteuid() != 0, reason="a lab needs root")]

SINGLE = """
plugin: eyrie.pool.lab
name: {name}
subnets: {{hq: {{network: 10.77.1.0/24}}}}
hosts:
  one: {{kind: {kind}, subnet: hq, address: 10.77.1.10, groups: [linux_desktops]}}
"""

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
