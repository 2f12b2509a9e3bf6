"""What a mistyped name may have been meant for. Called wherever users name things; imports nothing."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def did_you_mean(given: str, known: Iterable[str], cutoff: float = 0.6, quote: str = "") -> str:
    """The nearest known name in words that follow a message; empty where none is near.

    >>> did_you_mean("noisy", ["noise", "agents"])
    ' (did you mean noise?)'
    """
    close = difflib.get_close_matches(given, list(known), n=1, cutoff=cutoff)
    return f" (did you mean {quote}{close[0]}{quote}?)" if close else ""
