# SPDX-License-Identifier: GPL-3.0-or-later
"""The Debian mirror this machine itself installs from, read from its apt configuration."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from eyrie.errors import EyrieError

APT_CONFIGURATION = Path("/etc/apt")
# Third parties use suite names of their own (nodistro, bookworm-pgdg, ...); the archive itself uses these.
_STABLE = ("buster", "bullseye", "bookworm", "trixie", "forky", "oldoldstable", "oldstable", "stable")
_SUITES = frozenset([*_STABLE, "testing", "unstable", "sid"])
_OFF = frozenset(["no", "false", "0", "off", "without", "disable"])


@dataclass(frozen=True)
class Source:
    """One enabled binary source of apt."""

    uri: str
    suite: str
    components: tuple[str, ...]
    signed_by: str = ""


def debian_mirror(configuration: Path = APT_CONFIGURATION) -> str:
    """Return the http(s) address of the Debian archive that apt uses on this machine."""
    candidates = [source for source in read_sources(configuration) if _is_archive(source)]
    refused = []
    for source in sorted(candidates, key=_strangeness):
        for uri in _resolve(source.uri):
            if urlsplit(uri).scheme in ("http", "https"):
                return uri.rstrip("/")
            refused.append(uri)
    raise EyrieError(
        f"Debian mirror in {configuration}",
        seen=", ".join(refused) or None,
        wanted="an enabled `deb` source of Debian's main archive with an http or https address",
        next_step="add one to apt's sources, or name a mirror with --mirror",
    )


def read_sources(configuration: Path) -> list[Source]:
    """Return the enabled binary sources, in the order apt reads them."""
    sources: list[Source] = []
    for file in [configuration / "sources.list", *sorted((configuration / "sources.list.d").glob("*"))]:
        if not file.is_file():
            continue
        text = file.read_text(encoding="utf-8", errors="replace")
        if file.suffix == ".list":
            sources += parse_one_line(text)
        elif file.suffix == ".sources":
            sources += parse_deb822(text)
    return sources


def parse_one_line(text: str) -> list[Source]:
    """Parse `deb [options] URI SUITE COMPONENT...` lines; others are none of ours."""
    sources = []
    for line in text.splitlines():
        match = re.match(r"\s*deb\s+(?:\[([^]]*)\]\s*)?(\S+)\s+(\S+)\s*([^#]*)", line)
        if match:
            options, uri, suite, components = match.groups()
            signed_by = re.search(r"signed-by=(\S+)", options or "", re.IGNORECASE)
            sources.append(
                Source(uri, suite, tuple(components.split()), signed_by.group(1) if signed_by else "")
            )
    return sources


def parse_deb822(text: str) -> list[Source]:
    """Parse stanzas of `Field: value`, one source for each address and suite."""
    sources = []
    for stanza in _stanzas(text):
        enabled = stanza.get("enabled", "yes").lower() not in _OFF
        if enabled and "deb" in stanza.get("types", "").split():
            sources += [
                Source(uri, suite, tuple(stanza.get("components", "").split()), stanza.get("signed-by", ""))
                for uri in stanza.get("uris", "").split()
                for suite in stanza.get("suites", "").split()
            ]
    return sources


def _stanzas(text: str) -> Iterator[dict[str, str]]:
    """Yield each stanza as lower-case field -> value, continuation lines joined by a space."""
    stanza: dict[str, str] = {}
    field = ""
    for line in [*text.splitlines(), ""]:
        if line.startswith("#"):
            continue
        if not line.strip():
            if stanza:
                yield stanza
            stanza, field = {}, ""
        elif line[0] in " \t" and field:
            stanza[field] += " " + line.strip()
        else:
            name, _, value = line.partition(":")
            field = name.strip().lower()
            stanza[field] = value.strip()


def _is_archive(source: Source) -> bool:
    return source.suite in _SUITES and "main" in source.components


def _strangeness(source: Source) -> tuple[bool, bool]:
    """Order candidates: some third parties, too, publish a suite called `stable` with a `main`."""
    return (
        "debian-archive" not in source.signed_by,
        not urlsplit(source.uri).path.rstrip("/").endswith(("/debian", "/debian.list")),
    )


def _resolve(uri: str) -> list[str]:
    """Return the addresses behind a source: itself, or the lines of a local list of mirrors."""
    file = Path(unquote(urlsplit(uri).path))
    if urlsplit(uri).scheme != "mirror+file" or not file.is_file():
        return [uri]
    lines = [line.split("#")[0].split() for line in file.read_text(encoding="utf-8").splitlines()]
    return [words[0] for words in lines if words]
