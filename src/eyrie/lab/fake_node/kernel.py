# SPDX-License-Identifier: GPL-3.0-or-later
"""The fake kernel: a loop over gossip, channels, tools and what is written into /proc."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import time
from pathlib import Path
from typing import Any

from eyrie.lab.fake_node import call, wire
from eyrie.lab.fake_node.proc import Proc, Sample, samples
from eyrie.lab.fake_node.tools import Tools
from eyrie.lab.fake_node.wire import Channel
from eyrie.lab.fake_node.world import FLAGS, Guest, Process, World
from eyrie.nodetable import Table

TICK_SECONDS = 0.1
GOSSIP_SECONDS = 1.0
# Like a genuine node's own: they belong to the place.
IMMOVABLE = ("sshd", "init", "getty", "logread", "syslogd", "klogd")


class Kernel:
    """One fake node at work."""

    def __init__(self, root: Path, address: str) -> None:
        self.world = World(address)
        self.root = root
        self.proc = Proc(root / "proc")
        self.proc.make()
        self.tools = Tools(self)
        self.bell = call.make_bell(root)
        self.udp = wire.gossip_socket(address)
        self.tcp = wire.migration_socket(address)
        self.away: dict[int, Channel] = {}  # by the process's number
        self.hosted: dict[int, Channel] = {}  # by the guest's number
        self.unnamed: list[Channel] = []  # connected, not yet said for whom
        self.frozen: set[int] = set()
        self._counted = time.monotonic()
        self._next_guest = 70
        self._next_gossip = 0.0
        self._selector = selectors.DefaultSelector()
        for source in (self.bell, self.udp, self.tcp):
            self._selector.register(source, selectors.EVENT_READ)

    def run(self) -> None:
        """Work for ever."""
        while True:
            ready = {key.fileobj for key, _ in self._selector.select(TICK_SECONDS)}
            _reap()
            now = time.monotonic()
            self._count(samples(self.root / "libexec/proc"), now)
            wire.hear(self.udp, self.world, now)
            self._accept()
            self._read_channels()
            self._read_files()
            calls = call.waiting(self.root, self.bell) if self.bell in ready else []
            answers = [(one, self.tools.answer(one)) for one in calls]
            if now >= self._next_gossip:
                self._next_gossip = now + GOSSIP_SECONDS
                self._each_second(now)
            self._show(time.monotonic())
            # Only now: whoever goes on finds in /proc what the call has changed.
            for one, answer in answers:
                call.reply(one, answer)

    def adopt(self, table: Table, own: int, *, restart: bool) -> None:
        """Take a table; a restart clears the node of all that is on the move."""
        if restart:
            self._fetch_all()
            self._send_guests_home()
            self.world.restart(table, own)
        self.world.table, self.world.own = table, own

    def move(self, pid: int, number: int) -> bool:
        """Send a process somewhere; home is 0 or this node's own number."""
        process, world = self.world.processes.get(pid), self.world
        if process is None or not process.is_movable or not world.own:
            return False
        number = 0 if number == world.own else number
        if number == process.where:
            return True
        channel = None
        if number:
            peer = world.peers.get(number)
            if peer is None or peer.flags & FLAGS["block"] or not world.is_up(number, time.monotonic()):
                return False
            message = {"home": world.own, "pid": pid, "command": process.command, "nmigs": process.nmigs + 1}
            channel = Channel.open(str(world.table.address_of(number)), message, world.address)
            if channel is None:
                return False
        self._leave(pid)
        if channel is not None:
            self.away[pid] = channel
        process.where = number
        process.nmigs += 1
        return True

    def expel(self) -> None:
        """Send every guest home and take no more."""
        self.world.flags.add("block")
        self._send_guests_home()

    def bring(self) -> None:
        """Fetch every process home and let none leave."""
        self.world.flags.add("lstay")
        self._fetch_all()

    def _fetch_all(self) -> None:
        for pid in list(self.away):
            self.move(pid, 0)

    def _send_guests_home(self) -> None:
        for channel in self.hosted.values():
            channel.send({"goto": 0})

    def _leave(self, pid: int) -> None:
        channel = self.away.pop(pid, None)
        if channel is not None:
            channel.close()
        if pid in self.frozen:
            self.frozen.discard(pid)
            _signal(pid, signal.SIGCONT)

    def _count(self, found: list[Sample], now: float) -> None:
        """Follow which processes there are and how busy they have been."""
        since, self._counted = now - self._counted, now
        alive = {sample.pid for sample in found}
        for pid in [pid for pid in self.world.processes if pid not in alive]:
            self._leave(pid)
            del self.world.processes[pid]
            self.proc.forget_process(pid)
        for sample in found:
            process = self.world.processes.get(sample.pid)
            if process is None:
                is_movable = not sample.command.startswith(IMMOVABLE)
                process = Process(sample.pid, sample.command, is_movable)
                parent = self.world.processes.get(sample.parent)
                process.is_locked = parent is not None and parent.is_locked
                self.world.processes[sample.pid] = process
            process.command = sample.command
            # Whoever wants the processor each time it is looked at computes, however little of it there is.
            process.busy_seconds = process.busy_seconds + since if sample.wants_processor else 0.0

    def _accept(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                connection, _ = self.tcp.accept()
                connection.setblocking(False)
                self.unnamed.append(Channel(connection))

    def _read_channels(self) -> None:
        for channel in list(self.unnamed):
            for message in channel.messages()[:1]:
                self.unnamed.remove(channel)
                self._take_guest(channel, message)
            if channel.is_lost and channel in self.unnamed:
                self.unnamed.remove(channel)
                channel.close()
        for number, channel in list(self.hosted.items()):
            channel.messages()
            if channel.is_lost:
                channel.close()
                del self.hosted[number], self.world.guests[number]
                self.proc.forget_guest(number)
        for pid, channel in list(self.away.items()):
            for message in channel.messages():
                self.move(pid, int(message["goto"]))
            if channel.is_lost and self.away.get(pid) is channel:
                # The node it was on is gone: what was there of the process is lost.
                self._leave(pid)
                _signal(pid, signal.SIGKILL)

    def _take_guest(self, channel: Channel, message: dict[str, Any]) -> None:
        home = int(message.get("home", 0))
        if not self.world.own or "block" in self.world.flags or not self.world.is_configured(home):
            channel.send({"goto": 0})
        number, self._next_guest = self._next_guest, self._next_guest + 1
        self.world.guests[number] = Guest(
            number, home, str(self.world.table.address_of(home)), int(message.get("pid", 0)),
            str(message.get("command", "")), int(message.get("nmigs", 0)),
        )  # fmt: skip
        self.hosted[number] = channel

    def _read_files(self) -> None:
        """Do what was written into the files of openMosix."""
        admin = self.proc.top / "hpc/admin"
        for flag in FLAGS:
            text = self.proc.taken(admin / flag)
            if text is not None:
                (self.world.flags.discard if text == "0" else self.world.flags.add)(flag)
        for name, act in (("expel", self.expel), ("bring", self.bring)):
            if self.proc.taken(admin / name):
                act()
                self.proc.put(admin / name, "")
        for pid, process in list(self.world.processes.items()):
            directory = self.proc.top / str(pid)
            text = self.proc.taken(directory / "goto")
            if text:
                self.proc.put(directory / "goto", "")
                if text.isdigit():
                    self.move(pid, int(text))
            text = self.proc.taken(directory / "lock")
            if text is not None:
                process.is_locked = text != "0"
        for number, channel in self.hosted.items():
            text = self.proc.taken(self.proc.top / "hpc/remote" / str(number) / "goto")
            if text and text.isdigit():
                channel.send({"goto": int(text)})

    def _each_second(self, now: float) -> None:
        world = self.world
        world.figures.load += round((world.count_load() - world.figures.load) * 0.6)
        wire.tell(self.udp, world)
        for channel in self.away.values():
            channel.send({})  # finds out whether the other side is still the same
        self._freeze(now)
        process, target = world.restless(), world.best_peer(now)
        if process is not None and target is not None and self.move(process.pid, target):
            # Until the next gossip the peer's load is a guess: without it all would go to one node.
            world.peers[target].figures.load += 100
            world.figures.load = max(0, world.figures.load - 100)

    def _freeze(self, now: float) -> None:
        """A process stands still while the node it is on is silent, and goes on with it."""
        for pid in self.away:
            is_up = self.world.is_up(self.world.processes[pid].where, now)
            if not is_up and pid not in self.frozen:
                self.frozen.add(pid)
                _signal(pid, signal.SIGSTOP)
            elif is_up and pid in self.frozen:
                self.frozen.discard(pid)
                _signal(pid, signal.SIGCONT)

    def _show(self, now: float) -> None:
        self.proc.show_node(self.world, now)
        for process in self.world.processes.values():
            self.proc.show_process(process)
        for guest in self.world.guests.values():
            self.proc.show_guest(guest)


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _reap() -> None:
    """Bury orphans: this is process 1 of the node."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
