# SPDX-License-Identifier: GPL-3.0-or-later
"""Public keys by host, and what a host says of its own addresses."""

from __future__ import annotations

import base64
from ipaddress import IPv4Network

import pytest

from eyrie.errors import EyrieError
from eyrie.networks import keys, own

ONE, TWO = (base64.b64encode(bytes([number] * 32)).decode() for number in (1, 2))
SHOWN = r"""1: lo    inet 127.0.0.1/8 scope host lo\       valid_lft forever preferred_lft forever
2: eth0    inet 10.50.0.10/24 brd 10.50.0.255 scope global eth0\       valid_lft forever preferred_lft forever
4: eyrie-wg@if2    inet 10.88.0.10/16 scope global eyrie-wg\       valid_lft forever preferred_lft forever
"""


def test_keys_are_kept_of_hosts_that_are_off() -> None:
    merged = keys.merged({"a": ONE}, {"b": TWO, "c": ""})
    assert merged == {"a": ONE, "b": TWO}
    assert keys.load(keys.dump(merged), "pool-keys.yml") == merged
    assert keys.load(keys.HEAD, "pool-keys.yml") == {}


@pytest.mark.parametrize("text", ["a: b", "a: [1]", "- a", "a: " + ONE[:-4], "{"])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(EyrieError, match="pool-keys"):
        keys.load(text, "pool-keys.yml")


def test_a_machine_that_was_copied_with_its_key_is_found() -> None:
    with pytest.raises(EyrieError, match="hosts a and b', wanted a key of its own"):
        keys.merged({"a": ONE}, {"b": ONE})


def test_addresses_of_a_host() -> None:
    assert own.private(SHOWN, IPv4Network("10.88.0.0/16")) == "10.88.0.10"
    assert own.private(SHOWN, IPv4Network("10.89.0.0/16")) == ""
    assert own.addresses(SHOWN)["10.88.0.10"] == "eyrie-wg"
    assert own.translated("a", "10.50.0.10", SHOWN) is None
    assert "which none of its interfaces has" in str(own.translated("a", "203.0.113.9", SHOWN))
