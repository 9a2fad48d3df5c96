# SPDX-License-Identifier: GPL-3.0-or-later
"""What nodes do together: see one another, take processes, give them back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from openmosix_cluster import (
    MIGRATION_SECONDS,
    end_jobs,
    form_pool,
    guests,
    pool_table,
    said,
    sees,
    setpe,
    start_jobs,
    wait,
    where,
)

from eyrie.nodetable import digest, parse
from eyrie.openmosix import drain
from eyrie.openmosix.read import parse as parse_facts
from eyrie.openmosix.read import pinned, read_script

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]


@pytest.fixture
def pool(nodes: list[Any]) -> list[Any]:
    """All three nodes in one table."""
    form_pool(nodes)
    return nodes


@pytest.fixture
def jobs(pool: list[Any]) -> Iterator[list[int]]:
    """Four processes of the first node, of which some run elsewhere."""
    home = pool[0]
    pids = start_jobs(home, 4)
    try:
        wait("a process migrates", lambda: any(where(home, pid) for pid in pids), MIGRATION_SECONDS)
        yield pids
    finally:
        end_jobs(home, pids)


def test_nodes_know_one_another(pool: list[Any]) -> None:
    for node in pool:
        assert said(node, "mosctl whois") == f"This is openMosix #{node.number}"
        for peer in pool:
            assert said(node, f"mosctl whois {peer.number}") == peer.address
            assert said(node, f"mosctl isup {peer.number}") == "yes"
            assert int(said(node, f"cat /proc/hpc/nodes/{peer.number}/status")) & 2
    assert "not configured" in "".join(pool[0].sh("mosctl whois 77")[1:])


def test_admin_files(pool: list[Any]) -> None:
    node = pool[0]
    assert said(node, "cat /proc/hpc/admin/version").startswith("openMosix Version")
    for name in ("mospe", "block", "stay", "lstay", "quiet", "speed"):
        assert said(node, f"cat /proc/hpc/admin/{name}").isdigit()
    assert set(said(node, f"ls /proc/hpc/nodes/{node.number}").split()) == {
        "cpus", "load", "mem", "rmem", "tmem", "util", "speed", "status"
    }  # fmt: skip
    assert set(said(node, "ls /proc/$$").split()) >= {"where", "nmigs", "goto", "lock"}


def test_block_and_stay_are_seen_by_the_others(pool: list[Any]) -> None:
    node, peer = pool[:2]
    said(peer, "mosctl block; mosctl lstay")
    assert said(peer, "cat /proc/hpc/admin/block") == "1"
    assert said(peer, "cat /proc/hpc/admin/lstay") == "1"
    wait("the other sees it blocked", lambda: "block" in sees(node, peer.number))
    said(peer, "mosctl noblock; mosctl nolstay")
    wait("the other sees it open", lambda: sees(node, peer.number) == "up.")


def test_nodes_with_differing_numbers_see_one_another_down(pool: list[Any]) -> None:
    first, second, third = pool
    assert setpe(third, pool_table((first, second)) + f"8 {third.address} 1\n") == (0, "")
    wait("the first sees the third down", lambda: sees(first, 3) == "down.")
    wait("the third sees the first down", lambda: sees(third, 1) == "down.")
    assert sees(first, 2) == "up."


def test_node_with_further_ranges_is_still_up(pool: list[Any]) -> None:
    first, second, _third = pool
    assert setpe(second, pool_table(pool) + "40 192.168.9.1 5\n", "-w") == (0, "")
    assert said(second, "sleep 5; mosctl status 1") == "up."
    assert sees(first, 2) == "up."
    assert sees(second, 42) == "down."


def test_process_migrates_and_is_seen_on_both_sides(pool: list[Any], jobs: list[int]) -> None:
    home = pool[0]
    away = next(pid for pid in jobs if where(home, pid))
    host = pool[where(home, away) - 1]
    assert int(said(home, f"cat /proc/{away}/nmigs")) >= 1
    identities = [said(host, f"cat /proc/hpc/remote/{guest}/identity") for guest in guests(host)]
    assert any(f"pid={away}\n" in identity for identity in identities)
    origins = [said(host, f"cat /proc/hpc/remote/{guest}/from").split()[0] for guest in guests(host)]
    assert "1" in origins


def test_goto_brings_a_process_home(pool: list[Any], jobs: list[int]) -> None:
    home = pool[0]
    away = next(pid for pid in jobs if where(home, pid))
    said(home, f"mosctl lstay; echo 0 > /proc/{away}/goto")
    wait("it is home", lambda: where(home, away) == 0)


def test_block_and_expel_empty_a_node(pool: list[Any], jobs: list[int]) -> None:
    home = pool[0]
    host = pool[where(home, next(pid for pid in jobs if where(home, pid))) - 1]
    said(host, "mosctl block; mosctl expel")
    wait("it is empty", lambda: guests(host) == [])
    assert said(home, f"kill -0 {' '.join(map(str, jobs))} && echo all live") == "all live"


def test_bring_takes_everything_home_and_keeps_it(pool: list[Any], jobs: list[int]) -> None:
    home = pool[0]
    said(home, "mosctl bring")
    wait("all are home", lambda: not any(where(home, pid) for pid in jobs))
    assert said(home, "cat /proc/hpc/admin/lstay") == "1"


def test_mosrun_pins_a_shell_and_its_children(pool: list[Any]) -> None:
    script = "sleep 5 & sleep 1; cat /proc/$$/lock /proc/$!/lock"
    assert said(pool[0], f"mosrun -h -L /bin/sh -c '{script}'").split() == ["1", "1"]


def test_our_reader_and_drain_speak_the_nodes_language(pool: list[Any], jobs: list[int]) -> None:
    """The scripts of the package, word for word as the actions send them."""
    home = pool[0]
    facts = parse_facts(said(home, pinned(read_script())))
    assert (facts.number, facts.own_address) == (1, home.address)
    assert facts.table is not None and digest(facts.table) == digest(parse(pool_table(pool)))
    assert facts.up == {1, 2, 3}
    assert {each.pid for each in facts.away} & set(jobs)
    assert facts.tools and facts.release and facts.build and facts.openmosix
    host = pool[facts.away[0].node - 1]
    there = parse_facts(said(host, pinned(read_script())))
    assert {guest.home_pid for guest in there.guests} & set(jobs)
    after = parse_facts(said(host, pinned(drain.script(drain.drain(there), 30))))
    assert after.blocked and after.staying and after.empty
    again = parse_facts(said(host, pinned(drain.script(drain.resume(after), 0))))
    assert not again.blocked and not again.staying
