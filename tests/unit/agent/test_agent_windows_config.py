# SPDX-License-Identifier: GPL-3.0-or-later
"""agent.json on Windows, and whose wish it is that a desktop is left out there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from agent_world import config

from eyrie.agent import opt_out
from eyrie.agent.config import LINUX, WINDOWS, parse
from eyrie.agent.storage import StateDir
from eyrie.errors import EyrieError
from eyrie.guests.backend import ColinuxSpec


def windows_config(**changes: Any) -> str:
    data = config(
        idle__sources=["sessions", "power", "presentation", "load", "calendar"],
        guest__image=r"C:\ProgramData\Eyrie\items\guest-image-0123456789abcdef",
        guest__token=r"C:\ProgramData\Eyrie\token",
        guest__user="",
        guest__accel="whpx",
    )
    data["guest"]["program"] = r"C:\ProgramData\Eyrie\items\qemu-0123456789abcdef\qemu-system-x86_64.exe"
    for path, value in changes.items():
        *sections, key = path.split("__")
        place = data
        for section in sections:
            place = place[section]
        place[key] = value
    return json.dumps(data)


def test_a_configuration_for_windows_is_good_there_and_nowhere_else() -> None:
    loaded = parse(windows_config(idle__ignored_users=["Kiosk User", "jürgen"]), "agent.json", WINDOWS)
    assert loaded.guest.program.endswith("qemu-system-x86_64.exe")
    assert loaded.guest.accel == "whpx"
    with pytest.raises(EyrieError, match=r"idle\.sources"):
        parse(windows_config(), "agent.json", LINUX)
    with pytest.raises(EyrieError, match=r"idle\.sources"):
        parse(json.dumps(config()), "agent.json", WINDOWS)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"guest__image": "/var/lib/eyrie"}, "guest.image"),
        ({"guest__image": r"C:\ProgramData\..\x"}, "guest.image"),
        ({"guest__image": r"\\server\share\image"}, "guest.image"),
        ({"guest__token": r"C:\a*b"}, "guest.token"),
        ({"guest__token": "C:token"}, "guest.token"),
        ({"guest__program": ""}, "guest.program"),
        ({"guest__program": 'C:\\a" -x "b'}, "guest.program"),
        ({"guest__user": "eyrie-guest"}, "guest.user"),
        ({"guest__accel": "kvm"}, "guest.accel"),
        ({"idle__sources": ["logind"]}, "idle.sources"),
        ({"idle__ignored_users": ["a/b"]}, "idle.ignored_users"),
    ],
)
def test_what_is_wrong_on_windows_is_named(change: dict[str, Any], named: str) -> None:
    with pytest.raises(EyrieError) as refused:
        parse(windows_config(**change), "agent.json", WINDOWS)
    assert named in str(refused.value)


@pytest.mark.parametrize("change", [{"program": "/usr/bin/qemu"}, {"user": ""}, {"accel": "whpx"}])
def test_linux_takes_nothing_of_it(change: dict[str, Any]) -> None:
    data = config()
    data["guest"].update(change)
    with pytest.raises(EyrieError, match="guest"):
        parse(json.dumps(data), "agent.json", LINUX)


def colinux_config(**changes: Any) -> str:
    data = json.loads(windows_config(evict__grace_seconds=60, pool__engine="none"))
    data["guest"] = {
        "backend": "colinux",
        "folder": r"C:\coLinux",
        "service": "EyrieGuest",
        "network": "bridge",
        "image": r"C:\coLinux\root_fs",
        "image_id": "colinux-0.6.1",
    }
    for path, value in changes.items():
        section, key = path.split("__")
        data[section][key] = value
    return json.dumps(data)


def test_a_guest_of_colinux_is_read_on_windows_alone() -> None:
    answer = {"address": "10.77.0.21", "port": 22}
    guest = parse(colinux_config(guest__answer=answer), "agent.json", WINDOWS).guest
    assert guest.colinux == ColinuxSpec(r"C:\coLinux", "EyrieGuest", "bridge", ("10.77.0.21", 22))
    assert guest.token == guest.program == ""
    unasked = parse(colinux_config(), "agent.json", WINDOWS).guest.colinux
    assert unasked is not None and unasked.answer is None
    with pytest.raises(EyrieError, match="found 'colinux', wanted one of qemu"):
        parse(json.dumps({**config(), "guest": json.loads(colinux_config())["guest"]}), "agent.json", LINUX)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"guest__backend": "vmware"}, "one of qemu, colinux"),
        ({"guest__network": "outbound"}, "guest.network"),
        ({"guest__folder": "coLinux"}, "guest.folder"),
        ({"guest__service": "two words"}, "guest.service"),
        ({"guest__memory_mib": 128}, "guest.memory_mib"),  # it is role colinux' to say
        ({"guest__token": r"C:\token"}, "guest.token"),  # no engine runs in it
        ({"guest__answer": {"address": "guest", "port": 22}}, "guest.answer.address"),
        ({"guest__answer": {"address": "10.77.0.21", "port": 0}}, "guest.answer.port"),
        ({"evict__grace_seconds": 5}, "evict.grace_seconds"),  # it would be killed before it has halted
        ({"pool__engine": "htcondor"}, "pool.engine"),
    ],
)
def test_what_is_wrong_of_a_guest_of_colinux_is_named(change: dict[str, Any], named: str) -> None:
    with pytest.raises(EyrieError) as refused:
        parse(colinux_config(**change), "agent.json", WINDOWS)
    assert named in str(refused.value)


OWNER, OTHER = "S-1-5-21-1-2-3-1001", "S-1-5-21-1-2-3-1002"


@pytest.mark.parametrize(
    ("paused_by", "asked_by", "allowed"),
    [
        (OWNER, OWNER, True),
        (OWNER, OTHER, False),
        (OWNER, opt_out.ADMINISTRATORS, True),
        (opt_out.ADMINISTRATORS, OWNER, False),
        (opt_out.ADMINISTRATORS, opt_out.ADMINISTRATORS, True),
    ],
)
def test_only_who_paused_or_an_administrator_resumes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, paused_by: str, asked_by: str, allowed: bool
) -> None:
    from eyrie.agent.windows import accounts

    look: Callable[[str], str] = lambda sid: f"OFFICE\\{sid[-4:]}"  # noqa: E731
    monkeypatch.setattr(accounts, "name_of", look)
    directory = StateDir(tmp_path)
    opt_out.pause(directory, None, paused_by, 1.8e9)
    wish = opt_out.load(directory)  # as after a restart
    assert wish is not None
    assert wish.uid == paused_by
    assert wish.phrase().startswith(
        "paused by an administrator on"
        if paused_by == opt_out.ADMINISTRATORS
        else "paused by OFFICE\\1001 on"
    )
    if allowed:
        opt_out.resume(directory, wish, asked_by)
        assert opt_out.load(directory) is None
    else:
        with pytest.raises(EyrieError, match="paused by someone else"):
            opt_out.resume(directory, wish, asked_by)
