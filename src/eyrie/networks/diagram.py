# SPDX-License-Identifier: GPL-3.0-or-later
"""A picture of the pool's network, as text and as SVG: office subnets side by side, tunnels between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from eyrie.networks.explain import WORDS
from eyrie.networks.model import Site, Wanted
from eyrie.networks.plan import HostPlan, NetworkPlan
from eyrie.nodetable.table import numeric

SHOWN = 6
"""Hosts drawn of each subnet: the rest is counted."""
_COLUMN, _GAP, _ROW, _TOP, _MARGIN = 210, 40, 54, 150, 30
_COLOURS = {
    "ipip": "#b7791f",
    "wireguard": "#2f6f4f",
    "ipsec": "#2b5c8a",
    "shadow": "#777777",
    "hub": "#6b4f9e",
}


@dataclass(frozen=True)
class _Column:
    """A subnet with the hosts that are drawn, and how many are not."""

    site: Site
    hosts: tuple[HostPlan, ...]
    more: int


def text(plan: NetworkPlan, wanted: Wanted) -> Iterator[str]:
    """The picture for a terminal, line by line."""
    yield f"{plan.mode} ({plan.topology}), {len(plan.hosts)} hosts: {WORDS[plan.mode]}"
    yield f"private network {wanted.private}" + (f", MTU {plan.hosts[0].mtu}" if plan.hosts else "")
    for column in _columns(plan, wanted):
        yield f"├─ {column.site.name} {column.site.network}"
        for host in column.hosts:
            branch = "└" if host is column.hosts[-1] and not column.more else "├"
            addresses = f"{host.official:<15} {host.private:<15}"
            yield f"│  {branch}─ {host.name:<16} {addresses} {_ties(host)}".rstrip()
        if column.more:
            yield f"│  └─ and {column.more} more"


def _ties(host: HostPlan) -> str:
    if not host.peers:
        return ""
    if host.forwards:
        return f"gateway of {len(host.peers)}"
    return f"──> {host.peers[0].name}" if len(host.peers) == 1 else f"──> {len(host.peers)} peers"


def svg(plan: NetworkPlan, wanted: Wanted) -> str:
    """The picture as SVG, in plain shapes that every viewer knows."""
    columns = _columns(plan, wanted)
    rows = max((len(column.hosts) + bool(column.more) for column in columns), default=1)
    width = max(620, 2 * _MARGIN + len(columns) * (_COLUMN + _GAP) - _GAP)
    height = _TOP + 50 + rows * _ROW + 100
    places = {
        host.name: _place(x, row)
        for x, column in _across(columns, width)
        for row, host in enumerate(column.hosts)
    }
    body = [
        *_header(plan, wanted),
        *(line for x, column in _across(columns, width) for line in _subnet(x, column, height)),
        *_router(columns, width, height),
        *_tunnels(plan, places),
        *(line for x, column in _across(columns, width) for line in _hosts(x, column)),
    ]
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    lines = "\n".join(f"  {line}" for line in body)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="DejaVu Sans, Arial, sans-serif">\n'
        f'  <rect width="{width}" height="{height}" fill="#ffffff"/>\n{lines}\n</svg>\n'
    )


def _columns(plan: NetworkPlan, wanted: Wanted) -> list[_Column]:
    """Subnets that have hosts, gateways first in each."""
    columns = []
    for site in sorted(wanted.sites, key=lambda site: site.span):
        low, high = site.span
        inside = [host for host in plan.hosts if low <= numeric(host.official) <= high]
        inside.sort(key=lambda host: (not host.forwards, numeric(host.official)))
        if inside:
            columns.append(_Column(site, tuple(inside[:SHOWN]), max(0, len(inside) - SHOWN)))
    return columns


def _across(columns: Sequence[_Column], width: int) -> Iterator[tuple[int, _Column]]:
    left = (width - (len(columns) * (_COLUMN + _GAP) - _GAP)) // 2
    for place, column in enumerate(columns):
        yield left + place * (_COLUMN + _GAP), column


def _place(x: int, row: int) -> tuple[int, int]:
    """The middle of a host's box."""
    return x + _COLUMN // 2, _TOP + 50 + row * _ROW + 20


