# SPDX-License-Identifier: GPL-3.0-or-later
"""The guest's command line, for every kind of machine."""

from __future__ import annotations

from dataclasses import replace

import pytest

from eyrie.guests.backend import GuestSpec
from eyrie.guests.command import Account, cpu_model, qemu_command, unprivileged

SPEC = GuestSpec(
    name="desk-1",
    image="/images/id",
    image_id="id",
    memory_mib=256,
    cpus=2,
    cpu_percent=100,
    user="eyrie-guest",
    accel="auto",
    token="/etc/eyrie/token",
    run_dir="/run/eyrie/guest",
)


def command(spec: GuestSpec = SPEC, accelerator: str = "tcg", version: tuple[int, int] = (7, 2)) -> list[str]:
    return qemu_command(
        spec, accelerator, version, account=Account(990, 980), channel_fd=7, qmp_fd=9, qemu="qemu"
    )


def option(words: list[str], name: str) -> list[str]:
    return [words[at + 1] for at, word in enumerate(words) if word == name]


@pytest.mark.parametrize(
    ("accelerator", "version", "model"),
    [
        ("tcg", (7, 2), "max,-cx16"),
        ("tcg", (9, 2), "max,-cx16"),
        ("tcg", (10, 0), "max"),
        ("kvm", (7, 2), "host"),
        ("kvm", (10, 0), "host"),
    ],
)
def test_cpu_model(accelerator: str, version: tuple[int, int], model: str) -> None:
    assert cpu_model(accelerator, version) == model
    assert option(command(accelerator=accelerator, version=version), "-cpu") == [model]


def test_the_translation_buffer_is_bounded_under_tcg_only() -> None:
    assert option(command(), "-accel") == ["tcg,thread=multi,tb-size=64"]
    assert option(command(accelerator="kvm"), "-accel") == ["kvm"]


def test_only_an_emulated_clock_is_trusted_blindly() -> None:
    assert "tsc=reliable" in option(command(), "-append")[0].split()
    assert "tsc=reliable" not in option(command(accelerator="kvm"), "-append")[0]


def test_privileges_are_given_up_before_qemu_starts() -> None:
    words = command()
    before = words[: words.index("qemu")]
    assert before == [
        *["nice", "-n", "19", "chrt", "--idle", "0"],
        *["setpriv", "--reuid", "990", "--regid", "980", "--clear-groups", "--inh-caps=-all"],
        *["--bounding-set=-all", "--no-new-privs", "--pdeathsig", "KILL"],
    ]
    assert option(words, "-sandbox") == [
        "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"
    ]


def test_without_an_account_the_guest_still_dies_with_its_parent() -> None:
    assert unprivileged(None) == ["setpriv", "--no-new-privs", "--pdeathsig", "KILL"]


def test_caps_devices_and_files() -> None:
    words = command()
    assert option(words, "-m") == ["256"]
    assert option(words, "-smp") == ["2"]
    assert {"-nodefaults", "-no-reboot", "-no-user-config"} <= set(words)
    assert "panic=-1" in option(words, "-append")[0].split()
    assert option(words, "-chardev")[0] == "socket,id=agent,fd=7"
    assert option(words, "-drive") == ["if=none,id=root,file=/images/id/root.squashfs,format=raw,readonly=on"]
    assert option(words, "-fw_cfg") == [
        "name=opt/org.eyrie/config,file=/run/eyrie/guest/config",
        "name=opt/org.eyrie/token,file=/etc/eyrie/token",
    ]


def test_commas_in_paths_do_not_end_options() -> None:
    words = command(replace(SPEC, image="/a,b", token="/t,id=x"))
    assert "file=/a,,b/root.squashfs" in option(words, "-drive")[0]
    assert option(words, "-fw_cfg")[1] == "name=opt/org.eyrie/token,file=/t,,id=x"


def test_the_guests_account_keeps_the_groups_it_was_given_and_no_other() -> None:
    assert "--clear-groups" in command()
    words = unprivileged(Account(990, 980, (36, 104)))
    assert words[words.index("--groups") + 1] == "36,104"
    assert "--clear-groups" not in words
