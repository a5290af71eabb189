"""The themes: dark, light, the terminal's own colours, and Okabe and Ito's palette, which colour-blind eyes tell apart."""

from __future__ import annotations

import dataclasses

from textual.theme import BUILTIN_THEMES, Theme

DEFAULT = "dark"

THEMES: dict[str, Theme] = {
    theme.name: theme
    for theme in (
        Theme(
            "dark",
            primary="#6ea8fe",
            secondary="#8fb8a8",
            accent="#f2b35e",
            success="#7fc99a",
            warning="#f2b35e",
            error="#f0787f",
            foreground="#d9dee8",
            background="#11151c",
            surface="#171c25",
            panel="#222a37",
        ),
        Theme(
            "light",
            primary="#2457a6",
            secondary="#3c6e5c",
            accent="#9a4f00",
            success="#1b6e3f",
            warning="#8a5a00",
            error="#b3261e",
            foreground="#20242c",
            background="#fbfaf7",
            surface="#f3f1eb",
            panel="#e6e2d8",
            dark=False,
        ),
        dataclasses.replace(BUILTIN_THEMES["ansi-dark"], name="ansi"),
        # Okabe and Ito (2008), "Color Universal Design".
        Theme(
            "okabe-ito",
            primary="#56b4e9",
            secondary="#cc79a7",
            accent="#e69f00",
            success="#009e73",
            warning="#f0e442",
            error="#d55e00",
            foreground="#e8e8e8",
            background="#101010",
            surface="#181818",
            panel="#262626",
        ),
    )
}
"""The themes by the names that ``--theme`` takes."""
