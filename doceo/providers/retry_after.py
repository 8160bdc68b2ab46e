"""How long a server asks to be left alone."""

from __future__ import annotations

import email.utils


def seconds_of(header: str, now: float) -> float | None:
    """Return the seconds of a `Retry-After` header: a number, or an HTTP date (RFC 9110, section 10.2.3).

    Args:
        header: The header's value; empty where there was none.
        now: Seconds since 1970.
    """
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(header).timestamp() - now
        except ValueError:
            return None
    return max(0.0, seconds)
