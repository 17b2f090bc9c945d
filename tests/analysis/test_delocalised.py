"""Entanglement of one excitation in two memories, as far as clicks tell."""

import numpy as np
import pytest

from erbia.analysis.delocalised import concurrence_limit, delocalised, visibility_needed
from erbia.analysis.errors import UsageError


def wootters(p10: float, p01: float, p11: float, visibility: float) -> float:
    """Concurrence of the state with these populations and coherence V(p10 + p01)/2 between |10> and |01>."""
    rho = np.diag([1 - p10 - p01 - p11, p01, p10, p11]).astype(complex)
    rho[1, 2] = rho[2, 1] = visibility * (p10 + p01) / 2
    flip = np.fliplr(np.diag([-1.0, 1.0, 1.0, -1.0]))
    roots = np.sqrt(np.sort(np.linalg.eigvals(rho @ flip @ rho.conj() @ flip).real.clip(0))[::-1])
    return float(max(0.0, roots[0] - roots[1:].sum()))


@pytest.mark.parametrize(("p10", "p01", "p11"), [(0.03, 0.03, 1e-4), (0.2, 0.2, 0.001)])
def test_it_is_the_concurrence_of_such_a_state(p10: float, p01: float, p11: float) -> None:
    assert concurrence_limit(p10, p01, p11) == pytest.approx(wootters(p10, p01, p11, 1.0), abs=1e-9)
    needed = visibility_needed(p10, p01, p11)
    assert wootters(p10, p01, p11, needed * 0.999) == pytest.approx(0.0, abs=1e-9)
    assert wootters(p10, p01, p11, needed * 1.01) > 0


def test_intervals_hold_the_truth() -> None:
    """100 runs of 20,000 heralds; fewer than 83 inside a 95 % interval happen by chance with 5e-6."""
    rng = np.random.default_rng(2)
    p10, p01, p11 = 0.03, 0.031, 1.2e-4
    truth = {
        "visibility_needed": visibility_needed(p10, p01, p11),
        "concurrence_limit": concurrence_limit(p10, p01, p11),
    }
    inside = dict.fromkeys(truth, 0)
    for _ in range(100):
        drawn = rng.multinomial(20_000, [p11, p10, p01, 1 - p10 - p01 - p11])
        found = delocalised(dict(zip(("++", "+-", "-+", "--"), drawn.tolist(), strict=True)))
        for name, value in truth.items():
            inside[name] += found[name].lower <= value <= found[name].upper
    assert min(inside.values()) >= 83


def test_what_is_missing_is_said() -> None:
    with pytest.raises(UsageError, match="needed are"):
        delocalised({"++": 1})
    with pytest.raises(UsageError, match="record longer"):
        delocalised({"++": 0, "+-": 0, "-+": 0, "--": 10})
