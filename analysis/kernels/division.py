"""Exact division of small integers by a constant, as one multiplication and one shift."""

from __future__ import annotations


def reciprocal(divisor: int, limit: int) -> tuple[int, int]:
    """``(multiplier, shift)`` with ``(u·multiplier) >> shift == u // divisor`` for all ``0 <= u < limit``.

    Granlund and Montgomery, PLDI 1994: with ``limit <= 2^n`` and ``shift = n + ceil(log2 divisor)`` the rounded-up
    reciprocal is exact. ``(0, 0)`` when the product would not fit 64 bits: the kernel then divides.
    """
    bits = max(limit - 1, 1).bit_length()
    shift = bits + (divisor - 1).bit_length()
    multiplier = -(-(1 << shift) // divisor)
    if bits + multiplier.bit_length() > 64 or shift > 63:
        return 0, 0
    return multiplier, shift
