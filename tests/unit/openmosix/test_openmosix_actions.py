# SPDX-License-Identifier: GPL-3.0-or-later
"""The actions against a connection that replays what genuine nodes answered."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail
from recordings import facts, text

COLLECTIONS = Path(__file__).parents[3] / ".collections"
TABLE = "1 10.77.0.1 8\n"
GROWN = TABLE + "9 10.77.1.1 4\n"


def grown() -> str:
    """The idle node's answer once it has the grown table."""
    lines = text("idle").replace("table=0x0001       10.77.0.1        8\n", "{}\n").split("map_md5=")[0]
    return (
        lines.format("table=0x0001 10.77.0.1 8\ntable=0x0009 10.77.1.1 4")
        + f"map_md5=0 map\n{''.join(f'map={line}' + chr(10) for line in GROWN.splitlines())}\neyrie-end=1\n"
    )


@pytest.fixture(autouse=True)
def collection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(COLLECTIONS))


class Played:
    """An action whose node answers from a list."""

    def __init__(self, name: str, arguments: dict[str, Any], answers: list[Any], check: bool = False) -> None:
        module = importlib.import_module(f"ansible_collections.eyrie.pool.plugins.action.{name}")
        task = SimpleNamespace(args=arguments, check_mode=check, async_val=0, diff=True, action=name)
        templar = SimpleNamespace(template=lambda value: value)
        connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir=None))
        self.action = module.ActionModule(task, connection, None, None, templar, None)
        self.answers, self.scripts, self.stdin = list(answers), [], []
        self.action._low_level_execute_command = self._answer

    def _answer(self, script: str, sudoable: bool = True, in_data: bytes | None = None) -> dict[str, Any]:
        assert sudoable is False
        self.scripts.append(script)
        self.stdin.append(in_data)
        answer = self.answers.pop(0)
        return answer if isinstance(answer, dict) else {"rc": 0, "stdout": answer, "stderr": ""}

    def run(self, **variables: Any) -> dict[str, Any]:
        result = self.action.run(None, {"ansible_host": "10.77.0.1", **variables})
        assert self.answers == [], "the node was not asked as often as expected"
        return dict(result)


@pytest.mark.skipif(not COLLECTIONS.exists(), reason="the checkout is not linked as a collection")
class TestNodeTable:
    def test_unchanged_node_costs_one_round_trip_or_none(self) -> None:
        asked = Played("node_table", {"content": TABLE}, [text("idle")]).run()
        assert (asked["changed"], asked["diff"], asked["round_trips"]) == (False, {}, 1)
        known = {"openmosix": facts("idle").as_dict()}
        told = Played("node_table", {"content": TABLE, "facts": "__node"}, []).run(__node=known)
        assert (told["changed"], told["round_trips"]) == (False, 0)

    def test_growth_is_one_more_round_trip(self) -> None:
        played = Played("node_table", {"content": GROWN}, [text("idle"), grown()])
        result = played.run()
        assert result["changed"] and result["node_table"]["step"] == "setpe -w"
        assert result["diff"]["after"] == GROWN
        assert played.stdin == [None, GROWN.encode()]
        assert "2/status" in played.scripts[1] or "for n in 2" in played.scripts[1]

    def test_check_mode_writes_nothing_and_tells_the_same(self) -> None:
        result = Played("node_table", {"content": GROWN}, [text("idle")], check=True).run()
        assert result["changed"] and result["diff"]["after"] == GROWN

    def test_bad_table_never_reaches_the_node(self) -> None:
        with pytest.raises(AnsibleActionFail, match="content line 2"):
            Played("node_table", {"content": "1 10.77.0.1 8\n2 10.77.9.1 3\n"}, []).run()

    def test_node_that_refuses_keeps_its_table(self) -> None:
        refused = {"rc": 102, "stdout": "", "stderr": "Table Overflow\n"}
        with pytest.raises(AnsibleActionFail, match=r"Table Overflow.*its old table runs on"):
            Played("node_table", {"content": GROWN}, [text("idle"), refused]).run()

    def test_table_that_does_not_read_back_fails(self) -> None:
        with pytest.raises(AnsibleActionFail, match="the table that the node runs now"):
            Played("node_table", {"content": GROWN}, [text("idle"), text("idle")]).run()

    def test_peer_that_is_lost_fails(self) -> None:
        lost = "\n".join(line for line in grown().split("\n") if not line.startswith("peer=2"))
        with pytest.raises(AnsibleActionFail, match="the peers 2 of node 1"):
            Played("node_table", {"content": GROWN}, [text("idle"), lost]).run()

    def test_own_number_changes_only_if_allowed(self) -> None:
        with pytest.raises(AnsibleActionFail, match="allow_restart"):
            Played("node_table", {"content": "3 10.77.0.1 8\n"}, [text("idle")]).run()

    def test_restart_drains_first_and_opens_again_whatever_happens(self) -> None:
        closed = text("idle").replace("block:0", "block:1").replace("lstay:0", "lstay:1")
        refused = {"rc": 102, "stdout": "", "stderr": "no\n"}
        answers = [text("idle"), closed, refused, closed, text("idle")]
        arguments = {"content": "3 10.77.0.1 8\n", "allow_restart": True}
        played = Played("node_table", arguments, answers)
        with pytest.raises(AnsibleActionFail, match="refuses the table"):
            played.run()
        assert "mosctl block" in played.scripts[1] and "setpe -W" in played.scripts[2]
        assert "mosctl noblock" in played.scripts[4]

    def test_absent_drains_and_switches_off(self) -> None:
        closed = text("idle").replace("block:0", "block:1").replace("lstay:0", "lstay:1")
        played = Played("node_table", {"state": "absent"}, [text("idle"), closed, "", text("off")])
        assert played.run()["changed"]
        assert "setpe -off" in played.scripts[2]
        assert not Played("node_table", {"state": "absent"}, [text("off")]).run()["changed"]


