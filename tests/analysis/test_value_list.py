"""Lists of numbers as physicists type them, and back."""

import pytest

from erbia.analysis.errors import UsageError
from erbia.analysis.value_list import parse_values, unit_of, values_text


@pytest.mark.parametrize(
    ("text", "unit", "values"),
    [
        ("-5..5 MHz/3", "Hz", (-5e6, 0.0, 5e6)),
        ("10 us .. 1 ms / 3", "s", (10e-6, 505e-6, 1e-3)),
        ("log 1..100 us/3", "s", (1e-6, 10e-6, 100e-6)),
        ("194.95 THz ± 5 MHz/3", "Hz", (194.95e12 - 5e6, 194.95e12, 194.95e12 + 5e6)),
        ("0 +- 2 V/3", "V", (-2.0, 0.0, 2.0)),
        ("0 +/- 2 V/3", "V", (-2.0, 0.0, 2.0)),
        ("1, 2, 5 ms", "s", (1e-3, 2e-3, 5e-3)),
        ("20 us, 1 ms", "s", (20e-6, 1e-3)),
        ("1, 2", "s", (1.0, 2.0)),
        ("1e-3..2e-3/2", "s", (1e-3, 2e-3)),
        ("0.1..0.3/3", "", (0.1, 0.2, 0.3)),
        ("7 uA", "A", (7e-6,)),
    ],
)
def test_values_are_read_as_typed(text: str, unit: str, values: tuple[float, ...]) -> None:
    assert parse_values(text, unit) == pytest.approx(values, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("-5..5 MHz", "how many points"),
        ("1..2..3/4", "no range"),
        ("1..2 MHz/0", "allowed is 1 to"),
        ("1..2 MHz/2000000", "allowed is 1 to"),
        ("log 0..5 MHz/3", "above 0"),
        ("log 1, 2, 3", "log needs a range"),
        ("log 5 ± 1 MHz/3", "two ends"),
        ("1 MHz, 2, 3 kHz", "every number its unit, or only the last"),
        ("1, two, 3", "cannot read 'two' as a number"),
        ("1..2 V/3", "expected Hz"),
        ("", "cannot read ''"),
    ],
)
def test_what_cannot_be_read_says_what_is_allowed(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        parse_values(text, "Hz")


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("-5..5 MHz/21", "Hz"),
        ("1, 2, 5 ms", "s"),
        ("10..18 uA/9", "A"),
        ("log 1e-6..1 W/3", "W"),
        ("1, 2e3", ""),
        ("3 mT", "T"),
    ],
)
def test_the_base_unit_is_told_from_the_text(text: str, unit: str) -> None:
    assert unit_of(text) == unit


def test_an_unknown_unit_is_named() -> None:
    with pytest.raises(UsageError, match="'parsec' is not known"):
        unit_of("1..2 parsec/3")


@pytest.mark.parametrize(
    ("values", "unit", "text"),
    [
        ((10e-6, 12e-6, 14e-6), "A", "10 µA..14 µA/3"),
        ((1.0, 10.0, 100.0), "", "log 1..100/3"),
        ((1e-3, 2e-3, 5e-3), "s", "1 ms, 2 ms, 5 ms"),
        ((0.5,), "V", "500 mV"),
    ],
)
def test_values_are_written_the_short_way_and_read_back(values: tuple[float, ...], unit: str, text: str) -> None:
    assert values_text(values, unit) == text
    assert parse_values(text, unit) == pytest.approx(values, rel=1e-11)
