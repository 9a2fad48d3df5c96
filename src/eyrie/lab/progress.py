# SPDX-License-Identifier: GPL-3.0-or-later
"""What is shown while a lab is built: a line a step, with its seconds."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from rich.console import Console


class Progress(Protocol):
    """Where steps are reported."""

    def step(self, title: str) -> AbstractContextManager[None]:
        """Report one step that is being done."""

    def note(self, text: str) -> None:
        """Report something in passing."""


class Silent:
    """Reports nothing: for tests and programs."""

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Do the step."""
        del title
        yield

    def note(self, text: str) -> None:
        """Say nothing."""


class Lines:
    """One line a step; on a terminal, a spinner while it lasts."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Do the step, then print it with its seconds."""
        begin = time.monotonic()
        try:
            if self._console.is_terminal:
                with self._console.status(title):
                    yield
            else:
                yield
        except BaseException:
            self._line("[red]failed[/]", title, begin)
            raise
        self._line("[green]done[/]  ", title, begin)

    def note(self, text: str) -> None:
        """Print a line."""
        self._console.print(text, soft_wrap=True)

    def _line(self, result: str, title: str, begin: float) -> None:
        self._console.print(f"{result} {time.monotonic() - begin:6.1f} s  {title}", soft_wrap=True)
