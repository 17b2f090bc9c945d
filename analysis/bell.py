"""Tests of Bell inequalities: the CHSH value with its interval, and p-values that assume nothing about the trials.

Event-ready CHSH: every herald is one round of a game. With the setting's sign s = +1 a round is won when the two outcomes
agree, with s = -1 when they differ. No local theory, with memory of all earlier rounds, wins a round with a probability
above q (3/4 for perfectly random settings), so the number of wins is stochastically below Bin(n, q) whatever the rounds
share, and ``P[Bin(n, q) >= wins]`` is a valid p-value without any assumption of independence or normality
(Elkouss and Wehner, npj Quantum Inf. 2, 16026, 2016; Hensen et al., Nature 526, 682, 2015).

The second p-value bets on the rounds: a stake that grows by ``1 + f (win / (4 p_setting) - 3/4)`` a round cannot grow on
average in a local theory, for any fraction f, so its inverse is a p-value (Ville 1939; Zhang et al., PRA 84, 062118, 2011)
that also allows unequal setting chances and stopping whenever one likes. The stake is spread evenly over fractions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import binom

from .counts import as_confidence, as_number, as_table, require_keys, same_and_different
from .errors import UsageError
from .intervals import correlator_estimate, linear_interval
from .records import Estimate

SETTINGS = ("00", "01", "10", "11")
LOCAL_WIN_BOUND = 0.75
UNIFORM = (0.25, 0.25, 0.25, 0.25)
BETS = 200


@dataclass(frozen=True, slots=True)
class BellResult:
    """A CHSH test.

    Attributes:
        s: the CHSH value; local theories stay within [-2, 2].
        s_std: standard error of ``s``, ``sqrt(sum (1 - E^2) / N)``.
        p_value: chance of at least ``wins`` wins in a local theory, valid under memory.
        n, wins: rounds played and won.
        win_bound: the largest winning chance of a local theory the p-value was computed with.
        p_value_betting: the p-value that allows unequal setting chances and any stopping rule; usually larger.
        correlators: for each block, the correlator of each setting.
    """

    s: Estimate
    s_std: float
    p_value: float
    n: int
    wins: int
    win_bound: float
    p_value_betting: float
    correlators: tuple[Mapping[str, Estimate], ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain dict for JSON; ``s`` is the bare number, ``s_estimate`` the same with its interval."""
        return {
            "s": self.s.value,
            "s_std": self.s_std,
            "p_value": self.p_value,
            "n": self.n,
            "wins": self.wins,
            "win_bound": self.win_bound,
            "p_value_betting": self.p_value_betting,
            "s_estimate": self.s.as_dict(),
            "correlators": [{name: e.as_dict() for name, e in block.items()} for block in self.correlators],
        }


@dataclass(frozen=True, slots=True)
class _Block:
    """Rounds that share one set of signs: per setting, rounds won and lost."""

    signs: tuple[int, ...]
    won: tuple[int, ...]
    lost: tuple[int, ...]

    @property
    def n(self) -> int:
        return sum(self.won) + sum(self.lost)

    def s(self) -> float:
        return float(sum((w - m) / (w + m) for w, m in zip(self.won, self.lost, strict=True)))


def bell_test(counts: Mapping[str, Any], win_bound: float | None = None) -> BellResult:
    """CHSH value with interval, and the p-value of the local bound.

    ``S = sum s_k E_k`` with ``E = (N_same - N_different) / N`` for each setting. Heralds that announce different Bell
    states need different signs: give one block for each; S is then the mean of the blocks weighted by their rounds.

    Args:
        counts: ``{"settings": {"00": {"++": n, "+-": n, "-+": n, "--": n}, ..}, "signs": [1, 1, 1, -1]}`` with all four
            settings ``"ab"``, or ``{"same": n, "different": n}`` a setting; or ``{"blocks": [{settings, signs}, ..]}``.
            Optional ``"confidence"`` (0.95) and ``"setting_chances"``, ``{"00": 0.25, ..}`` if they were not equal.
        win_bound: the largest winning chance a local theory has in one round. By default 1 minus the smallest setting
            chance: 3/4. For predictable settings see :func:`predictable_win_bound`.

    Returns:
        BellResult; its interval on S comes from :func:`erbia.analysis.intervals.linear_interval`.

    Raises:
        UsageError: a setting, outcome or sign is missing or unknown, a count is negative or not whole, a setting was
            never played, or ``win_bound`` is outside [1/2, 1].
    """
    confidence, chances, blocks = _read(counts)
    bound = 1 - min(chances) if win_bound is None else as_number(win_bound, "win_bound", 0.5, 1.0)
    n = sum(block.n for block in blocks)
    wins = sum(sum(block.won) for block in blocks)
    value = sum(block.n * block.s() for block in blocks) / n
    won = np.array([block.won for block in blocks], np.int64).ravel()
    rounds = won + np.array([block.lost for block in blocks], np.int64).ravel()
    share = np.repeat([block.n / n for block in blocks], len(SETTINGS))
    # S = sum share (2 p - 1): a weighted sum of the winning chances p of every setting.
    lower, upper = linear_interval(won, rounds, 2 * share, -float(share.sum()), confidence)
    p = won / rounds
    std = float(np.sqrt(np.sum(share**2 * 4 * p * (1 - p) / rounds)))
    return BellResult(
        s=Estimate(value, lower, upper, confidence, std, n, "CHSH, inverted exact test"),
        s_std=std,
        p_value=float(binom.sf(wins - 1, n, bound)),
        n=n,
        wins=wins,
        win_bound=bound,
        p_value_betting=_betting_p_value(blocks, chances),
        correlators=tuple(_correlators(block, confidence) for block in blocks),
    )


