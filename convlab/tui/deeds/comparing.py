"""Baseline and pinned designs, and the tab that sets them side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from convlab.tui.lab import Lab


def baseline(lab: Lab) -> None:
    """Compare with the design as it is now."""
    lab.go(lab.session.with_baseline())
    lab.say("The design as it is now is the baseline.")


def pin(lab: Lab) -> None:
    """Keep the design as it is now. Raises ConvlabError where there are too many."""
    lab.go(lab.session.pinned_now())
    count = len(lab.session.pinned)
    lab.say(f"{count} design{'s' * (count > 1)} pinned; d compares them.")


def unpin(lab: Lab) -> None:
    """Let the last pinned design go."""
    if not lab.session.pinned:
        lab.say("No design is pinned.")
        return
    lab.go(lab.session.unpinned(len(lab.session.pinned) - 1))


def diff(lab: Lab) -> None:
    """Figures and knobs of the baseline, the pinned designs and this one."""
    lab.panes.choose("diff")
    lab.panes.focus_tab()