def _header(plan: NetworkPlan, wanted: Wanted) -> Iterator[str]:
    shape = f", {plan.topology}" if plan.hosts and plan.hosts[0].device else ""
    mtu = f", MTU {plan.hosts[0].mtu}" if plan.hosts else ""
    yield _text(_MARGIN, 40, f"{plan.mode}{shape}: {wanted.private}{mtu}", size=20, weight="bold")
    yield _text(_MARGIN, 64, WORDS[plan.mode], size=12, colour="#555555")
    yield _text(
        _MARGIN, 86, f"{len(plan.hosts)} hosts; dashed: the office's own wires", size=12, colour="#555555"
    )


def _subnet(x: int, column: _Column, height: int) -> Iterator[str]:
    yield _box(x, _TOP, _COLUMN, height - _TOP - 80, "#f4f6f8", "#c4ccd4")
    yield _text(x + 12, _TOP + 22, column.site.name, size=14, weight="bold")
    yield _text(
        x + _COLUMN - 12, _TOP + 22, str(column.site.network), size=11, colour="#555555", anchor="end"
    )


def _router(columns: Sequence[_Column], width: int, height: int) -> Iterator[str]:
    """What the office has between its subnets; nothing where there is one."""
    if len(columns) < 2:
        return
    y = height - 34
    for x, _column in _across(columns, width):
        middle = x + _COLUMN // 2
        line = f'd="M {middle} {height - 80} L {width // 2} {y}"'
        yield f'<path {line} stroke="#98a2ad" stroke-dasharray="4 4" fill="none"/>'
    yield _box(width // 2 - 60, y - 14, 120, 30, "#ffffff", "#98a2ad")
    yield _text(width // 2, y + 6, "router", size=12, colour="#555555", anchor="middle")


def _tunnels(plan: NetworkPlan, places: dict[str, tuple[int, int]]) -> Iterator[str]:
    """Each tunnel between two hosts that are drawn."""
    colour = _COLOURS.get(plan.mode, "#777777")
    for host in plan.hosts:
        for peer in host.peers:
            if host.name < peer.name and host.name in places and peer.name in places:
                curve = _curve(*sorted((places[host.name], places[peer.name])))
                yield f'<path d="{curve}" stroke="{colour}" stroke-width="1.4" fill="none" opacity="0.65"/>'


def _curve(one: tuple[int, int], two: tuple[int, int]) -> str:
    """From edge to edge: beside a column, between two, or above those in between, never through a host."""
    (x1, y1), (x2, y2) = one, two
    half = _COLUMN // 2 - 12
    if x1 == x2:
        side = x1 + half
        reach = side + min(14 + abs(y2 - y1) // 6, _GAP - 4)
        return f"M {side} {y1} Q {reach} {(y1 + y2) // 2} {side} {y2}"
    left, right = x1 + half, x2 - half
    if x2 - x1 == _COLUMN + _GAP:
        return f"M {left} {y1} L {right} {y2}"
    high = round((_TOP - 32 - (y1 + y2) / 8) / 0.75)  # so that the middle is above the columns
    return f"M {left} {y1} C {left + _GAP} {high} {right - _GAP} {high} {right} {y2}"


def _hosts(x: int, column: _Column) -> Iterator[str]:
    for row, host in enumerate(column.hosts):
        middle, y = _place(x, row)
        fill = "#fff3d6" if host.forwards else "#ffffff"
        yield _box(x + 12, y - 20, _COLUMN - 24, 42, fill, "#5b6670")
        yield _text(middle, y - 3, host.name[:26], size=12, weight="bold", anchor="middle")
        both = f"{host.official} · {host.private}" if host.private else host.official
        yield _text(middle, y + 14, both, size=10, colour="#333333", anchor="middle")
    if column.more:
        middle, y = _place(x, len(column.hosts))
        yield _text(middle, y, f"and {column.more} more", size=12, colour="#555555", anchor="middle")


def _box(x: int, y: int, width: int, height: int, fill: str, stroke: str) -> str:
    return f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="6" fill="{fill}" stroke="{stroke}"/>'


def _text(
    x: int,
    y: int,
    said: str,
    *,
    size: int,
    colour: str = "#1d242b",
    weight: str = "normal",
    anchor: str = "start",
) -> str:
    style = f'font-size="{size}" font-weight="{weight}" fill="{colour}" text-anchor="{anchor}"'
    return f'<text x="{x}" y="{y}" {style}>{escape(said)}</text>'
