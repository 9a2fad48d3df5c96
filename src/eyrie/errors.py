# SPDX-License-Identifier: GPL-3.0-or-later
"""The one family of errors that users see."""

from __future__ import annotations


class EyrieError(ValueError):
    """Something a user can put right: names the thing, the value seen, what was wanted and the next step."""

    def __init__(self, thing: str, *, seen: object = None, wanted: str = "", next_step: str = "") -> None:
        self.thing = thing
        self.seen = seen
        self.wanted = wanted
        self.next_step = next_step
        super().__init__(self._sentence())

    def _sentence(self) -> str:
        text = self.thing
        if self.seen is not None:
            text += f": found {self.seen!r}"
        if self.wanted:
            text += f", wanted {self.wanted}"
        if self.next_step:
            text += f". Next: {self.next_step}"
        return text
