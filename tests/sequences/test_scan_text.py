"""Scans typed as one line: the same value as the dict, and back to text."""

import pytest
from pydantic import TypeAdapter, ValidationError

from erbia.sequences.experiments.scan import ScanConfig
from erbia.sequences.experiments.storage_time import StorageTimeConfig
from erbia.sequences.lab import split_settings
from erbia.sequences.scan import GoldenSection, Points, Reference, Scan, Search, centred, linear, listed, logarithmic
from erbia.sequences.scan_text import text_of

ANY: TypeAdapter[Scan | Search] = TypeAdapter(Points)
BIAS = linear("snspd.ch3.bias", 10e-6, 18e-6, 9, "A")
CASES: list[tuple[str, Scan | Search]] = [
    ("snspd.ch3.bias = 10..18 uA/9", Scan(axes=(BIAS,))),
    ("laser.power = log 1 uW..1 mW/4", Scan(axes=(logarithmic("laser.power", 1e-6, 1e-3, 4, "W"),))),
    ("laser.frequency = 194.95 THz ± 5 MHz/5", Scan(axes=(centred("laser.frequency", 194.95e12, 10e6, 5, "Hz"),))),
    (
        "a.b = 1, 2; c.d = 3, 4 V; zip",
        Scan(axes=(listed("a.b", [1, 2]), listed("c.d", [3, 4], "V")), combine="zip"),
    ),
    (
        "a.b = 1, 3; snspd.ch3.bias = 10..18 uA/9\nsnake; 3 times; reference laser.emission = false every 4",
        Scan(
            axes=(listed("a.b", [1, 3]), BIAS),
            order="snake",
            repeats=3,
            reference=Reference(values={"laser.emission": False}, every=4),
        ),
    ),
    ("a.b = 1, 2, 5 ms; shuffled 7", Scan(axes=(listed("a.b", [1e-3, 2e-3, 5e-3], "s"),), order="shuffled", seed=7)),
    (
        "lowest of laser.frequency = -5..5 MHz to 100 kHz",
        GoldenSection(parameter="laser.frequency", low=-5e6, high=5e6, tolerance=1e5, goal="lowest"),
    ),
]


@pytest.mark.parametrize(("text", "points"), CASES)
def test_a_line_of_text_is_the_scan(text: str, points: Scan | Search) -> None:
    assert ANY.validate_python(text) == points


@pytest.mark.parametrize(("text", "points"), CASES)
def test_a_scan_is_written_as_text_that_reads_back(text: str, points: Scan | Search) -> None:
    again = ANY.validate_python(text_of(points.model_dump(mode="json")))
    assert again.model_dump(exclude={"axes"}) == points.model_dump(exclude={"axes"})
    for mine, theirs in zip(getattr(again, "axes", ()), getattr(points, "axes", ()), strict=True):
        assert (mine.parameter, mine.unit) == (theirs.parameter, theirs.unit)
        assert mine.values == pytest.approx(theirs.values, rel=1e-11)


def test_another_search_is_written_as_json() -> None:
    assert text_of({"method": "walk", "steps": 3}) == '{"method": "walk", "steps": 3}'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a.b = 1, 2; c.d = 3, 4, 6; zip", "equal lengths"),
        ("a.b = 1..2", "how many points"),
        ("a.b = 1, 2; sideways", "cannot read 'sideways'; allowed are"),
        ("snake", "no axis in"),
        ("", "no axis in"),
        ("{axes", "not JSON"),
        ("highest of a.b = 5..1 MHz to 1 kHz", "must lie below"),
    ],
)
def test_what_cannot_be_read_is_one_clear_line(text: str, says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        ANY.validate_python(text)


def test_the_command_line_passes_text_through() -> None:
    typed, _ = split_settings(["points=snspd.ch3.bias = 10..18 uA/9"], ["snspd", "laser"])
    assert ScanConfig(**typed).points == Scan(axes=(BIAS,))


def test_lists_of_times_are_typed_the_same_way() -> None:
    assert StorageTimeConfig.model_validate({"storage_times_s": "1, 2, 5, 10 us"}).storage_times_s == pytest.approx(
        (1e-6, 2e-6, 5e-6, 10e-6)
    )
    with pytest.raises(ValidationError, match="how many points"):
        StorageTimeConfig.model_validate({"storage_times_s": "1..5 us"})
    with pytest.raises(ValidationError, match="at least 4"):
        StorageTimeConfig.model_validate({"storage_times_s": "1..5 us/3"})
