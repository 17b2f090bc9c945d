import pytest
from scipy.stats import poisson

from erbia.analysis.errors import UsageError
from erbia.analysis.poisson import poisson_rate


@pytest.mark.parametrize("n", [0, 1, 5, 400])
def test_interval_is_exact_at_its_ends(n: int) -> None:
    rate = poisson_rate(n, 2.0)
    assert rate.value == n / 2.0
    assert poisson.cdf(n, rate.upper * 2.0) == pytest.approx(0.025)
    if n:
        assert poisson.sf(n - 1, rate.lower * 2.0) == pytest.approx(0.025)
    else:
        assert rate.lower == 0.0


@pytest.mark.parametrize(("n", "live"), [(-1, 1.0), (1, 0.0), (1, float("nan"))])
def test_refuses_what_is_no_rate(n: int, live: float) -> None:
    with pytest.raises(UsageError, match="live time > 0"):
        poisson_rate(n, live)
