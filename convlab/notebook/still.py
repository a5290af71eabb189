"""What stays of an explorer on a page without a kernel: its figures as plain HTML, which a page that shows the controls hides."""

from __future__ import annotations

from convlab.costs import Profile
from convlab.notebook import markup
from convlab.notebook.pages import html_of

CLASS = "convlab-still"

_HIDING = (
    f"<style>.jp-OutputArea:has(.widget-vbox) .jp-OutputArea-child:has(.{CLASS}) {{ display: none }}</style>"
    # A page that was made of the notebook loads the controls from the network, where there is one.
)


def still_html(profile: Profile, compared: str) -> str:
    """The design's figures and stages, and ``compared``, the table of those that are pinned."""
    about = markup.paragraph("As it was when this cell was run; controls and charts take a running kernel.", soft=True)
    return f'<div class="{CLASS}">{html_of(profile)}{compared}{about}</div>{_HIDING}'
