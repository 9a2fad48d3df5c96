# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line and the limits of a guest on Windows, and what they are made of."""

from __future__ import annotations

import ctypes
from dataclasses import replace

import pytest

from eyrie.guests.backend import GuestSpec
from eyrie.guests.windows import access, job, process
from eyrie.guests.windows.command import Ports, qemu_command, question

SPEC = GuestSpec(
    name="desk-1",
    image=r"C:\ProgramData\Eyrie\items\guest-image-0123",
    image_id="id",
    memory_mib=512,
    cpus=2,
    cpu_percent=50,
    user="",
    accel="auto",
    token=r"C:\ProgramData\Eyrie\token",
    run_dir="C:/ProgramData/Eyrie/run/guest",
)
QEMU = r"C:\Program Files\Eyrie\qemu\qemu-system-x86_64.exe"


def command(
    spec: GuestSpec = SPEC, accelerator: str = "tcg", version: tuple[int, int] = (10, 2)
) -> list[str]:
    return qemu_command(QEMU, spec, accelerator, version, Ports(50001, 50002), firmware=r"C:\q, x\share")


def option(words: list[str], name: str) -> list[str]:
    return [words[at + 1] for at, word in enumerate(words) if word == name]


@pytest.mark.parametrize(
    ("accelerator", "version", "accel", "cpu"),
    [
        ("tcg", (8, 2), "tcg,thread=multi,tb-size=64", "max,-cx16"),
        ("tcg", (10, 2), "tcg,thread=multi,tb-size=64", "max"),
        ("whpx", (8, 2), "whpx,kernel-irqchip=off", "Nehalem"),
        ("whpx", (10, 2), "whpx,kernel-irqchip=off", "Nehalem"),
    ],
)
def test_accelerator_and_processor(accelerator: str, version: tuple[int, int], accel: str, cpu: str) -> None:
    words = command(accelerator=accelerator, version=version)
    assert option(words, "-accel") == [accel]
    assert option(words, "-cpu") == [cpu]
    assert ("tsc=reliable" in option(words, "-append")[0].split()) == (accelerator == "tcg")


def test_qemu_calls_the_agent_and_nothing_listens() -> None:
    words = command()
    chardevs = option(words, "-chardev")
    client = "host=127.0.0.1,port={},server=off,ipv4=on,ipv6=off"
    assert chardevs[0] == f"socket,id=agent,{client.format(50001)}"
    assert chardevs[2] == f"socket,id=qmp,{client.format(50002)}"
    assert option(words, "-mon") == ["chardev=qmp,mode=control"]
    assert not [word for word in words if "server=on" in word or "hostfwd" in word]


def test_what_only_linux_has_is_not_asked_for() -> None:
    text = " ".join(command())
    assert "-sandbox" not in text
    assert "dump-guest-core" not in text
    assert "pidfd" not in text and "fd=" not in text


def test_the_token_that_is_shown_is_the_copy_qemu_may_read() -> None:
    assert option(command(), "-fw_cfg") == [
        "name=opt/org.eyrie/config,file=C:/ProgramData/Eyrie/run/guest/config",
        "name=opt/org.eyrie/token,file=C:/ProgramData/Eyrie/run/guest/token",
    ]


def test_spaces_and_commas_in_paths() -> None:
    words = command(replace(SPEC, image=r"C:\a b, c", run_dir="C:/d, e"))
    assert r"file=C:\a b,, c/root.squashfs" in option(words, "-drive")[0]
    assert option(words, "-kernel") == [r"C:\a b, c/vmlinuz"]  # no list of options: its comma is a comma
    assert option(words, "-fw_cfg")[0] == "name=opt/org.eyrie/config,file=C:/d,, e/config"
    assert option(words, "-L") == [r"C:\q, x\share"]


def test_a_probe_asks_the_kernel_and_waits_for_its_answer() -> None:
    words = question(command(accelerator="whpx"), "eyrie.probe")
    assert option(words, "-append")[0].endswith(" eyrie.probe")
    assert words[-1] == "-no-shutdown"


@pytest.mark.parametrize(
    ("memory", "cpus", "percent", "processors", "rate"),
    [
        (512, 2, 50, 8, 1250),
        (512, 1, 100, 1, 10000),
        (512, 4, 100, 2, 10000),  # asked for more than there is
        (64, 1, 1, 1024, 1),  # Windows takes no zero
        (512, 1, 100, 0, 10000),  # an unknown number of processors
    ],
)
def test_limits(memory: int, cpus: int, percent: int, processors: int, rate: int) -> None:
    spec = replace(SPEC, memory_mib=memory, cpus=cpus, cpu_percent=percent)
    found = job.limits(spec, processors)
    assert found.cpu_rate == rate
    assert found.memory_bytes == (memory + job.OVERHEAD_MIB) << 20


@pytest.mark.skipif(ctypes.sizeof(ctypes.c_void_p) != 8, reason="sizes of 64-bit Windows")
@pytest.mark.parametrize(
    ("kind", "size"),
    [
        (job.BasicLimits, 64),
        (job.ExtendedLimits, 144),
        (job.CpuRate, 8),
        (process.StartupInfo, 112),
        (process.ProcessInformation, 24),
        (access.SecurityAttributes, 24),
        (access.Trustee, 32),
        (access.ExplicitAccess, 48),
    ],
)
def test_structures_have_windows_sizes(kind: type[ctypes.Structure], size: int) -> None:
    """The sizes that winnt.h and its like give on 64-bit Windows, wherever this test runs."""
    assert ctypes.sizeof(kind) == size


@pytest.mark.parametrize(
    ("kind", "field", "offset"),
    [
        (job.BasicLimits, "flags", 16),
        (job.BasicLimits, "most_processes", 40),
        (job.BasicLimits, "priority_class", 56),
        (job.ExtendedLimits, "job_memory", 120),
        (process.StartupInfo, "flags", 60),
        (process.StartupInfo, "standard", 80),
        (process.StartupInfo, "attributes", 104),
    ],
)
def test_fields_lie_where_windows_looks(kind: type[ctypes.Structure], field: str, offset: int) -> None:
    assert getattr(kind, field).offset == offset


def test_the_run_directory_is_for_system_administrators_and_the_guest_to_read() -> None:
    assert access.access_list("S-1-5-19") == (
        "D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;S-1-5-19)"
    )
