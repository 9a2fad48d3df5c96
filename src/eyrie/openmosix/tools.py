# SPDX-License-Identifier: GPL-3.0-or-later
"""Put the openMosix tools onto a node: programs that were built elsewhere, or their source."""

from __future__ import annotations

import shlex

from eyrie.openmosix.read import SEARCH_PATH

STAMP = "/etc/openmosix.tools"
PROGRAMS = ("setpe", "mosctl", "mosrun", "migrate")


def install_script(version: str, compressed: bool) -> str:
    """Return the script that unpacks programs, an archive on standard input, over the root folder."""
    unpack = "gunzip -c | tar -x -f - -C /" if compressed else "tar -x -f - -C /"
    return f"{SEARCH_PATH}\n{unpack} || exit 1\n{_stamp(version)}"


def build_script(version: str, compressed: bool, command: str) -> str:
    """Return the script that unpacks a source archive, given on standard input, and builds it where it is."""
    unpack = "gunzip -c | tar -x -f - -C $d" if compressed else "tar -x -f - -C $d"
    return f"""{SEARCH_PATH}
d=/usr/src/eyrie-openmosix-tools
rm -rf $d; mkdir -p $d || exit 1
{unpack} || exit 1
cd $d/* || exit 1
( {command} ) </dev/null >$d/build.log 2>&1 || {{ tail $d/build.log >&2; exit 1; }}
cd / && rm -rf $d
{_stamp(version)}"""


def _stamp(version: str) -> str:
    """Note the version only where every program is there."""
    return f"""for p in {" ".join(PROGRAMS)}; do
f=
for d in /sbin /usr/sbin /usr/local/sbin /bin /usr/bin /usr/local/bin; do [ -x $d/$p ] && f=1; done
[ "$f" ] || {{ echo "the archive brought no $p" >&2; exit 1; }}
done
echo {shlex.quote(version)} >{STAMP}
sync
"""
