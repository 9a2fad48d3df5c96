# SPDX-License-Identifier: GPL-3.0-or-later
"""Two real guests in two places reach each other and the master through the hub; nobody else does."""

from __future__ import annotations

import errno
import os
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hub_office import MASTER, MASTER_ADDRESS, PORT, TAP, HubOffice, QemuGuest, Wire, eventually

from eyrie.apt_mirror import debian_mirror
from eyrie.credentials.authority import new_authority
from eyrie.guests.accel import Accelerator
from eyrie.guests.backend import GuestSpec, HubSpec
from eyrie.guests.image.build import build_image
from eyrie.guests.image.recipe import Recipe
from eyrie.guests.qemu import QemuBackend
from eyrie.hub.guard import guest_mac

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]
SECRET = "this-is-what-a-guest-says"


@pytest.fixture(scope="module")
def image() -> Path:
    assert os.geteuid() == 0, "these tests need root"
    return build_image(Recipe(), debian_mirror).directory


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as made:
        yield made


@pytest.fixture
def office(stack: ExitStack) -> HubOffice:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="eyrie-hub-", dir="/var/tmp")))
    folder.chmod(0o755)
    made = HubOffice(stack, folder, ["desk-1", "desk-2"])
    made.start_hub()
    return made


def listen(stack: ExitStack, office: HubOffice) -> list[bytes]:
    """Have something at the master that guests may talk to; return what they said."""
    heard: list[bytes] = []
    with office.master.entered():
        listener = socket.create_server((MASTER_ADDRESS, 7777))
    stack.callback(listener.close)

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                heard.append(connection.recv(1000))

    threading.Thread(target=serve, daemon=True).start()
    return heard


def test_guests_and_master_are_one_ethernet_and_the_office_sees_tls(
    stack: ExitStack, office: HubOffice, image: Path
) -> None:
    wire, inside = Wire(stack, office.switch, "to-master"), Wire(stack, office.master, TAP)
    heard = listen(stack, office)
    guests = []
    for name, other in (("desk-1", "desk-2"), ("desk-2", "desk-1")):
        carrier, qemu = office.carrier(name, office.identity(name))
        places = f"{office.address(other)},{MASTER_ADDRESS}"
        guests.append((carrier, QemuGuest(stack, office, image, name, qemu, say=SECRET, places=places)))
    for (_, guest), other in zip(guests, ("desk-2", "desk-1"), strict=True):
        guest.wait_for(office.address(other), "yes")
        guest.wait_for(MASTER_ADDRESS, "yes")
    eventually(lambda: f"{SECRET}\n".encode() in heard, 120)

    assert inside.saw(SECRET.encode()), "else the next line would prove nothing"
    assert not wire.saw(SECRET.encode())
    assert len(wire.frames) > 50, "else neither would this"
    assert wire.ethertypes() <= {b"\x08\x00", b"\x08\x06", b"\x86\xdd"}
    private = [bytes((10, 88, 0, last)) for last in (1, 2, 254)]
    assert not any(wire.saw(address) for address in private), "the guests' addresses show in the office"

    office.stop_hub()
    guests[0][1].wait_for(MASTER_ADDRESS, "no")
    office.start_hub()
    for carrier, guest in guests:
        guest.wait_for(MASTER_ADDRESS, "yes")
        assert guest.process.poll() is None
        assert carrier.status().state == "up"


def test_a_guest_with_a_false_address_gets_nowhere(stack: ExitStack, office: HubOffice, image: Path) -> None:
    """Root inside the guest takes the MAC or the IPv4 address of another guest, or of nobody."""
    _, qemu = office.carrier("desk-1", office.identity("desk-1"))
    false = QemuGuest(
        stack, office, image, "desk-1", qemu, mac=guest_mac("lab", "desk-2"), places=MASTER_ADDRESS
    )
    _, qemu = office.carrier("desk-2", office.identity("desk-2"))
    stolen = QemuGuest(stack, office, image, "desk-2", qemu, me="10.88.0.77", places=MASTER_ADDRESS)
    for guest in (false, stolen):
        guest.wait_for(MASTER_ADDRESS, "no", more=2)
        assert (MASTER_ADDRESS, "yes") not in guest.looks()
    ports = office.state()["ports"]
    assert ports["desk-1"]["dropped"]["source-mac"] > 0
    assert ports["desk-2"]["dropped"]["arp-address"] > 0
    assert ports["trunk"]["sent_frames"] == 0


