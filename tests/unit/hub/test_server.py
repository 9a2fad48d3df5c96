# SPDX-License-Identifier: GPL-3.0-or-later
"""Hub and carrier together, over real TLS: who gets in, who does not and is told why, and what heals."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from ethernet import BROADCAST, ipv4
from hub_place import WAIT, Guest, RunningHub, eventually, grants, mac, running
from papers import HOUR, HUB, Office, serial

from eyrie.hub import carrier, link
from eyrie.hub.frames import HEARTBEAT, join
from eyrie.hub.greeting import WELCOME, verdict
from eyrie.hub.status import metrics
from eyrie.hub.switch import QUEUE_BYTES
from eyrie.hub.tls import common_name, server_context

pytestmark = pytest.mark.slow  # real connections, and waiting for what must not come


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


@pytest.fixture
def hub(tmp_path: Path, office: Office) -> Iterator[RunningHub]:
    made = RunningHub(tmp_path, office.issue("hub", HUB))
    yield made
    made.stop()


@pytest.fixture
def pair(hub: RunningHub, office: Office) -> Iterator[tuple[Guest, Guest]]:
    guests = [Guest(office.issue(f"desk-{number}"), hub.port) for number in (1, 2)]
    for guest in guests:
        guest.until("up")
    yield guests[0], guests[1]
    for guest in guests:
        guest.stop()


def hello(source: int, target: int, size: int = 40) -> bytes:
    return ipv4(mac(source), mac(target), sender=f"10.88.0.{source}", payload=bytes(size))


def test_guests_reach_one_another(hub: RunningHub, pair: tuple[Guest, Guest]) -> None:
    one, two = pair
    one.send(hello(1, 2))
    assert two.receive() == hello(1, 2)
    two.send(hello(2, 1), hello(2, 1, 1400))
    assert [one.receive(), one.receive()] == [hello(2, 1), hello(2, 1, 1400)]
    state = hub.state()
    assert state["guests"] == {"known": 3, "connected": 2}
    assert state["missing"] == ["desk-3"]


def test_many_frames_arrive_whole_and_in_order(pair: tuple[Guest, Guest]) -> None:
    one, two = pair
    frames = [hello(1, 2, size) for size in range(1, 1400)]
    for at in range(0, len(frames), 100):  # what the switch's queue holds, at the utmost
        one.send(*frames[at : at + 100])
        assert [two.receive() for _ in frames[at : at + 100]] == frames[at : at + 100]


def test_a_spoofed_frame_goes_nowhere(hub: RunningHub, pair: tuple[Guest, Guest]) -> None:
    one, two = pair
    one.send(hello(3, 2), ipv4(mac(1), mac(2), sender="10.88.0.3"), ipv4(mac(2), BROADCAST))
    assert two.silent()
    ports = hub.state()["ports"]
    assert isinstance(ports, dict)
    assert ports["desk-1"]["dropped"] == {"source-mac": 2, "source-address": 1}
    assert 'eyrie_hub_dropped_frames_total{port="desk-1",reason="source-mac"} 2\n' in metrics(hub.state())


def refusals() -> list[tuple[str, dict[str, object], str, str]]:
    """Return certificate, what the desktop hears and what the hub counts."""
    past: dict[str, object] = {"begin": -3 * HOUR, "end": -HOUR}
    future: dict[str, object] = {"begin": HOUR, "end": 3 * HOUR}
    return [
        ("desk-9", {}, "not in this hub's list", "not in this hub's list"),
        ("desk-1", past, "CERTIFICATE_EXPIRED", "certificate has expired"),
        ("desk-1", future, "", "certificate is not yet valid"),
        ("desk-1", {"use": HUB}, "", "unsuitable certificate purpose"),
    ]


@pytest.mark.parametrize(("name", "how", "heard", "counted"), refusals())
def test_who_cannot_prove_himself_gets_nowhere(
    hub: RunningHub, office: Office, name: str, how: dict[str, object], heard: str, counted: str
) -> None:
    guest = Guest(office.issue(name, **how), hub.port)  # type: ignore[arg-type]
    guest.until("waiting", heard)
    eventually(lambda: counted in hub.refused())
    guest.send(hello(1, 2))
    assert guest.silent()
    assert hub.state()["admitted"] == 0
    guest.stop()


def test_another_authoritys_desktop_gets_nowhere(hub: RunningHub, office: Office, tmp_path: Path) -> None:
    foreign = Office(tmp_path, "foreign")
    guest = Guest(foreign.issue("desk-1", ca=office.ca), hub.port)
    guest.until("waiting", "UNKNOWN_CA")
    assert hub.state()["admitted"] == 0
    guest.stop()


def test_a_desktop_trusts_no_hub_but_its_pools(tmp_path: Path, office: Office) -> None:
    """Another authority's hub, a hub of another address, and a desktop that plays the hub."""
    foreign = Office(tmp_path, "foreign")
    for identity, heard in (
        (foreign.issue("hub", HUB, ca=office.ca), "unable to get local issuer certificate"),
        (office.issue("hub", HUB, address="127.0.0.2"), "IP address mismatch"),
        (office.issue("desk-2"), "unsuitable certificate purpose"),
    ):
        hub = RunningHub(tmp_path, identity)
        guest = Guest(office.issue("desk-1"), hub.port)
        with running(hub, guest):
            guest.until("waiting", heard)
            assert hub.state()["admitted"] == 0


