"""Exact division of small integers by a constant, as one multiplication and one shift."""

from __future__ import annotations

#: The factor serves all dividends below this.
DIVIDEND_LIMIT = 2**31


def reciprocal(divisor: int) -> tuple[int, int]:
    """``(multiplier, shift)`` with ``(u·multiplier) >> shift == u // divisor`` for ``0 <= u < 2^31``; multiplier < 2^32.

    The rounded-up reciprocal of Granlund and Montgomery (PLDI 1994): exact for n-bit dividends with
    ``shift = n + ceil(log2 divisor)``. ``divisor`` is in ``[1, 2^31]``.
    """
    shift = 31 + (divisor - 1).bit_length()
    return -(-(1 << shift) // divisor), shift