def test_a_guest_that_cannot_prove_itself_gets_nowhere(
    stack: ExitStack, office: HubOffice, image: Path
) -> None:
    """The certificate is another pool's, has expired, or is another desktop's that this hub does not know."""
    now = datetime.now(UTC)
    expired = office.identity("desk-1", made=now - timedelta(days=31))
    foreign = replace(office.identity("desk-1", by=new_authority("other", now)), ca=expired.ca)
    unknown = office.identity("desk-9")
    carrier, qemu = office.carrier("desk-1", expired)
    guest = QemuGuest(stack, office, image, "desk-1", qemu, places=MASTER_ADDRESS)
    guest.wait_for(MASTER_ADDRESS, "no", more=2)
    assert (MASTER_ADDRESS, "yes") not in guest.looks()
    assert "EXPIRED" in carrier.status().reason
    for identity, said in ((foreign, "UNKNOWN_CA"), (unknown, "not in this hub's list")):
        other, _far = office.carrier("desk-2", identity)
        eventually(lambda other=other, said=said: said in other.status().reason, 10)  # type: ignore[misc]
    state = office.state()
    assert state["admitted"] == 0
    assert set(state["refused"]) >= {"certificate has expired", "not in this hub's list"}


def test_the_hub_listens_where_it_was_told_and_nowhere_else(office: HubOffice) -> None:
    with office.places["desk-1"].entered(), pytest.raises(ConnectionRefusedError):
        socket.create_connection(("10.99.1.10", PORT + 1), 5)
    with office.master.entered(), pytest.raises(ConnectionRefusedError):
        socket.create_connection((MASTER_ADDRESS, PORT), 5)


def test_the_pools_own_guest_is_reached_through_the_hub(
    stack: ExitStack, office: HubOffice, image: Path, tmp_path: Path
) -> None:
    """The shipped image, started by the agent's backend: its cable, its second device, its address."""
    identity = office.identity("desk-1")
    hub = HubSpec(MASTER, PORT, identity.ca, identity.certificate, identity.key, guest_mac("lab", "desk-1"))
    spec = GuestSpec(
        name="desk-1",
        image=str(image),
        image_id="x",
        memory_mib=256,
        cpus=1,
        cpu_percent=100,
        user="",
        accel="tcg",
        token=str(tmp_path / "token"),
        run_dir=str(tmp_path / "run"),
        config={
            "name": "desk-1",
            "pool": "lab",
            "master": MASTER,
            "port": "9618",
            "lease_seconds": "600",
            "hub_address": f"{office.address('desk-1')}/24",
        },
        hub=hub,
    )
    (tmp_path / "token").write_text("a.b.c")
    with office.places["desk-1"].entered():
        guest = QemuBackend(accelerator=Accelerator("tcg", "")).start(spec)
    stack.callback(guest.close)
    stack.callback(guest.kill)
    said = []

    def reached() -> bool:
        said.extend(guest.messages())
        with office.master.entered(), socket.socket() as link:
            link.settimeout(1)
            # Nobody listens there; only a guest that is reached can say so.
            return link.connect_ex((office.address("desk-1"), 9)) == errno.ECONNREFUSED

    try:
        eventually(reached, 200)
    except AssertionError:
        raise AssertionError(f"not reached: {said} {guest.console()[-1500:]}") from None
    assert ("hub", ("up",)) in [(message.kind, message.words) for message in said]
    guest.pause()
    assert not reached()
    guest.resume()
    eventually(reached, 30)


def test_a_hub_whose_device_is_gone_ends_and_says_so(office: HubOffice) -> None:
    assert office.hub is not None
    office.master.ip("link", "delete", "dev", TAP)
    assert office.hub.wait(10) == 1
    assert f"tap {TAP} is gone" in office.log.read_text()
