"""Bell values of photon pairs: CHSH from coincidence counts, and the Clauser-Horne-Eberhard inequality.

Coincidences count only the pairs both sides detected, so their CHSH value rests on fair sampling and comes without a
p-value against local theories; the Clauser-Horne-Eberhard form counts every trial and does not need it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import binom

from .bell import SETTINGS, read_signs
from .counts import as_confidence, as_count, as_number, as_table, pattern_counts, require_keys
from .errors import UsageError
from .intervals import combine_limits, linear_interval, poisson_interval
from .records import Estimate, FloatArray

PRODUCT = np.array([1.0, -1.0, -1.0, 1.0])
KEYS = ("settings", "signs", "accidentals", "accidental_scale", "confidence")


@dataclass(frozen=True, slots=True)
class CoincidenceBellResult:
    """CHSH value of coincidences: ``s`` with accidentals subtracted, ``raw`` without, ``excess`` of ``|s|`` over 2 in ``s.std``."""

    s: Estimate
    raw: Estimate
    excess: float


def chsh_from_coincidences(counts: Mapping[str, Any]) -> CoincidenceBellResult:
    """CHSH value of post-selected pairs, with Poisson errors and accidentals subtracted.

    Args:
        counts: ``{"settings": {"00": {"++": n, "+-": n, "-+": n, "--": n}, ..}, "signs": [1, 1, 1, -1]}``; optional
            ``"accidentals"`` of the same form, ``"accidental_scale"`` (1: signal windows a window so counted) and
            ``"confidence"`` (0.95).

    Raises:
        UsageError: a key is missing or unknown, a count is not one, or a setting has no true coincidences.
    """
    table = as_table(counts, "coincidences")
    require_keys(table, ("settings", "signs"), KEYS, "coincidences")
    confidence = as_confidence(table.get("confidence", 0.95))
    signs = np.array(read_signs(table["signs"], "coincidences"), np.float64)
    pairs = _read_patterns(table["settings"], "coincidences 'settings'")
    scale = as_number(table.get("accidental_scale", 1.0), "'accidental_scale'", 0.0, 1e6)
    none = np.zeros_like(pairs)
    accidentals = _read_patterns(table["accidentals"], "'accidentals'") if "accidentals" in table else none
    raw = _chsh(pairs, none, 0.0, signs, confidence)
    s = _chsh(pairs, accidentals, scale, signs, confidence) if accidentals.any() else raw
    return CoincidenceBellResult(s, raw, (abs(s.value) - 2) / s.std if s.std > 0 else float("inf"))


def _read_patterns(value: object, where: str) -> FloatArray:
    table = as_table(value, where)
    require_keys(table, SETTINGS, SETTINGS, where)
    return np.array([pattern_counts(table[name], f"{where} {name}") for name in SETTINGS], np.float64)


def _chsh(pairs: FloatArray, accidentals: FloatArray, scale: float, signs: FloatArray, confidence: float) -> Estimate:
    """S from counts (4, 4); limits from the counts by the exact test, from each accidental mean side by side."""
    total = pairs.sum(axis=1)
    true = total - scale * accidentals.sum(axis=1)
    if np.any(true <= 0):
        name = SETTINGS[int(np.argmin(true))]
        raise UsageError(f"coincidences setting {name}: no true coincidences are left after subtracting accidentals")

    def value(background: FloatArray) -> float:
        left = pairs - scale * background
        return float(np.sum(signs * (left @ PRODUCT) / left.sum(axis=1)))

    same = pairs @ (PRODUCT > 0)
    # E = (2 same - total - background) / true: linear in the chance of equal outcomes.
    gain = signs * total / true
    constant = -float(np.sum(gain + signs * scale * (accidentals @ PRODUCT) / true))
    limits = [linear_interval(same, total, 2 * gain, constant, confidence)]
    lower, upper = poisson_interval(accidentals, confidence)
    if scale > 0:
        for index in np.ndindex(*accidentals.shape):
            ends = [accidentals.copy() for _ in range(2)]
            ends[0][index], ends[1][index] = lower[index], upper[index]
            limits.append((value(ends[0]), value(ends[1])))
    p = same / total
    variance = np.sum(gain**2 * 4 * p * (1 - p) / total)
    low, high = combine_limits(value(accidentals), limits)
    middle = value(accidentals)
    method = "CHSH of coincidences, fair sampling"
    return Estimate(middle, low, high, confidence, float(np.sqrt(variance)), int(total.sum()), method)


@dataclass(frozen=True, slots=True)
class EberhardResult:
    """A test of the Clauser-Horne-Eberhard inequality ``J <= 0``.

    Attributes:
        j: ``p(++|00) - p(+0|01) - p(0+|10) - p(++|11)`` a trial.
        p_value: chance, in a local theory with any memory, of at least ``gains`` gains among ``n`` decisive trials.
        gains, n: decisive trials in favour, and all of them.
    """

    j: Estimate
    p_value: float
    gains: int
    n: int


def eberhard_test(counts: Mapping[str, Any]) -> EberhardResult:
    """Clauser-Horne-Eberhard value of a test in which every trial counts, lost photons too.

    A local theory that gains in one setting must pay in another with the same hidden state, so among decisive trials a gain
    is no likelier than ``p_00 / (p_00 + min(p_01, p_10, p_11))`` of the setting chances, 1/2 when they are equal, whatever
    happened before; the number of gains is then bounded by a binomial (Eberhard, PRA 47, R747, 1993; Bierhorst, J. Phys. A
    48, 195302, 2015).

    Args:
        counts: ``{"trials": {"00": n, "01": n, "10": n, "11": n}, "events": {"00": n of ++, "01": n of +0, "10": n of 0+,
            "11": n of ++}}`` with + a click and 0 none; optional ``"setting_chances"`` and ``"confidence"`` (0.95).

    Raises:
        UsageError: a key is missing or unknown, a count is not one, or a setting has fewer trials than events.
    """
    table = as_table(counts, "Eberhard counts")
    require_keys(table, ("trials", "events"), ("trials", "events", "setting_chances", "confidence"), "Eberhard counts")
    confidence = as_confidence(table.get("confidence", 0.95))
    trials, events = (_read_numbers(table[key], f"Eberhard {key!r}") for key in ("trials", "events"))
    if np.any(trials < 1) or np.any(events > trials):
        raise UsageError(
            f"Eberhard counts: each setting needs at least one trial and as many trials as events, got {trials}"
        )
    chances = np.full(4, 0.25)
    if "setting_chances" in table:
        given = as_table(table["setting_chances"], "'setting_chances'")
        require_keys(given, SETTINGS, SETTINGS, "'setting_chances'")
        chances = np.array([as_number(given[name], f"'setting_chances' {name}", 1e-6, 1.0) for name in SETTINGS])
    weights = np.array([1.0, -1.0, -1.0, -1.0])
    p = events / trials
    lower, upper = linear_interval(events, trials, weights, 0.0, confidence)
    std = float(np.sqrt(np.sum(p * (1 - p) / trials)))
    j = Estimate(
        float(weights @ p), lower, upper, confidence, std, int(trials.sum()), "Clauser-Horne-Eberhard, exact test"
    )
    gains, n = int(events[0]), int(events.sum())
    bound = float(chances[0] / (chances[0] + chances[1:].min()))
    return EberhardResult(j, float(binom.sf(gains - 1, n, bound)), gains, n)


def _read_numbers(value: object, where: str) -> FloatArray:
    table = as_table(value, where)
    require_keys(table, SETTINGS, SETTINGS, where)
    return np.array([as_count(table[name], f"{where} {name}") for name in SETTINGS], np.float64)
