import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erbia.analysis.errors import UsageError
from erbia.analysis.quantity import format_quantity, parse_quantity


@pytest.mark.parametrize(
    ("typed", "unit", "value"),
    [("20 us", "s", 20e-6), ("1.5mW", "W", 1.5e-3), ("5 µs", "s", 5e-6), (3, "s", 3.0), ("2.5e-3 s", "s", 2.5e-3),
     ("-.5 mV", "V", -0.5e-3), ("194.95 THz", "Hz", 194.95e12), ("10", "K", 10.0), ("0.3", "", 0.3)],
)  # fmt: skip
def test_reads_what_people_type(typed: object, unit: str, value: float) -> None:
    assert parse_quantity(typed, unit) == value


@pytest.mark.parametrize("wrong", ["20 um", "fast", "", "nan", "inf s", True, None, "20 us s", "1.2.3 s", "5 W"])
def test_refuses_everything_else_in_one_line(wrong: object) -> None:
    with pytest.raises(UsageError) as caught:
        parse_quantity(wrong, "s")
    assert "\n" not in str(caught.value)


def test_error_names_value_and_expected_unit() -> None:
    with pytest.raises(UsageError, match=r"'5 mW' has unit 'mW', expected s"):
        parse_quantity("5 mW", "s")


@given(st.floats(1e-14, 1e14), st.sampled_from(["s", "W", "Hz", "V"]))
def test_formatted_quantities_read_back(number: float, unit: str) -> None:
    assert math.isclose(parse_quantity(format_quantity(number, unit, 17), unit), number, rel_tol=1e-12)
