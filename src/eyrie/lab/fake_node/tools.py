# SPDX-License-Identifier: GPL-3.0-or-later
"""The tools of a fake node: setpe, mosctl, migrate, mosrun and showmap."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from eyrie.lab.fake_node import sayings, setpe
from eyrie.lab.fake_node.call import Answer, Call
from eyrie.lab.fake_node.world import FLAGS, Figures, World
from eyrie.nodetable import Table

NO_SUCH_NODE = "Migration Failed: No such device or address\n"


class Acts(Protocol):
    """What tools ask of the fake kernel beyond changing a flag."""

    world: World

    def adopt(self, table: Table, own: int, *, restart: bool) -> None:
        """Take a table."""

    def move(self, pid: int, number: int) -> bool:
        """Send a process of this node to a node (0: home)."""

    def expel(self) -> None:
        """Send every guest home and take no more."""

    def bring(self) -> None:
        """Fetch every process of this node home and let none leave."""


@dataclass(frozen=True)
class Tools:
    """The tools of one node."""

    kernel: Acts

    def answer(self, call: Call) -> Answer:
        """Carry out one call."""
        tools: dict[str, Callable[[Call], Answer]] = {
            "setpe": lambda call: setpe.answer(self.kernel, call),
            "showmap": self._showmap,
            "mosctl": self._mosctl,
            "migrate": self._migrate,
            "mosrun": self._mosrun,
            "login": lambda _: Answer(0, skip=0),
        }
        return tools[call.name](call)

    def _showmap(self, _: Call) -> Answer:
        world = self.kernel.world
        head = f"My Node-Id: 0x{world.own:04x}\n\n"
        if not world.own:
            return Answer(6, head, "Unable to read /proc/hpc/admin/config\n")
        rows = [
            f"0x{entry.first:04x}       {entry.address:<16} {'alias' if entry.alias else entry.count}\n"
            for entry in world.table.entries
        ]
        title = "Base Node-Id Address          Count\n------------ ---------------- -----\n"
        return Answer(0, head + title + "".join(rows))

    def _mosctl(self, call: Call) -> Answer:
        word, rest = (call.arguments[0], call.arguments[1:]) if call.arguments else ("", [])
        if not word:
            return Answer(1, "", sayings.MOSCTL_USAGE)
        if word in sayings.WORDS:
            return self._flag(*sayings.WORDS[word])
        simple = {"expel": self._expel, "bring": self._bring}
        if word in simple:
            return simple[word]()
        if word == "setspeed":
            return self._set_speed(rest)
        if word == "whois":
            return self._whois(rest)
        if word in ("getdecay", "getyard"):
            return Answer(0, sayings.GETDECAY if word == "getdecay" else sayings.GETYARD)
        if word in _GETTERS or word in ("status", "isup"):
            return self._about(word, rest)
        return Answer(1, "mosctl: No such option.\n")

    def _flag(self, flag: str, wanted: bool) -> Answer:
        flags = self.kernel.world.flags
        had = flag in flags
        (flags.add if wanted else flags.discard)(flag)
        return Answer(0, sayings.FLAGS[flag][(0 if wanted else 2) + (had == wanted)] + "\n")

    def _expel(self) -> Answer:
        self.kernel.expel()
        return Answer(0, sayings.EXPEL)

    def _bring(self) -> Answer:
        self.kernel.bring()
        return Answer(0, sayings.BRING)

    def _set_speed(self, rest: Sequence[str]) -> Answer:
        if len(rest) != 1 or not rest[0].isdigit():
            return Answer(1, "", sayings.MOSCTL_USAGE)
        self.kernel.world.figures.speed = int(rest[0])
        return Answer(0)

    def _whois(self, rest: Sequence[str]) -> Answer:
        world = self.kernel.world
        if not rest:
            return Answer(0, f"This is openMosix #{world.own}\n")
        if rest[0].isdigit():
            address = world.table.address_of(int(rest[0])) if world.own else None
            unknown = f"Node #{rest[0]} is not configured\n"
            return Answer(0, f"{address}\n") if address else Answer(0, "", unknown)
        try:
            number = world.table.number_of(rest[0])
        except ValueError:
            return Answer(1, "", f"{rest[0]}: No Such Host-Name\n")
        unknown = f"Node at {rest[0]} is not configured\n"
        return Answer(0, f"{rest[0]} is openMosix #{number}\n") if number else Answer(0, "", unknown)

    def _about(self, word: str, rest: Sequence[str]) -> Answer:
        world, now = self.kernel.world, time.monotonic()
        number = int(rest[0]) if rest and rest[0].isdigit() else 0
        number = number or world.own
        if not world.own and not rest:
            return Answer(0, "", "Error: Success\n")
        if not world.is_configured(number):
            return Answer(0, "", f"Node #{number} is not configured\n")
        is_up = world.is_up(number, now)
        if word == "isup":
            return Answer(0, "yes\n" if is_up else "no\n")
        if word == "status":
            return Answer(0, _status(world.flags_of(number, now)) if is_up else "down.\n")
        if not is_up:
            return Answer(0, "", "Error: Network is unreachable\n")
        figures = world.figures if number == world.own else world.peers[number].figures
        return Answer(0, _GETTERS[word](figures) + "\n")

    def _migrate(self, call: Call) -> Answer:
        if len(call.arguments) != 2:
            return Answer(1, sayings.MIGRATE_USAGE)
        pid, target = call.arguments
        if not pid.isdigit() or not (target.isdigit() or target in ("home", "balance")):
            return Answer(1, sayings.MIGRATE_USAGE)
        if target != "balance":
            self.kernel.move(int(pid), 0 if target == "home" else int(target))
        return Answer(0)

    def _mosrun(self, call: Call) -> Answer:
        target: int | None = None
        is_locked = False
        words = list(call.arguments)
        while words and words[0].startswith("-"):
            option = words.pop(0)[1:]
            if option == "h" or option.isdigit():
                target = 0 if option == "h" else int(option)
            elif option.startswith("j"):
                target = self._least_loaded(option[1:])
            is_locked = is_locked or option == "L"
        if not words:
            return Answer(1, "", sayings.MOSRUN_USAGE)
        process = self.kernel.world.processes.get(call.pid)
        if process is not None:
            process.is_locked = is_locked
        if target and not self.kernel.move(call.pid, target):
            return Answer(1, "", NO_SUCH_NODE)
        return Answer(0, skip=len(call.arguments) - len(words))

    def _least_loaded(self, ranges: str) -> int | None:
        """Choose among `A-B,C-D` the node with the least load."""
        world, now = self.kernel.world, time.monotonic()
        wanted: set[int] = set()
        for part in ranges.split(","):
            first, _, last = part.partition("-")
            if first.isdigit() and (last or first).isdigit():
                wanted |= set(range(int(first), min(int(last or first), int(first) + 255) + 1))
        loads = [
            (world.figures.load if number == world.own else world.peers[number].figures.load, number)
            for number in wanted
            if world.own and (number == world.own or (number in world.peers and world.is_up(number, now)))
        ]
        return min(loads)[1] if loads else None


_GETTERS: dict[str, Callable[[Figures], str]] = {
    "getload": lambda of: f"load={of.load}",
    "getspeed": lambda of: f"speed={of.speed}.",
    "getmem": lambda of: f"free memory = {of.mem} of {of.tmem}",
    "getfree": lambda of: f"raw free memory = {of.rmem} of {of.tmem}",
    "getutil": lambda of: f"Utilizability = {of.util}%",
}


def _status(bits: int) -> str:
    return ",".join(["up", *(flag for flag, bit in FLAGS.items() if bits & bit)]) + ".\n"
