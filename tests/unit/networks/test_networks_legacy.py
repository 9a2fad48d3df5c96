# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenMosix nodes in mode ipsec: off unless asked, weak for themselves alone, and never in the clear."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest
import yaml

from eyrie.networks import Host, NetworkPlan, Refused, Wanted, explain, plan
from eyrie.networks.check import script
from eyrie.networks.check.answer import Answer, Reach, parse
from eyrie.networks.check.judge import judge
from eyrie.networks.mtu import legacy
from eyrie.networks.render import OURS, files, ike1, nft, node_sh, swanctl
from eyrie.networks.sources import from_file, from_variables
from tests.unit.networks.network_answers import answer
from tests.unit.networks.network_node import ABSENT, INIT, Node
from tests.unit.networks.network_pools import office, walk

SECRET = "a secret of the pool"
NODES = tuple(Host(f"node-{last}", 0x0A320000 + last, "openmosix") for last in (20, 21))
# /proc/net/ipsec_spi of a genuine node.
SPI = """\
esp0x2a0bac56@10.50.0.20 ESP_3DES_HMAC_SHA1: dir=in  src=10.50.0.10 iv_bits=64bits \
iv=0xc9156bfdc953e84d ooowin=64 seq=5 bit=0x1f alen=160 aklen=160 eklen=192 life(c,s,h)=bytes(3244,0,0)\
addtime(43,0,0)packets(5,0,0) idle=14 ref=5
esp0xc054cb87@10.50.0.10 ESP_3DES_HMAC_SHA1: dir=out src=10.50.0.20 iv_bits=64bits \
iv=0x5472b0776a862e0b ooowin=64 alen=160 aklen=160 eklen=192 life(c,s,h)=addtime(30,0,0) refcount=4 ref=10
tun0x1002@10.50.0.10 IPIP: dir=out src=10.50.0.20 life(c,s,h)=addtime(30,0,0) refcount=4 ref=9
"""
PROGRAMS = {
    # As iptables 1.2.9 lists them, in a file for each chain.
    "iptables": """chains=ROOT/chains; command=$1; chain=$2
case $command in
-N) [ ! -e $chains/$chain ] && : > $chains/$chain ;;
-A | -I)
    shift 2
    case "$*" in
    "-s "*) echo "DROP       all  --  $2         0.0.0.0/0           " ;;
    "-d "*) echo "DROP       all  --  0.0.0.0/0            $2         " ;;
    "-j "*) echo "$2      all  --  0.0.0.0/0            0.0.0.0/0           " ;;
    *) echo "RETURN     all  --  0.0.0.0/0            0.0.0.0/0           " ;;
    esac >> $chains/$chain ;;
-D) grep -q "^$4 " $chains/$chain && sed -i "/^$4 /d" $chains/$chain ;;
-F) [ -e $chains/$chain ] && : > $chains/$chain ;;
-X) rm $chains/$chain ;;
-n) cat $chains/$3 ;;
esac
""",
    "pluto": '[ -s "$2" ] && : > "$4.ctl"\n',
    # Asked to begin at once, the genuine one ends with more than 0.
    "whack": """shift; control=$1.ctl; shift
[ -e $control ] || exit 1
echo "$*" >> ROOT/whacked
case $1 in
--shutdown) rm $control ;;
--name) while [ $# -gt 1 ]; do [ "$1" != --client ] || client=$2; shift; done
    echo "0          10.88.0.20/32      -> $client      => %trap" >> ROOT/proc/net/ipsec_eroute ;;
--initiate) exit 10 ;;
esac
""",
    "eroute": ": > ROOT/proc/net/ipsec_eroute\n",
    "spi": "",
    "tncfg": "",
}
STARTED = ["address 10.88.0.20", "rules", "pluto", "tunnel desk-0-000", "tunnel master-0"]


def wanted(*, asked: bool = True, nodes: int = 2, **more: object) -> Wanted:
    some = office([2], "ipsec", legacy_nodes=asked, **more)
    return replace(some, hosts=(*some.hosts, *NODES[:nodes]))


@pytest.fixture
def pool() -> NetworkPlan:
    return plan(wanted(), None)


