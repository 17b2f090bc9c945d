import numpy as np
import pytest

from erbia.analysis.records import CorrelationHistogram, Estimate, Interval, TimeTags, ValidityMask


def test_time_tags_refuse_floats_and_unequal_lengths() -> None:
    with pytest.raises(TypeError, match="t_ps must be a 1-d int64 array, got float64"):
        TimeTags(np.zeros(3), np.zeros(3, np.uint8))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="3 rows but channel has 2"):
        TimeTags(np.zeros(3, np.int64), np.zeros(2, np.uint8))


def test_selecting_channels_and_stretches() -> None:
    tags = TimeTags(np.array([0, 5, 5, 9], np.int64), np.array([1, 2, 1, 2], np.uint8))
    assert tags.on(1).tolist() == [0, 5]
    assert tags.on(1, 2).tolist() == [0, 5, 5, 9]
    assert tags.between(5, 9).t_ps.tolist() == [5, 5]
    assert len(TimeTags.concatenate([tags, TimeTags.empty()])) == 4


def test_validity_mask_counts_live_time_and_refuses_overlap() -> None:
    mask = ValidityMask((Interval(0, 10), Interval(20, 25)))
    assert mask.live_time_ps() == 15
    assert mask.contains(np.array([-1, 0, 9, 10, 20, 25], np.int64)).tolist() == [False, True, True, False, True, False]
    with pytest.raises(ValueError, match="overlap"):
        ValidityMask((Interval(0, 10), Interval(9, 12)))
    with pytest.raises(ValueError, match="before it starts"):
        Interval(3, 2)


def test_g2_is_one_for_chance_and_nan_without_live_time() -> None:
    counts = np.array([50, 50], np.int64)
    lags = np.array([-100, 0], np.int64)
    assert CorrelationHistogram(lags, counts, 100, 1000, 500, 1_000_000).g2().tolist() == [1.0, 1.0]
    assert np.isnan(CorrelationHistogram(lags, counts, 100, 1000, 500, 0).g2()).all()


def test_estimate_as_json_has_no_nan() -> None:
    plain = Estimate(0.5, 0.4, 0.6, 0.95, float("nan"), 3, "exact").as_dict()
    assert list(plain) == ["value", "lower", "upper", "confidence", "std", "n", "method", "unit"]
    assert plain["std"] is None