def test_no_certificate_no_frame(hub: RunningHub, office: Office) -> None:
    context = ssl.create_default_context(cafile=str(office.ca))
    with (
        socket.create_connection(("127.0.0.1", hub.port), WAIT) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as tls,
        pytest.raises(ssl.SSLError, match="CERTIFICATE_REQUIRED"),
    ):
        tls.recv(100)
    assert hub.refused() == {"PEER_DID_NOT_RETURN_A_CERTIFICATE": 1}


def test_a_good_certificate_over_an_old_tls_is_no_way_in(hub: RunningHub, office: Office) -> None:
    old = ssl.create_default_context(cafile=str(office.ca))
    old.load_cert_chain(office.issue("desk-1").certificate)
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with socket.create_connection(("127.0.0.1", hub.port), WAIT) as plain, pytest.raises(ssl.SSLError):
        old.wrap_socket(plain, server_hostname="127.0.0.1")


def test_who_says_nothing_holds_up_nobody(hub: RunningHub, office: Office) -> None:
    silent = [socket.create_connection(("127.0.0.1", hub.port), WAIT) for _ in range(20)]
    eventually(lambda: hub.refused().get("too many at once from one address", 0) >= 16)
    for each in silent:
        each.close()
    guest = Guest(office.issue("desk-1"), hub.port)
    guest.until("up")
    guest.stop()


def test_a_revoked_certificate_is_put_out_and_kept_out(hub: RunningHub, office: Office) -> None:
    identity = office.issue("desk-1")
    guest = Guest(identity, hub.port)
    guest.until("up")
    hub.call(lambda: hub.hub.reload(replace(hub.settings, revoked=frozenset({serial(identity)}))))
    guest.until("waiting", "certificate revoked")
    newer = Guest(office.issue("desk-1"), hub.port)
    newer.until("up")
    for each in (guest, newer):
        each.stop()


def test_who_is_taken_from_the_list_is_put_out(hub: RunningHub, pair: tuple[Guest, Guest]) -> None:
    hub.call(lambda: hub.hub.reload(replace(hub.settings, grants=grants(1))))
    pair[1].until("waiting", "not in this hub's list")
    assert pair[0].carrier.status().state == "up"


