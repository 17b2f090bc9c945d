"""Event-ready Bell test on a heralded link: CHSH value and p-value of both herald outcomes together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from ...analysis.bell import bell_test
from ...analysis.records import Estimate
from .link_data import LinkState
from .link_run import LinkConfig, LinkExperiment

#: Signs of the four correlators in S for psi+ and psi-: E(z, z±x) is negative for both, E(x, z±x) changes with the sign.
_SIGNS = {1: (-1, -1, 1, -1), -1: (-1, -1, -1, 1)}
_SETTINGS = ("00", "01", "10", "11")


class BellTestConfig(LinkConfig):
    """Configuration of ``bell_test``."""

    bases: tuple[str, ...] = Field(
        ("ZP", "ZM", "XP", "XM"), min_length=4, max_length=4, description="the four settings, Alice's axis then Bob's"
    )


class BellTest(LinkExperiment[BellTestConfig]):
    """CHSH with Alice along z and x, Bob along (z±x)/√2; every herald is a round, no read-out correction."""

    name = "bell_test"
    title = "Bell test on a heralded link"
    Config = BellTestConfig

    def figures(self, state: LinkState) -> dict[str, Estimate]:
        blocks = [self._block(state, outcome) for outcome in _SIGNS]
        filled = [block for block in blocks if all(sum(c.values()) for c in block["settings"].values())]
        if not filled:
            return {}
        result = bell_test({"blocks": filled})
        p = Estimate(result.p_value, result.p_value, result.p_value, 1.0, float("nan"), result.n, "CHSH game bound")
        return {"chsh_s": result.s, "chsh_p_value": p}

    def truth_names(self) -> Mapping[str, str]:
        return {"chsh_s": "chsh_s_raw", "herald_rate_hz": "herald_rate_hz"}

    def _block(self, state: LinkState, outcome: int) -> dict[str, Any]:
        joint = (state.matching[self.setting_of(basis)].joint[outcome] for basis in self.config.bases)
        return {"settings": dict(zip(_SETTINGS, joint, strict=True)), "signs": list(_SIGNS[outcome])}
