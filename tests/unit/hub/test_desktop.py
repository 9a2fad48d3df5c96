# SPDX-License-Identifier: GPL-3.0-or-later
"""The hub as the agent knows it: configuration, QEMU's second device, what the agent's program holds."""

from __future__ import annotations

import json
import socket
import time
import zipfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hub_place import eventually
from papers import Office

from eyrie.agent import bundle
from eyrie.agent.config import LINUX, WINDOWS, Config, parse
from eyrie.agent.driver import spec
from eyrie.errors import EyrieError
from eyrie.guests.backend import GuestSpec, HubSpec, Message
from eyrie.guests.cable import Cable
from eyrie.guests.command import qemu_command
from eyrie.guests.windows.command import Ports
from eyrie.guests.windows.command import qemu_command as windows_command
from eyrie.hub import carrier
from eyrie.hub.bundle import contents

HUB = {
    "address": "10.77.1.10",
    "port": 9620,
    "ca": "/etc/eyrie/hub-ca.pem",
    "certificate": "/etc/eyrie/hub.pem",
    "key": "/etc/eyrie/hub.pem",
    "mac": "02:38:cf:4d:c6:e5",
    "guest_address": "10.88.0.21/24",
}


def configuration(**guest: Any) -> dict[str, Any]:
    return {
        "version": 1,
        "name": "desk-1",
        "idle": {
            "seconds": 60,
            "poll_seconds": 1,
            "sources": ["load"],
            "foreign_cpu_percent": 30,
            "calendar": [],
            "ignored_users": [],
        },
        "evict": {"grace_seconds": 5},
        "backoff": {"first_seconds": 10, "max_seconds": 600},
        "lease_seconds": 60,
        "start_timeout_seconds": 120,
        "guest": {
            "backend": "qemu",
            "image": "/var/lib/eyrie/images/x",
            "image_id": "x",
            "memory_mib": 256,
            "cpus": 1,
            "cpu_percent": 100,
            "user": "eyrie-guest",
            "token": "/etc/eyrie/token",
            "accel": "auto",
            **guest,
        },
        "pool": {"name": "lab", "engine": "htcondor", "master": "10.77.1.10", "port": 9618},
    }


def read(**guest: Any) -> Config:
    return parse(json.dumps(configuration(**guest)), "agent.json", LINUX)


def test_without_a_word_the_network_is_outbound() -> None:
    for config in (read(), read(network="outbound")):
        started = spec(config, Path("/run/eyrie"))
        assert started.hub is None
        assert "hub_address" not in started.config


def test_hub_reaches_the_backend_and_the_guest() -> None:
    started = spec(read(network="hub", hub=HUB), Path("/run/eyrie"))
    assert started.hub == HubSpec(**{key: value for key, value in HUB.items() if key != "guest_address"})  # type: ignore[arg-type]
    assert started.config["hub_address"] == "10.88.0.21/24"


@pytest.mark.parametrize(
    ("guest", "named"),
    [
        ({"network": "bridge"}, "guest.network"),
        ({"network": "hub"}, "guest.hub"),
        ({"hub": HUB}, "guest.hub"),
        ({"network": "outbound", "hub": HUB}, "guest.hub"),
        ({"network": "hub", "hub": {**HUB, "address": "master"}}, "guest.hub.address"),
        ({"network": "hub", "hub": {**HUB, "mac": "03:38:cf:4d:c6:e5"}}, "guest.hub.mac"),
        ({"network": "hub", "hub": {**HUB, "key": "hub.pem"}}, "guest.hub.key"),
        ({"network": "hub", "hub": {**HUB, "guest_address": "10.88.0.21"}}, "guest.hub.guest_address"),
        ({"network": "hub", "hub": {**HUB, "vlan": 1}}, "guest.hub.vlan"),
    ],
)
def test_a_wrong_hub_is_named(guest: dict[str, Any], named: str) -> None:
    with pytest.raises(EyrieError, match=f"{named}: "):
        read(**guest)