@pytest.fixture
def node(tmp_path: Path) -> Node:
    made = Node(tmp_path)
    made.give(**PROGRAMS)
    with (tmp_path / "addresses").open("a") as addresses:
        addresses.write("4: ipsec0: <NOARP> mtu 0 qdisc noop qlen 10\n    link/void \n")
    for folder in ("etc", "proc/net", "var/run", "chains"):
        (tmp_path / folder).mkdir(parents=True)
    for file in ("proc/net/ipsec_version", "proc/net/ipsec_eroute", "chains/INPUT", "chains/OUTPUT"):
        (tmp_path / file).touch()
    return made


def test_nodes_are_refused_unless_asked_for() -> None:
    with pytest.raises(Refused, match="weak, only with pool_network_legacy_nodes"):
        plan(wanted(asked=False), None)
    with pytest.raises(Refused) as refusal:
        plan(replace(wanted(), mode="wireguard"), None)
    assert "legacy" not in str(refusal.value)


def test_what_is_asked_for_is_read() -> None:
    file = {"mode": "ipsec", "subnets": [], "hosts": {}}
    assert not from_file(yaml.safe_dump(file), "pool.yml").legacy_nodes
    assert from_file(yaml.safe_dump({**file, "legacy_nodes": True}), "pool.yml").legacy_nodes
    host = {"pool_network_address": "10.50.0.20", "pool_network_legacy_nodes": True}
    assert from_variables({"node-20": host}, {}).legacy_nodes


def test_it_is_told_that_they_are_weak(pool: NetworkPlan) -> None:
    assert "legacy: 2 openMosix nodes by IKEv1 with keys in common, 3DES, SHA1 and MODP1536" in pool.notes[1]
    told = list(explain.host(pool.by_name["master-0"]))
    assert [line for line in told if "legacy" in line and "peer node-2" in line] == [
        line for line in told if line.startswith("peer node-")
    ]
    assert not any("legacy" in line for line in told if "peer desk" in line)
    assert "3DES" in list(explain.way(pool, "desk-0-000", "node-20"))[1]
    assert not any("3DES" in line for line in explain.way(pool, "desk-0-000", "desk-0-001"))
    assert "legacy" not in " ".join(plan(office([2], "ipsec", legacy_nodes=True), None).notes)


