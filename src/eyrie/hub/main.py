# SPDX-License-Identifier: GPL-3.0-or-later
"""The hub's command line: run, status, check-config."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from eyrie.errors import EyrieError
from eyrie.hub.link import log
from eyrie.hub.server import Hub
from eyrie.hub.settings import load
from eyrie.hub.status import metrics
from eyrie.hub.tls import server_context

CONFIG = "/etc/eyrie/hub/hub.json"


def main(words: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status."""
    options = _parser().parse_args(words)
    try:
        if options.verb == "run":
            asyncio.run(run(Path(options.config)))
        elif options.verb == "check-config":
            settings = load(Path(options.config))
            server_context(settings.identity)
        else:
            state = ask(load(Path(options.config)).status)
            print(metrics(state) if options.metrics else json.dumps(state, indent=1), end="")  # noqa: T201
    except (EyrieError, OSError) as error:
        log(str(error))
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="eyrie-hub", description="the Ethernet of a pool's guests")
    verbs = parser.add_subparsers(dest="verb", required=True)
    for name, text in (
        ("run", "run the hub"),
        ("status", "tell who is connected and what was dropped, as JSON"),
        ("check-config", "refuse a configuration that the hub would refuse"),
    ):
        verb = verbs.add_parser(name, help=text)
        verb.add_argument("--config", default=CONFIG)
        if name == "status":
            verb.add_argument("--metrics", action="store_true", help="in the format that Prometheus reads")
    return parser


async def run(path: Path) -> None:
    """Run until SIGTERM; SIGHUP reads the configuration again, and keeps the old if the new is no good."""
    hub = Hub(load(path))
    loop = asyncio.get_running_loop()

    def reload() -> None:
        try:
            settings = load(path)
            if settings.fixed() == hub.settings.fixed():
                hub.reload(settings)
            else:
                log("the new configuration takes a new start, for which the hub ends")
                hub.done.set()
        except EyrieError as error:
            log(f"the configuration stays as it was: {error}")

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, hub.done.set)
    loop.add_signal_handler(signal.SIGHUP, reload)
    await hub.start()
    _tell_systemd("READY=1")
    await hub.done.wait()
    await hub.stop()
    if hub.trouble:
        raise EyrieError("hub", seen=hub.trouble, wanted="the device that eyrie-hub-tap.service makes")


def ask(path: str) -> dict[str, object]:
    """Return what a running hub says about itself."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
        link.settimeout(5)
        try:
            link.connect(path)
        except OSError as error:
            raise EyrieError(
                f"hub at {path}",
                seen=str(error),
                wanted="a hub that runs",
                next_step="systemctl status eyrie-hub",
            ) from error
        with link.makefile("rb") as stream:
            state: dict[str, object] = json.loads(stream.readline())
    return state


def _tell_systemd(text: str) -> None:
    path = os.environ.get("NOTIFY_SOCKET", "")
    if path:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as link:
            link.sendto(text.encode(), "\0" + path[1:] if path.startswith("@") else path)


if __name__ == "__main__":
    sys.exit(main())
