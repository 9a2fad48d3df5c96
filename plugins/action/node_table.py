# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible_collections.eyrie.pool.plugins.plugin_utils.node_drain import NodeDrainAction

from eyrie.errors import EyrieError
from eyrie.nodetable.table import Table, render
from eyrie.openmosix import change, drain
from eyrie.openmosix.apply import MAP, OFF, apply_script, read_when_up
from eyrie.openmosix.change import Step, Wanted
from eyrie.openmosix.facts import NodeFacts, spans

SPEC = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "content": {"type": "str"},
    "src": {"type": "path"},
    "address": {"type": "str"},
    "networks": {"type": "list", "elements": "str", "default": []},
    "allow_restart": {"type": "bool", "default": False},
    "drain_seconds": {"type": "int", "default": 60},
    "peers": {"type": "list", "elements": "int", "default": []},
    "wait_seconds": {"type": "int", "default": 20},
    "facts": {"type": "str"},
}


class ActionModule(NodeDrainAction):
    """Give a node its table; nothing is written before the table was judged and the node was read."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        arguments = self.arguments(SPEC)
        try:
            if arguments["state"] == "absent":
                result.update(self._absent(arguments))
            else:
                goal = self._wanted(arguments, task_vars or {})
                before = self.known(arguments["facts"], task_vars or {})
                result.update(self._present(goal, before, arguments))
        except EyrieError as error:
            raise AnsibleActionFail(str(error)) from error
        result["round_trips"] = self.round_trips
        return result

    def _wanted(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> Wanted:
        if (arguments["content"] is None) == (arguments["src"] is None):
            raise EyrieError("node_table", wanted="either content or src")
        address = arguments["address"] or self._templar.template(task_vars.get("ansible_host"))
        networks = [IPv4Network(each) for each in arguments["networks"]]
        if arguments["src"] is None:
            return change.wanted(arguments["content"], address, "content", networks)
        source = self._find_needle("files", arguments["src"])
        text = Path(source).read_bytes().decode("utf-8", "surrogateescape")
        return change.wanted(text, address, arguments["src"], networks)

    def _present(self, goal: Wanted, before: NodeFacts, arguments: dict[str, Any]) -> dict[str, Any]:
        step = change.plan(before, goal)
        if step is Step.RESTART and not arguments["allow_restart"]:
            raise EyrieError(
                "the node's own mapping",
                seen=f"{_mapping(goal.table, goal.number)} in the table",
                wanted=f"{_mapping(before.table, before.number)} as it is: another one restarts openMosix and"
                " brings every process home",
                next_step="set allow_restart: true to drain the node and restart it; its old table runs on",
            )
        after = before
        if step is not Step.NOTHING and not self._task.check_mode:
            after = self._apply(before, goal, step, arguments)
        return {
            "changed": step is not Step.NOTHING,
            "node_table": {"number": goal.number, "step": step.value, "table": render(goal.table)},
            "openmosix": after.as_dict(),
            "diff": self.diff(_shown(before, step), _goal_shown(goal, before, step), MAP),
        }

    def _apply(self, before: NodeFacts, goal: Wanted, step: Step, arguments: dict[str, Any]) -> NodeFacts:
        if step is Step.RESTART:
            self._empty(before, arguments["drain_seconds"])
        try:
            return self._write(before, goal, step, arguments)
        finally:
            if step is Step.RESTART and not before.blocked:
                self.bring(self.read(), drain.resume, 10)

    def _write(self, before: NodeFacts, goal: Wanted, step: Step, arguments: dict[str, Any]) -> NodeFacts:
        expected = (change.steady_peers(before, goal.table) | set(arguments["peers"])) - {goal.number}
        text = goal.text.encode("utf-8", "surrogateescape")
        wait = read_when_up(expected, arguments["wait_seconds"], arguments["peers"])
        done = self.attempt(apply_script(step, text, wait), text)
        if done.rc != 0:
            now = "its old table runs on" if before.enabled else "it has no table"
            raise AnsibleActionFail(f"The node refuses the table: {done.reason}. Nothing is changed, {now}.")
        after = self.parsed(done.stdout)
        _prove(after, goal, expected)
        return after

    def _empty(self, before: NodeFacts, seconds: int) -> None:
        """Bring everything home before a restart; a node that cannot be emptied goes on as it was."""
        after = self.bring(before, drain.drain, seconds)
        if drain.drain(after).done:
            return
        if not before.blocked:
            self.bring(after, drain.resume, 10)
        raise EyrieError(
            f"the node is not empty after {seconds} s",
            seen="; ".join(drain.left(after)),
            wanted="nothing here and nothing away before its number changes; its old table runs on",
            next_step="let these processes end, then run this again",
        )

    def _absent(self, arguments: dict[str, Any]) -> dict[str, Any]:
        before = after = self.read()
        changed = before.enabled or before.map_text is not None or before.map_old
        if changed and not self._task.check_mode:
            if before.enabled:
                self._empty(before, arguments["drain_seconds"])
            self.sh(OFF)
            after = self.read()
            if after.enabled:
                raise EyrieError("openMosix", seen=f"node {after.number}", wanted="off after setpe -off")
        return {
            "changed": changed,
            "openmosix": after.as_dict(),
            "diff": self.diff(_shown(before, Step.WRITE), "", MAP),
        }


def _mapping(table: Table | None, number: int) -> str:
    return f"node {number} of range '{change.own_range(table, number)}'"


def _shown(facts: NodeFacts, step: Step) -> str:
    """Return what the diff starts from: the file where only that is wrong, else what the kernel runs."""
    return facts.map_text or "" if step is Step.FILE else change.running_text(facts)


def _goal_shown(goal: Wanted, before: NodeFacts, step: Step) -> str:
    return _shown(before, step) if step is Step.NOTHING else render(goal.table)


def _prove(after: NodeFacts, goal: Wanted, expected: frozenset[int]) -> None:
    """Read back: the kernel's table and number, the file, and the peers."""
    if change.plan(after, goal) is not Step.NOTHING:
        raise EyrieError(
            "the table that the node runs now",
            seen=change.running_text(after),
            wanted=f"node {goal.number} in {render(goal.table)}",
            next_step="look whether an autodiscovery daemon rewrites it",
        )
    if missing := expected - after.up:
        raise EyrieError(
            f"the peers {spans(missing)} of node {goal.number}",
            seen="down",
            wanted="up, as they are reachable and keep their numbers",
            next_step="compare tables with pool_consistency; let UDP 5000-5700, TCP 4660 and ICMP pass",
        )
