# SPDX-License-Identifier: GPL-3.0-or-later
"""`facts` and `converge`: one JSON text in, one out, ASCII, so that no code page can spoil it."""

from __future__ import annotations

import json
import sys
from typing import Any, TextIO

import eyrie
from eyrie.agent.config import parse as parse_configuration
from eyrie.agent.converge import facts as reading
from eyrie.agent.converge import plan
from eyrie.agent.converge.apply import LOST, Place, apply, read
from eyrie.agent.converge.place import separator, this_place
from eyrie.agent.converge.spec import Spec, parse
from eyrie.errors import EyrieError

VERSION = 1
OK, REFUSED = 0, 1


def facts_command(
    place: Place | None = None, system: reading.System | None = None, out: TextIO = sys.stdout
) -> int:
    """Print what this desktop is."""
    _tell(_facts(place or this_place(), system or reading.this_system()), out)
    return OK


def converge_command(
    check: bool = False,
    place: Place | None = None,
    system: reading.System | None = None,
    text: str | None = None,
    out: TextIO = sys.stdout,
) -> int:
    """Bring this desktop to the spec on standard input; with `check` tell only what would change."""
    given = sys.stdin.buffer.read().decode("utf-8", "replace") if text is None else text
    answer = converge(given, check, place or this_place(), system or reading.this_system())
    _tell(answer, out)
    return REFUSED if answer["problems"] else OK


def converge(text: str, check: bool, place: Place, system: reading.System) -> dict[str, Any]:
    """Read, plan, apply; whatever goes wrong is a problem of the answer."""
    told = _facts(place, system)
    answer: dict[str, Any] = {
        "version": VERSION,
        "agent_version": eyrie.__version__,
        "facts": told,
        "changed": False,
        "diff": [],
        "outdated": False,
        "reboot_required": told["reboot_pending"],
        "problems": [],
    }
    try:
        spec = parse(text)
        if spec.agent_version not in ("", eyrie.__version__) or place.service.state() == LOST:
            # Another version's spec may mean something else, and no service starts without its program: the
            # installer comes first.
            answer["outdated"] = True
            return answer
        answer["problems"] = plan.obstacles(told, spec)
        if not answer["problems"]:
            _bring(_desired(spec, place), check, place, told, answer)
    except EyrieError as error:
        answer["problems"].append({"name": error.thing, "text": str(error)})
    except OSError as error:
        answer["problems"].append({"name": "the system refused", "text": f"the system refused: {error}"})
    return answer


def _bring(
    desired: plan.Desired, check: bool, place: Place, told: reading.Facts, answer: dict[str, Any]
) -> None:
    current = read(place, desired, told["token"]["sha256"])
    changes = plan.plan(current, desired)
    done = list(changes) if check else []
    try:
        if not check and changes:
            done.extend(apply(place, desired, changes))
            answer["facts"] = {
                **told,
                "token": reading.token_facts(place.data / "token"),
                "hub": reading.hub_facts(place.hub),
            }
    finally:
        answer["changed"] = bool(done)
        answer["diff"] = [change.told() for change in done]


def _desired(spec: Spec, place: Place) -> plan.Desired:
    configuration = spec.configuration(str(place.data), separator())
    parse_configuration(configuration, "agent.json")
    return plan.Desired(spec, configuration, place.firewall.look(configuration)[1] if spec.firewall else "")


def _facts(place: Place, system: reading.System) -> reading.Facts:
    return reading.gather(system, place.data, eyrie.__version__)


def _tell(answer: dict[str, Any], out: TextIO) -> None:
    out.write(json.dumps(answer, sort_keys=True) + "\n")
    out.flush()