def test_a_certificate_that_runs_out_ends_the_connection(
    hub: RunningHub, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    guest = Guest(office.issue("desk-1", end=timedelta(hours=1)), hub.port)
    guest.until("up")
    for each in hub.hub.links():
        hub.call(lambda each=each: each.look(time.monotonic(), time.time() + 3601))  # type: ignore[misc]
    eventually(
        lambda: hub.state()["guests"] == {"known": 3, "connected": 0} or guest.carrier.status().state != "up"
    )
    guest.stop()


def test_a_second_connection_of_a_desktop_replaces_the_first(hub: RunningHub, office: Office) -> None:
    first = Guest(office.issue("desk-1"), hub.port)
    first.until("up")
    second = Guest(office.issue("desk-1"), hub.port)
    second.until("up")
    first.until("waiting", "closed the connection")
    for each in (first, second):
        each.stop()


def test_a_hub_that_comes_back_is_found_again_and_the_guest_never_ends(
    tmp_path: Path, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carrier, "BACKOFF_FIRST", 0.1)
    identity = office.issue("hub", HUB)
    hub = RunningHub(tmp_path, identity)
    one, two = (Guest(office.issue(f"desk-{n}"), hub.port) for n in (1, 2))
    for each in (one, two):
        each.until("up")
    half = hello(1, 2)
    one.qemu.sendall(b"\0\0\0")  # in the middle of a frame
    hub.stop()
    one.until("waiting")
    one.qemu.sendall(bytes([len(half)]) + half)
    again = RunningHub(tmp_path, identity, port=hub.port)
    with running(again, one, two):
        for each in (one, two):
            each.until("up")
        one.send(hello(1, 2, 99))
        assert two.receive() == hello(1, 2, 99)
        assert one.carrier.status().lost == 1


def test_a_guest_that_stands_still_loses_frames_and_nobody_else_does(
    hub: RunningHub, pair: tuple[Guest, Guest], office: Office
) -> None:
    one, _still = pair
    third = Guest(office.issue("desk-3"), hub.port)
    third.until("up")
    big = hello(1, 2, 1400)
    for _ in range(8 * QUEUE_BYTES // len(big) // 50):
        one.send(*[big] * 50)
        one.send(hello(1, 3))
        assert third.receive() == hello(1, 3)
    eventually(lambda: _still.carrier.status().lost > 0)
    third.stop()


def test_silence_ends_a_connection_on_either_side(
    hub: RunningHub, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    guest = Guest(office.issue("desk-1"), hub.port)
    guest.until("up")
    for each in hub.hub.links():
        late = time.monotonic() + link.SILENCE_SECONDS + 1
        hub.call(lambda each=each, late=late: each.look(late, time.time()))  # type: ignore[misc]
    guest.until("waiting")
    guest.stop()
    monkeypatch.setattr(carrier, "SILENCE_SECONDS", -1.0)
    other = Guest(office.issue("desk-2"), hub.port)
    other.until("waiting", "silent")
    other.stop()


def test_signs_of_life_reach_neither_qemu_nor_other_guests(
    hub: RunningHub, pair: tuple[Guest, Guest], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = pair
    one.qemu.sendall(HEARTBEAT)
    for each in hub.hub.links():
        hub.call(lambda each=each: each.look(time.monotonic(), time.time()))  # type: ignore[misc]
    one.qemu.settimeout(0.3)
    with pytest.raises(TimeoutError):
        one.qemu.recv(10)
    assert two.silent()


def test_nonsense_from_a_proven_desktop_ends_its_connection(hub: RunningHub, office: Office) -> None:
    identity = office.issue("desk-1")
    context = ssl.create_default_context(cafile=str(office.ca))
    context.load_cert_chain(identity.certificate)
    with (
        socket.create_connection(("127.0.0.1", hub.port), WAIT) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as tls,
    ):
        assert verdict(tls.recv(100)) == ""
        tls.sendall(b"\xff" * 100)
        with contextlib.suppress(OSError):
            while tls.recv(100):  # until it ends, one way or another
                pass
    eventually(lambda: hub.state()["guests"] == {"known": 3, "connected": 0})


@pytest.mark.parametrize(
    ("subject", "name"),
    [
        ((), ""),
        (((("commonName", "desk-1"),),), "desk-1"),
        (((("organizationName", "x"),), (("commonName", "desk-1"),)), "desk-1"),
        (((("commonName", "desk-1"),), (("commonName", "desk-2"),)), ""),
    ],
)
def test_a_certificate_has_one_name_or_none(subject: object, name: str) -> None:
    assert common_name({"subject": subject}) == name


def test_state_is_one_line_of_json(hub: RunningHub) -> None:
    assert json.loads(json.dumps(hub.state()))["pool"] == "lab"


def test_a_frame_right_behind_the_welcome_is_not_left_waiting(office: Office) -> None:
    """A hub played by the test, as a real one seldom has something to say so soon."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        guest = Guest(office.issue("desk-1"), listener.getsockname()[1])
        plain, _ = listener.accept()
        with server_context(office.issue("hub", HUB)).wrap_socket(plain, server_side=True) as tls:
            tls.sendall(WELCOME + join([hello(2, 1)]))
            guest.qemu.settimeout(2)  # before the next sign of life
            assert guest.receive() == hello(2, 1)
        guest.stop()
