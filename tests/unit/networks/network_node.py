# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder as an openMosix node: scripts run by sh on it, with programs that know as little as theirs."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path

from eyrie.networks import Host, Mode, plan
from eyrie.networks.render import node_sh
from tests.unit.networks.network_pools import office

ABSENT = Path(__file__).parents[3] / "roles/pool_network/files/node-absent.sh"
INIT = "etc/init.d/eyrie-network"
IP = r"""#!/bin/sh
all=ROOT/addresses
case "$1 $2" in
"addr ") cat $all ;;
"addr add") echo "    inet $3 scope global $5" >> $all ;;
"link set" | "route add") ;;
"addr delete")
    grep -F " $3 " $all > /dev/null || exit 2
    grep -vF " $3 " $all > $all.new
    mv $all.new $all
    ;;
*)
    echo "ip: Unknown command $2" >&2
    exit 1
    ;;
esac
"""
PING = "#!/bin/sh\necho '64 bytes from 1: icmp_seq=0 ttl=64 time=1.0 ms'\n"


class Node:
    """A folder as a node, and what the pool's plan wants of it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "bin").mkdir()
        (root / "tmp").mkdir()
        for name, text in (
            ("ip", IP.replace("ROOT", str(root))),
            ("ping", PING),
            ("modprobe", "#!/bin/sh\n"),
        ):
            (root / "bin" / name).write_text(text)
            (root / "bin" / name).chmod(0o755)
        (root / "addresses").write_text(
            "1: lo: <LOOPBACK,UP> mtu 16436 qdisc noqueue \n    inet 127.0.0.1/8 scope host lo\n"
            "3: eth0: <BROADCAST,MULTICAST,UP> mtu 1500 qdisc pfifo_fast qlen 1000\n"
            "    link/ether 02:95:43:c3:33:77 brd ff:ff:ff:ff:ff:ff\n"
            "    inet 10.50.0.20/24 brd 10.50.0.255 scope global eth0\n"
        )

    def sh(self, text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        inner = re.sub(r"(?<![\w.])/(etc|proc|tmp|var)\b", rf"{self.root}/\1", text)
        # Whatever is missed here would be done to the machine that runs the tests.
        assert not re.search(r"(?<!ROOT)/(etc|proc|tmp|var)\b", inner.replace(str(self.root), "ROOT"))
        environment = {"PATH": f"{self.root}/bin:/usr/bin:/bin"}
        return subprocess.run(
            ["sh", "-s", "--", *arguments], input=inner, capture_output=True, text=True, env=environment
        )

    def present(
        self, mode: Mode = "shadow", private: str = "", only_say: str = "no", keys: str = ""
    ) -> list[str]:
        done = self.sh(node_sh.present(self.plan(mode, private), keys), only_say)
        assert done.returncode == 0, done.stderr
        return [line.replace(str(self.root), "") for line in done.stdout.splitlines()]

    def give(self, **programs: str) -> None:
        """Have more programs there; `ROOT` in them is the folder."""
        for name, text in programs.items():
            (self.root / "bin" / name).write_text(f"#!/bin/sh\n{text}".replace("ROOT", str(self.root)))
            (self.root / "bin" / name).chmod(0o755)

    @staticmethod
    def plan(mode: Mode, private: str = ""):  # type: ignore[no-untyped-def]
        wanted = office([1], mode, legacy_nodes=True)
        node = Host("node-1", 0x0A320014, "openmosix")
        host = plan(replace(wanted, hosts=(*wanted.hosts, node)), None).by_name["node-1"]
        return replace(host, private=private or host.private)

    @property
    def addresses(self) -> str:
        return (self.root / "addresses").read_text()