@pytest.mark.skipif(not COLLECTIONS.exists(), reason="the checkout is not linked as a collection")
class TestOtherActions:
    def test_info_is_one_round_trip(self) -> None:
        result = Played("openmosix_info", {}, [text("host")]).run()
        assert (result["changed"], result["round_trips"], result["openmosix"]["up"]) == (False, 1, "1-2")

    def test_a_peer_lost_while_the_node_is_read_is_waited_for_again(self) -> None:
        lost = "\n".join(line for line in text("host").split("\n") if not line.startswith("peer=2"))
        waiting = {"peers": [1, 2], "wait_seconds": 60}
        result = Played("openmosix_info", waiting, [lost, text("host")]).run()
        assert (result["round_trips"], result["openmosix"]["up"]) == (2, "1-2")
        over = Played("openmosix_info", waiting | {"wait_seconds": 0}, [lost]).run()
        assert (over["round_trips"], over["openmosix"]["up"]) == (1, "1")

    def test_drain_waits_on_the_node(self) -> None:
        played = Played("openmosix_drain", {"state": "drained"}, [text("host"), text("drained")])
        result = played.run()
        assert result["changed"] and result["left"] == []
        assert "mosctl expel" in played.scripts[1]

    def test_drained_node_is_left_alone(self) -> None:
        assert not Played("openmosix_drain", {"state": "drained"}, [text("drained")]).run()["changed"]

    def test_drain_after_the_deadline_names_what_is_left(self) -> None:
        arguments = {"state": "drained", "deadline_seconds": 0}
        result = Played("openmosix_drain", arguments, [text("host")]).run()
        assert result["failed"] and "guest 177 (ash, process 901 of node 1)" in result["msg"]

    def test_drain_in_check_mode_says_nothing_to_the_node(self) -> None:
        result = Played("openmosix_drain", {"state": "drained"}, [text("host")], check=True).run()
        assert result["changed"] and result["diff"]["after"] == "block: 1\nlstay: 1\n"

    def test_archive_with_another_hash_never_reaches_the_node(self, tmp_path: Path) -> None:
        archive = tmp_path / "tools.tar"
        archive.write_bytes(b"not it")
        arguments = {"src": str(archive), "sha256": "0" * 64, "version": "0.3.6-2"}
        played = Played("openmosix_programs", arguments, [text("idle")])
        played.action._find_needle = lambda _folder, path: path
        with pytest.raises(AnsibleActionFail, match="found SHA-256"):
            played.run()
        assert len(played.scripts) == 1
