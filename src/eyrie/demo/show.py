# SPDX-License-Identifier: GPL-3.0-or-later
"""Progress and results for people: a live table on a terminal, a line an event elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from eyrie.demo.story import Outcome, State, Story, ranges, shares

_MARKS = {
    State.WAITING: ("·", "dim"),
    State.RUNNING: ("▶", "cyan"),
    State.DONE: ("■", "green"),
    State.FAILED: ("✗", "bold red"),
    State.HELD: ("✗", "bold red"),
    State.REMOVED: ("✗", "bold red"),
}
_RENDERED = "frame {frame}: rendered on {desktop} in {seconds:.0f} s"
_ENDINGS = {
    Outcome.EVICTED: "[yellow]frame {frame}: {desktop} went back to its owner after {seconds:.0f} s[/]",
    Outcome.LOST: "[yellow]frame {frame}: {desktop} vanished after {seconds:.0f} s[/]",
    Outcome.FAILED: "[red]frame {frame}: failed on {desktop} after {seconds:.0f} s[/]",
}


def summary(told: Sequence[Story]) -> Table:
    """Which desktop rendered which frames."""
    table = Table(title="Frames by desktop", title_justify="left", show_footer=True)
    done = sum(story.state is State.DONE for story in told)
    rows = shares(told)
    for heading, footer, justify in (
        ("desktop", "all", "left"),
        ("frames rendered", f"{done} of {len(told)}", "left"),
        ("attempts", str(sum(row.attempts for row in rows)), "right"),
        ("evictions", str(sum(row.interrupted for row in rows)), "right"),
        ("seconds", f"{sum(row.seconds for row in rows):.0f}", "right"),
    ):
        table.add_column(heading, footer=footer, justify="right" if justify == "right" else "left")
    for row in rows:
        table.add_row(
            row.desktop,
            ranges(row.rendered) or "-",
            str(row.attempts),
            str(row.interrupted),
            f"{row.seconds:.0f}",
        )
    return table


class Screen:
    """A Watcher on a console."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = (
            Live(console=console, transient=True, refresh_per_second=4) if console.is_terminal else None
        )
        self._said: set[tuple[int, int, Outcome]] = set()
        self._hint = ""

    def __enter__(self) -> Screen:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def update(self, told: Sequence[Story]) -> None:
        self._say_endings(told)
        if any(story.state is State.RUNNING for story in told):
            self._hint = ""
        if self._live:
            self._live.update(self._picture(told))

    def hint(self, text: str) -> None:
        if text != self._hint:
            self._hint = text
            self._console.print(text, style="dim", markup=False, highlight=False, soft_wrap=True)

    def _say_endings(self, told: Sequence[Story]) -> None:
        for story in told:
            for number, attempt in enumerate(story.executions):
                key = (story.frame, number, attempt.outcome)
                if key in self._said:
                    continue
                self._said.add(key)
                words = {"frame": story.frame, "desktop": attempt.desktop, "seconds": attempt.seconds}
                if attempt.outcome in _ENDINGS:
                    self._console.print(_ENDINGS[attempt.outcome].format(**words), highlight=False)
                elif attempt.outcome is Outcome.DONE and not self._live:
                    self._console.print(_RENDERED.format(**words), highlight=False)

    def _picture(self, told: Sequence[Story]) -> RenderableType:
        marks = Text.assemble(*(_MARKS[story.state] for story in told))
        running = [f"{row.desktop}: frame {ranges(row.running)}" for row in shares(told) if row.running]
        return Group(marks, Text("rendering  " + "   ".join(running) if running else "waiting", style="dim"))
