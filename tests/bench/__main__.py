# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure the figures that Eyrie promises, against a running lab, and print them as a table."""

from __future__ import annotations

import argparse
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console

from eyrie.errors import EyrieError
from tests.bench.figure import Figure
from tests.bench.figures import (
    at_rest,
    cold_warm,
    eviction,
    guest_size,
    hub,
    idle_to_slot,
    input_to_pause,
    networks,
    nodetable,
    openmosix,
    openmosix_drain,
    pool_networks,
    power_cut,
    second_site,
    windows_desktop,
    windows_fleet,
    wsman,
)
from tests.bench.machine import this_machine
from tests.bench.office import Office, Options
from tests.bench.output import as_json, markdown, table

# These need no lab.
ALONE: dict[str, Callable[[Callable[[str], None]], list[Figure]]] = {
    "hub": hub.measure,
    "networks": networks.measure,
    "nodetable": nodetable.measure,
    "openmosix": lambda say: [*openmosix.measure(say), *openmosix_drain.measure(say)],
    "pool_networks": pool_networks.measure,
    "windows": lambda say: [*windows_fleet.measure(say), *windows_desktop.measure(say)],
    "wsman": wsman.measure,
}
# In this order: the ones that disturb the pool most come last.
FIGURES: dict[str, Callable[[Office], list[Figure]]] = {
    "guest_size": guest_size.measure,
    "at_rest": at_rest.measure,
    "idle_to_slot": idle_to_slot.measure,
    "input_to_pause": input_to_pause.measure,
    "eviction": eviction.measure,
    "second_site": second_site.measure,
    "power_cut": power_cut.measure,
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./run bench", description=__doc__)
    names = ", ".join((*ALONE, *FIGURES))
    parser.add_argument("figures", nargs="*", metavar="FIGURE", help=f"only these: {names}")
    parser.add_argument("--lab", type=Path, default=Path("inventory/lab"), help="the lab's inventory")
    parser.add_argument("--name", help="the lab's name, if not the one in lab.yml")
    parser.add_argument(
        "--repetitions", type=int, default=20, metavar="N", help="of an owner's keystroke (default 20)"
    )
    parser.add_argument(
        "--full",
        action="store_true",
        help="100 keystrokes, in a lab of their own; 3 power cuts: half an hour more",
    )
    parser.add_argument(
        "--warm", action="store_true", help="also time `./run lab` in a lab of its own, with caches"
    )
    parser.add_argument(
        "--cold", action="store_true", help="also without: the caches are laid aside meanwhile"
    )
    parser.add_argument("--markdown", action="store_true", help="print markdown, progress to stderr")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every sample to FILE")
    return parser


def _options(argv: Sequence[str]) -> argparse.Namespace:
    parser = _parser()
    options = parser.parse_args(argv)
    unknown = [name for name in options.figures if name not in FIGURES | ALONE]
    if unknown:
        parser.error(f"no figure {', '.join(unknown)}; there are {', '.join((*ALONE, *FIGURES))}")
    if options.repetitions < 1:
        parser.error(f"--repetitions {options.repetitions}: wanted 1 or more")
    return options


def _attempt(name: str, measure: Callable[[], list[Figure]], say: Callable[[str], None]) -> list[Figure]:
    """One figure that cannot be measured must not cost the others; it is shown, and the exit status tells."""
    try:
        return measure()
    except EyrieError as error:
        say(f"{name}: {error}")
        return [Figure(name, None, "", failed=str(error))]
    except Exception as error:  # a fault of ours: told in full, and still no reason to lose an hour's samples
        say(traceback.format_exc())
        return [Figure(name, None, "", failed=repr(error))]


def _measure(options: argparse.Namespace, say: Callable[[str], None]) -> tuple[list[Figure], str]:
    """Measure what was asked for; also say what the guests ran with."""
    figures: list[Figure] = []
    guests = ""
    if options.cold:
        figures += _attempt("lab, cold", lambda: cold_warm.measure_cold(say), say)
    if options.warm or options.cold:
        figures += _attempt("lab, warm", lambda: cold_warm.measure_warm(say), say)
    wanted = options.figures or (() if options.cold or options.warm else (*ALONE, *FIGURES))
    for name in wanted:
        if name in ALONE:
            figures += _attempt(name, lambda name=name: ALONE[name](say), say)  # type: ignore[misc]
    wanted = tuple(name for name in wanted if name in FIGURES)
    if wanted:
        office = Office(Options(options.lab, options.name, options.repetitions, options.full, say))
        for name in wanted:
            figures += _attempt(name, lambda name=name: FIGURES[name](office), say)  # type: ignore[misc]
        guests = " and ".join(sorted(office.guests_ran_with))
    return figures, guests


def main(argv: Sequence[str]) -> int:
    options = _options(argv)
    out, err = Console(), Console(stderr=True)

    def say(text: str) -> None:
        err.print(text, style="dim", markup=False, highlight=False, soft_wrap=True)

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # jobs of ours leave the queue in any case
    try:
        figures, guests = _measure(options, say)
    except KeyboardInterrupt:
        err.print("bench: stopped; its jobs have been removed", style="yellow")
        return 130
    except EyrieError as error:
        err.print(f"bench: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        return 1
    machine = this_machine(guests)
    if options.json:
        options.json.write_text(as_json(figures, machine))
    if options.markdown:
        sys.stdout.write(markdown(figures, machine))
    else:
        out.print(table(figures, machine))
    return 0 if all(figure.values or figure.left_out for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