def test_a_packet_and_its_esp_fit_the_wire() -> None:
    for link in range(624, 9001):
        inside = legacy(link)
        on_wire = [20 + 8 + 8 + (size + 2 + 7) // 8 * 8 + 12 for size in (inside, inside + 1)]
        assert on_wire[0] <= link < on_wire[1]
    assert plan(wanted(), None).by_name["desk-0-000"].mtu == 1446


def test_old_ciphers_are_for_nodes_alone(pool: NetworkPlan) -> None:
    host = pool.by_name["master-0"]
    text = swanctl.render(host)
    blocks = dict(re.findall(r"^  eyrie-(\S+) \{\n(.*?)^  \}$", text, re.DOTALL | re.MULTILINE))
    for name, block in blocks.items():
        old = name.startswith("node-")
        assert ("version = 1" in block, "3des" in block, "auth = psk" in block) == (old, old, old)
        assert f"remote_addrs = {pool.by_name[name].official}\n" in block
    without = swanctl.render(plan(wanted(nodes=0), None).by_name["master-0"])
    assert blocks["desk-0-000"] in without
    assert "version = 1" not in without and "secret" not in text


def test_each_pair_has_a_key_of_its_own(pool: NetworkPlan) -> None:
    texts = {host.name: ike1.keys(host, SECRET) for host in pool.hosts}
    found: dict[str, set[str]] = {}
    for name, text in texts.items():
        for key in re.findall(r'"(\w{64})"', text):
            found.setdefault(key, set()).add(name)
    pairs = [{one, two} for one, two in combinations(texts, 2) if "node" in one + two]
    assert sorted(map(sorted, found.values())) == sorted(map(sorted, pairs))
    assert ike1.keys(pool.by_name["node-20"], "another") != texts["node-20"]
    assert re.match(r'10.50.0.20 10.50.0.\d+ : PSK "\w{64}"\n', texts["node-20"])


def test_keys_are_in_no_other_file_and_no_program_is_called_with_one(pool: NetworkPlan) -> None:
    keys = ike1.keys(pool.by_name["node-20"], SECRET)
    text = node_sh.present(pool.by_name["node-20"], keys)
    assert text.count(keys) == 1 and f"keys=$(cat << 'END-OF-KEYS'\n{keys}END-OF-KEYS\n" in text
    assert [line for line in text.splitlines() if "$keys" in line] == ['"$keys") ;;', "$keys"]
    for host in pool.hosts:
        assert "PSK" not in "".join(file.text for file in files(host))
    assert ike1.KEYS in OURS


def test_rules_let_in_what_came_encrypted_from_nodes(pool: NetworkPlan) -> None:
    text = nft.render(pool.by_name["desk-0-000"])
    assert "elements = { 10.88.0.20, 10.88.0.21 }" in text
    private = pool.by_name["desk-0-000"].private
    for chain, rule in (
        ("input", f"meta ipsec exists ip saddr @nodes ip daddr {private} accept"),
        ("output", f"rt ipsec exists ip saddr {private} ip daddr @nodes accept"),
    ):
        rules = text.partition(f"chain {chain} {{")[2].partition("}\n")[0].splitlines()
        lines = [line.strip() for line in rules]
        dropped = next(n for n, line in enumerate(lines) if "10.88.0.0/16 drop" in line)
        assert lines.index(rule) < dropped
    assert "@nodes" not in nft.render(plan(wanted(nodes=0), None).by_name["desk-0-000"])


def test_in_a_star_a_gateway_carries_what_is_for_nodes() -> None:
    star = plan(wanted(topology="star"), None)
    assert list(walk(star, "desk-0-000", "node-20")) == ["desk-0-000", "master-0", "node-20"]
    (way,) = star.by_name["node-20"].legacy
    gateway = star.by_name["master-0"]
    assert way.routes == (gateway.behind,) == ("10.88.0.0/16",)
    assert "local_ts = 10.88.0.0/16\n        remote_ts = 10.88.0.20/32" in swanctl.render(gateway)
    assert "forward" in nft.render(gateway) and "@nodes rt ipsec exists ip daddr @nodes" in nft.render(
        gateway
    )
    assert star.by_name["desk-0-000"].legacy == ()


def test_a_node_joins_once(node: Node) -> None:
    keys = "a b : PSK x\n"
    assert node.present("ipsec", keys=keys) == [
        "keys /etc/eyrie-network.keys",
        "script /etc/init.d/eyrie-network",
        *STARTED,
    ]
    assert (node.root / "etc/eyrie-network.keys").read_text() == keys
    assert (node.root / "etc/eyrie-network.keys").stat().st_mode & 0o777 == 0o600
    told = (node.root / "whacked").read_text()
    assert "--name eyrie-master-0 --host 10.50.0.20 --client 10.88.0.20/32" in told
    assert "--failnone" in told and "--psk --encrypt --tunnel" in told
    assert node.present("ipsec", keys=keys) == []
    assert (node.root / "whacked").read_text().count("--shutdown") == 0


def test_only_said_a_node_is_left_as_it_is(node: Node) -> None:
    before = node.addresses
    assert len(node.present("ipsec", only_say="yes", keys="k\n")) == 2
    assert (node.addresses, (node.root / "etc/eyrie-network.keys").exists()) == (before, False)
    assert (node.root / "chains/OUTPUT").read_text() == ""


def test_another_key_is_taken_at_once(node: Node) -> None:
    node.present("ipsec", keys="old\n")
    assert node.present("ipsec", keys="new\n")[0] == "keys /etc/eyrie-network.keys"
    assert (node.root / "etc/eyrie-network.keys").read_text() == "new\n"
    assert "--shutdown" in (node.root / "whacked").read_text()
    assert node.present("ipsec", keys="new\n") == []


def test_stopped_a_node_still_lets_nothing_out(node: Node) -> None:
    node.present("ipsec", keys="k\n")
    assert node.sh("/etc/init.d/eyrie-network stop").returncode == 0
    assert "10.88.0.20" not in node.addresses
    assert (node.root / "chains/OUTPUT").read_text().startswith("eyrie ")
    assert (node.root / "chains/eyrie").read_text().count("DROP") == 2
    assert node.present("ipsec", keys="k\n") == [each for each in STARTED if each != "rules"]


def test_lost_rules_come_back(node: Node) -> None:
    node.present("ipsec", keys="k\n")
    for chain in ("OUTPUT", "eyrie"):
        (node.root / "chains" / chain).write_text("")
    assert node.present("ipsec", keys="k\n") == ["rules"]
    assert node.present("ipsec", keys="k\n") == []


@pytest.mark.parametrize("absent", [True, False])
def test_it_leaves_nothing_on_a_node(node: Node, *, absent: bool) -> None:
    before = node.addresses
    node.present("ipsec", keys="k\n")
    if absent:
        assert node.sh(ABSENT.read_text(), "no").returncode == 0
        assert (node.addresses, (node.root / INIT).exists()) == (before, False)
    else:
        assert node.present() != []  # another mode
    assert [path.name for path in (node.root / "chains").iterdir()] in (
        ["INPUT", "OUTPUT"],
        ["OUTPUT", "INPUT"],
    )
    assert (node.root / "chains/OUTPUT").read_text() == ""
    assert not (node.root / "etc/eyrie-network.keys").exists()
    assert not list((node.root / "var/run").iterdir())


@pytest.mark.parametrize(
    ("gone", "said"),
    [("bin/pluto", "no program pluto"), ("proc/net/ipsec_version", "a kernel without IPsec (KLIPS)")],
)
def test_a_node_that_cannot_is_refused_before_anything_is_changed(node: Node, gone: str, said: str) -> None:
    (node.root / gone).unlink()
    done = node.sh(node_sh.present(node.plan("ipsec"), "k\n"), "no")
    assert (done.returncode, said in done.stderr, "hub" in done.stderr) == (3, True, True)
    assert not list((node.root / "etc").iterdir())


def test_a_pluto_of_its_own_is_left_alone(node: Node) -> None:
    (node.root / "var/run/pluto.pid").write_text("1\n")
    done = node.sh(node_sh.present(node.plan("ipsec"), "k\n"), "no")
    assert (done.returncode, "a pluto of its own" in done.stderr) == (3, True)


def asked(node: Node, *, rules: bool = True, through: int = 0) -> Answer:
    """What a node answers; `through` packets went out by KLIPS while it was asked."""
    node.present("ipsec", keys="k\n")
    if not rules:
        (node.root / "chains/OUTPUT").write_text("")
    file = node.root / "proc/net/ipsec_spi"
    file.write_text(SPI)
    later = SPI.replace("addtime(30,0,0) refcount=4 ref=10", f"packets({through},0,0) ref=10")
    node.give(ping=f"cat > ROOT/proc/net/ipsec_spi << END\n{later}END\necho 64 bytes ttl=64\n")
    told = node.sh(script.for_kind(node.plan("ipsec"), ["10.88.0.10"])).stdout
    assert all(line.startswith("@") for line in told.splitlines())
    return parse(told, "node-1")


def test_a_node_counts_what_it_encrypts(node: Node) -> None:
    said = asked(node, through=2)
    assert said.counters == {"egress_esp": 2, "ingress_esp": 0}
    assert (said.office, said.mac, said.counted, said.rules) == ("eth0", "02:95:43:c3:33:77", True, True)
    assert said.addresses["10.88.0.20"] == "ipsec0"
    assert said.reach == {"10.88.0.10": Reach(True, True, 64)}


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ({"through": 2}, ""),
        ({}, "others answer, but nothing of mode ipsec went over its wire"),
        ({"through": 2, "rules": False}, "the pool's rules (iptables) are not in force"),
    ],
)
def test_a_check_says_whether_a_node_is_encrypted(node: Node, more: dict[str, int], found: str) -> None:
    some = office([1], "ipsec", legacy_nodes=True)
    pool = plan(replace(some, hosts=(*some.hosts, replace(NODES[0], name="node-1"))), None)
    said = replace(asked(node, **more), time=1795288580)  # type: ignore[arg-type]
    others = {
        name: parse(answer(pool, name, routes={"node-1": "eth0"}), name)
        for name in ("desk-0-000", "master-0")
    }
    verdict = judge(pool, {"node-1": said, **others}, 1795288580)
    causes = [each.cause.partition(". Next")[0] for each in verdict.findings if each.thing == "node-1"]
    assert causes == ([found] if found else [])


def test_only_a_node_may_be_reached_past_the_device() -> None:
    pool = plan(wanted(nodes=1), None)
    names = [host.name for host in pool.hosts]
    for around in ("node-20", "desk-0-001"):
        said = {name: parse(answer(pool, name), name) for name in names}
        said["desk-0-000"] = parse(answer(pool, "desk-0-000", routes={around: "eth0"}), "desk-0-000")
        found = [str(each) for each in judge(pool, said, 1795288580).findings]
        wrong = f"desk-0-000 to {around}: goes out by eth0, past eyrie-ipip"
        assert (wrong in found) == (around == "desk-0-001")
