# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens of the people who submit on a master: who has one, and who needs a new one.

A token never leaves the master: it shows what it was signed for, and its hash, as desktops do.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from eyrie.engines.minting import proven
from eyrie.engines.tokens import WantedToken, renewal_reason
from eyrie.errors import EyrieError

EVERYBODY = "*"
SUBMITTING = frozenset({"READ", "WRITE"})
ADMINISTERING = SUBMITTING | {"ADMINISTRATOR"}

# As the person, not as root: a home may be on a server that knows no root, and links in it are theirs.
_HOME = 'umask 077; h=$(getent passwd "$(id -u)" | cut -d: -f6)'
# What login.defs says of people's numbers; nobody (65534) is none of them.
_PEOPLE = """
least=$(sed -n 's/^[[:blank:]]*UID_MIN[[:blank:]]*//p' /etc/login.defs)
getent passwd | while IFS=: read -r name _ id _ _ _ shell; do
    case $shell in */nologin | */false) continue ;; esac
    [ "$id" -ge "${least:-1000}" ] && [ "$id" -lt 60001 ] && echo "$name"
done
"""
_READ = """
for name in $( (printf '%s\\n' {names}; {people}) | sort -u); do
    getent passwd "$name" >/dev/null || {{ echo "$name absent"; continue; }}
    echo "$name $(runuser -u "$name" -- sh -c {look})"
done
"""
_LOOK = (
    _HOME + '; t=$(cat "$h/.condor/tokens.d/eyrie" 2>/dev/null); printf %s "${t%.*}" | base64 -w0; echo " "'
    '"$(printf %s "$t" | sha256sum | cut -c 1-64)"'
)
_WRITE = """
token=$({create}) || exit 1
printf '%s\\n' "$token" | runuser -u {name} -- sh -c {put} || exit 1
"""
_PUT = (
    _HOME + '; mkdir -p "$h/.condor/tokens.d" && new=$(mktemp "$h/.condor/eyrie.XXXXXX") && cat >"$new"'
    ' && mv -f "$new" "$h/.condor/tokens.d/eyrie"'
)
_LINE = re.compile(r"(\S+) (?:absent|([A-Za-z0-9+/=]*) ([0-9a-f]{64}))")


@dataclass(frozen=True)
class People:
    """The accounts that may submit, and those that may look after the pool as well."""

    submitters: frozenset[str]
    admins: frozenset[str]

    def scopes(self, name: str) -> frozenset[str]:
        """Return what the token of one of them allows at most."""
        return ADMINISTERING if name in self.admins else SUBMITTING


@dataclass(frozen=True)
class Shown:
    """What a token shows: what was signed, empty where there is none, and the SHA-256 of all of it."""

    signed: str
    sha256: str


def read_command(people: People) -> str:
    """Return the script that prints, a line each, the accounts and what their tokens show; run it as root."""
    names = sorted((people.submitters | people.admins) - {EVERYBODY})
    everybody = _PEOPLE.strip() if EVERYBODY in people.submitters else "true"
    return _READ.format(
        names=" ".join(map(shlex.quote, names)), people=everybody, look=shlex.quote(_LOOK)
    ).strip()


def parse(output: str) -> dict[str, Shown]:
    """Read those lines: account -> what its token shows."""
    found = {}
    for line in output.splitlines():
        match = _LINE.fullmatch(line)
        if match is None:
            raise EyrieError(
                "the master's answer about its accounts",
                seen=line,
                wanted="a name and a token",
                next_step="look at the files of that account",
            )
        if match[3] is None:
            raise EyrieError(
                "htcondor_submitters and htcondor_admins",
                seen=match[1],
                wanted="accounts that the master has",
                next_step="make the account there, or take the name off the list",
            )
        found[match[1]] = Shown(_text(match[2]), match[3])
    return found


def _text(packed: str) -> str:
    try:
        return base64.b64decode(packed, validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        return "damaged"


def plan(present: Mapping[str, Shown], people: People, pool: WantedToken, now: float) -> dict[str, str]:
    """Return account -> why it needs a new token; `pool` is what all of them share."""
    reasons = {}
    for name, shown in present.items():
        wanted = dataclasses.replace(pool, identity=f"{name}@{pool.issuer}", scopes=people.scopes(name))
        token = proven(shown.signed, shown.sha256, wanted)
        if shown.signed and not token:
            reasons[name] = "token was signed with another key, or is damaged"
        elif reason := renewal_reason(token, wanted, now):
            reasons[name] = reason
    return reasons


def write_command(names: Iterable[str], people: People, pool: str, lifetime_seconds: int) -> str:
    """Return the script that makes a token for each account and puts it into the account's home."""
    steps = []
    for name in names:
        limits = [word for scope in sorted(people.scopes(name)) for word in ("-authz", scope)]
        create = ["condor_token_create", "-identity", f"{name}@{pool}", "-key", "POOL"]
        create += ["-lifetime", str(lifetime_seconds), *limits]
        put = shlex.quote(_PUT)
        steps.append(_WRITE.format(create=shlex.join(create), name=shlex.quote(name), put=put).strip())
    return "\n".join(steps)