def predictable_win_bound(bias: float) -> float:
    """Largest local winning chance when each setting can be guessed with chance ``1/2 + bias``: ``3/4 + 3 (b + b^2)``.

    Hensen et al. 2015, supplementary information; their random numbers had a bias of 1.08e-5.
    """
    b = as_number(bias, "bias", 0.0, 0.5)
    return min(LOCAL_WIN_BOUND + 3 * (b + b * b), 1.0)


def _betting_p_value(blocks: Sequence[_Block], chances: Sequence[float]) -> float:
    p = np.array(chances)
    won = np.sum([block.won for block in blocks], axis=0)
    lost = sum(sum(block.lost) for block in blocks)
    # The largest stake that a lost round does not ruin is 4/3.
    fraction = (np.arange(BETS) + 0.5) / BETS / LOCAL_WIN_BOUND
    log_stake = np.log1p(fraction[:, None] * (1 / (4 * p) - LOCAL_WIN_BOUND)) @ won
    log_stake += lost * np.log1p(-fraction * LOCAL_WIN_BOUND)
    return float(min(1.0, np.exp(-np.logaddexp.reduce(log_stake) + np.log(BETS))))


def _correlators(block: _Block, confidence: float) -> dict[str, Estimate]:
    return {
        name: correlator_estimate(won if sign > 0 else lost, won + lost, confidence)
        for name, sign, won, lost in zip(SETTINGS, block.signs, block.won, block.lost, strict=True)
    }


def _read(counts: object) -> tuple[float, tuple[float, ...], list[_Block]]:
    table = as_table(counts, "CHSH counts")
    confidence = as_confidence(table.get("confidence", 0.95))
    chances = _chances(table["setting_chances"]) if "setting_chances" in table else UNIFORM
    common = ("confidence", "setting_chances")
    if "blocks" not in table:
        return confidence, chances, [_read_block(table, "CHSH counts", ("settings", "signs", *common))]
    require_keys(table, ("blocks",), ("blocks", *common), "CHSH counts")
    blocks = table["blocks"]
    if not isinstance(blocks, Sequence) or isinstance(blocks, str) or not blocks:
        raise UsageError("CHSH counts: 'blocks' must be a list with at least one {settings, signs}")
    read = [_read_block(block, f"CHSH block {k}", ("settings", "signs")) for k, block in enumerate(blocks)]
    return confidence, chances, read


def _chances(value: object) -> tuple[float, ...]:
    table = as_table(value, "'setting_chances'")
    require_keys(table, SETTINGS, SETTINGS, "'setting_chances'")
    chances = tuple(as_number(table[name], f"'setting_chances' {name}", 1e-6, 1.0) for name in SETTINGS)
    if abs(sum(chances) - 1) > 1e-6:
        raise UsageError(f"'setting_chances' must sum to 1, got {sum(chances):g}")
    return chances


def _read_block(value: object, where: str, allowed: Sequence[str]) -> _Block:
    table = as_table(value, where)
    require_keys(table, ("settings", "signs"), allowed, where)
    signs = read_signs(table["signs"], where)
    settings = as_table(table["settings"], f"{where} 'settings'")
    require_keys(settings, SETTINGS, SETTINGS, f"{where} 'settings'")
    won, lost = [], []
    for name, sign in zip(SETTINGS, signs, strict=True):
        same, different = same_and_different(settings[name], f"{where} setting {name}")
        if same + different == 0:
            raise UsageError(
                f"{where} setting {name}: no counts; S needs at least one round in each of the four settings"
            )
        won.append(same if sign > 0 else different)
        lost.append(different if sign > 0 else same)
    return _Block(signs, tuple(won), tuple(lost))


def read_signs(value: object, where: str) -> tuple[int, ...]:
    """Four signs for the settings 00, 01, 10, 11, or UsageError."""
    signs = tuple(value) if isinstance(value, Sequence) else ()
    if len(signs) != len(SETTINGS) or any(s not in (1, -1) for s in signs) or signs.count(-1) % 2 == 0:
        raise UsageError(
            f"{where}: 'signs' must be 1 or -1 for settings {', '.join(SETTINGS)}, with one or three of -1, got {value!r}"
        )
    return tuple(int(s) for s in signs)
