# SPDX-License-Identifier: GPL-3.0-or-later
"""The process of the package cache: listens on the lab's router and on the machine's loopback."""

from __future__ import annotations

import argparse
import socket
import sys
from pathlib import Path

import uvicorn

from eyrie.apt_mirror import APT_CONFIGURATION, debian_mirror, read_sources
from eyrie.lab import namespaces
from eyrie.lab.model import PACKAGE_CACHE_PORT
from eyrie.lab.package_cache import make_app


def archives() -> dict[str, str]:
    """Return the archives this machine installs from, by the name they have in the cache."""
    found = {"debian": debian_mirror()}
    for source in read_sources(APT_CONFIGURATION):
        if (
            source.suite.endswith("-security")
            and "main" in source.components
            and source.uri.startswith("http")
        ):
            found.setdefault("debian-security", source.uri.rstrip("/"))
    return found


def command(namespace: str, store: Path, port_file: Path) -> list[str]:
    """Return the command that starts this process."""
    return [sys.executable, "-m", __name__, namespace, str(store), str(port_file)]


def main(arguments: list[str]) -> None:
    """Listen in the namespace, fetch from outside it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("namespace")
    parser.add_argument("store", type=Path)
    parser.add_argument("port_file", type=Path)
    given = parser.parse_args(arguments)
    with namespaces.inside(given.namespace):
        office = socket.create_server(("0.0.0.0", PACKAGE_CACHE_PORT))  # noqa: S104 # every leg of the lab's router
    loopback = socket.create_server(("127.0.0.1", 0))
    temporary = given.port_file.with_suffix(".new")
    temporary.write_text(str(loopback.getsockname()[1]), encoding="ascii")
    temporary.rename(given.port_file)
    config = uvicorn.Config(make_app(archives(), given.store), log_level="warning", access_log=False)
    uvicorn.Server(config).run(sockets=[office, loopback])


if __name__ == "__main__":
    main(sys.argv[1:])