def test_windows_names_its_files_in_its_own_way() -> None:
    data = configuration(
        network="hub", hub={**HUB, **dict.fromkeys(("ca", "certificate", "key"), r"C:\x\hub.pem")}
    )
    data["idle"]["sources"] = ["load"]
    data["guest"] |= {"user": "", "image": r"C:\x", "token": r"C:\t", "program": r"C:\q.exe"}
    hub = parse(json.dumps(data), "agent.json", WINDOWS).guest.hub
    assert hub and hub.key == r"C:\x\hub.pem"


def guest_spec(hub: HubSpec | None) -> GuestSpec:
    config = read()
    return replace(spec(config, Path("/run/eyrie")), hub=hub)


WANTED = spec(read(network="hub", hub=HUB), Path("/run/eyrie")).hub
DEVICE = "virtio-net-pci,netdev=hub,mac=02:38:cf:4d:c6:e5,romfile="


def test_the_second_device_comes_after_the_first() -> None:
    plain, both = (
        qemu_command(
            guest_spec(hub), "tcg", (7, 2), account=None, channel_fd=4, qmp_fd=5, hub_fd=6, qemu="qemu"
        )
        for hub in (None, WANTED)
    )
    assert not [word for word in plain if "hub" in word]
    at = both.index("stream,id=hub,server=off,addr.type=fd,addr.str=6")
    assert both[at + 2] == DEVICE
    assert at > both.index("virtio-net-pci,netdev=net0,romfile=")


def test_on_windows_qemu_calls_back_over_the_loopback() -> None:
    plain, both = (
        windows_command("qemu", guest_spec(hub), "tcg", (10, 0), Ports(1, 2, 3), firmware="f")
        for hub in (None, WANTED)
    )
    assert not [word for word in plain if "hub" in word]
    at = both.index("stream,id=hub,server=off,addr.type=inet,addr.host=127.0.0.1,addr.port=3")
    assert both[at + 2] == DEVICE


def test_a_certificate_that_cannot_be_used_is_told_before_the_guest_starts(tmp_path: Path) -> None:
    office = Office(tmp_path)
    identity = office.issue("desk-1")
    assert WANTED
    files = {"ca": identity.ca, "certificate": identity.certificate, "key": identity.key}
    for key in files:
        with pytest.raises(EyrieError, match="wanted readable PEM files"):
            Cable(replace(WANTED, **{**files, key: str(tmp_path / "none")}), None)  # type: ignore[arg-type]


def test_the_agents_program_holds_the_carrier_and_not_the_hub() -> None:
    names = zipfile.ZipFile(BytesIO(bundle.pack(dict(bundle.contents())))).namelist()
    assert {"eyrie/hub/carrier.py", "eyrie/hub/frames.py", "eyrie/guests/cable.py"} <= set(names)
    assert "eyrie/hub/server.py" not in names


def test_the_hubs_program_holds_what_it_imports() -> None:
    held = dict(contents())
    for name, text in held.items():
        for line in text.decode().splitlines():
            if line.startswith("from eyrie.") and " import " in line:
                module = line.split()[1].replace(".", "/")
                assert f"{module}.py" in held, f"{name}: {line}"


def test_a_cable_tells_each_change_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carrier, "BACKOFF_FIRST", 0.02)
    identity = Office(tmp_path).issue("desk-1")
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    qemu, far = socket.socketpair()
    mac = HUB["mac"]
    cable = Cable(HubSpec("127.0.0.1", port, identity.ca, identity.certificate, identity.key, str(mac)), far)
    told: list[Message] = []
    eventually(lambda: bool(told.extend(cable.news()) or told))
    assert (told[0].kind, told[0].words[0]) == ("hub", "waiting")
    assert f"127.0.0.1 port {port} cannot be reached" in " ".join(told[0].words)
    end = time.monotonic() + 0.2  # several tries later
    while time.monotonic() < end:
        told += cable.news()
    assert len(told) == 1
    cable.unplug()
    qemu.close()
