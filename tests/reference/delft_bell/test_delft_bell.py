"""The loophole-free Bell tests of Delft: Hensen et al., Nature 526, 682 (2015) and Sci. Rep. 6, 30289 (2016).

Counts are [same, different] for settings 00, 01, 10, 11, as published; S, its error and the p-value follow from them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from erbia.analysis.bell import bell_test, predictable_win_bound

SETTINGS = ("00", "01", "10", "11")
PSI_MINUS_2015 = ([46, 7], [63, 16], [46, 16], [10, 41])
PSI_MINUS_2016 = ([42, 10], [48, 6], [42, 17], [16, 47])
PSI_PLUS_2016 = ([14, 3], [12, 3], [2, 17], [15, 6])
BIAS = 1.08e-5  # of their random numbers
SHARED = Path(__file__).resolve().parents[4] / "shared" / "reference" / "delft_bell_counts.json"


def block(rows: Any, signs: list[int]) -> dict[str, Any]:
    settings = {
        name: {"same": same, "different": different} for name, (same, different) in zip(SETTINGS, rows, strict=True)
    }
    return {"settings": settings, "signs": signs}


def test_2015() -> None:
    result = bell_test(block(PSI_MINUS_2015, [1, 1, 1, -1]), predictable_win_bound(BIAS))
    assert (result.n, result.wins) == (245, 196)
    assert result.s.value == pytest.approx(2.42249987, abs=5e-9)
    assert result.s_std == pytest.approx(0.2038266, abs=5e-8)
    assert result.p_value == pytest.approx(0.03917464, abs=5e-9)
    assert result.s.lower < 2 < result.s.value < result.s.upper


def test_2016_combines_both_heralded_states() -> None:
    blocks = [block(PSI_MINUS_2016, [1, 1, 1, -1]), block(PSI_PLUS_2016, [1, 1, -1, 1])]
    result = bell_test({"blocks": blocks}, predictable_win_bound(BIAS))
    assert (result.n, result.wins) == (300, 237)
    assert result.s.value == pytest.approx(2.346432, abs=2e-6)
    assert result.s_std == pytest.approx(0.184162, abs=5e-7)
    assert result.p_value == pytest.approx(0.06072764, abs=5e-9)
    assert bell_test(blocks[0]).s.value == pytest.approx(2.308955, abs=5e-7)
    assert bell_test(blocks[1]).s.value == pytest.approx(2.465104, abs=5e-7)


@pytest.mark.skipif(not SHARED.exists(), reason="the shared reference data are not here")
def test_the_counts_typed_here_are_those_of_the_data_file() -> None:
    data = json.loads(SHARED.read_text(encoding="utf-8"))
    assert data["2015"]["psi_minus"] == list(PSI_MINUS_2015)
    assert data["2016"]["psi_minus"] == list(PSI_MINUS_2016)
    assert data["2016"]["psi_plus"] == list(PSI_PLUS_2016)
    assert predictable_win_bound(BIAS) == pytest.approx(data["2015"]["p_bound_q"], abs=1e-13)
