"""Configs as forms: every field of a pydantic schema, and values that survive being shown and typed."""

from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from pydantic import Field as Declared

from erbia.analysis.errors import UsageError
from erbia.gui.schema import Field, fields, flatten, nest


class Inner(BaseModel):
    window_s: float = Declared(8e-6, gt=0, le=1, json_schema_extra={"unit": "s"}, description="how long")


class Config(BaseModel):
    heralds: int = Declared(300, ge=1, le=1000)
    precision: float | None = Declared(None, gt=0, lt=1)
    bases: tuple[str, ...] = ("XX", "YY")
    times_s: tuple[float, ...] = Declared((1e-6, 2e-6), json_schema_extra={"unit": "s"})
    model: Literal["exponential", "gaussian"] = "gaussian"
    verbose: bool = False
    timing: Inner = Declared(default_factory=Inner)


BY_PATH = {field.path: field for field in fields(Config.model_json_schema())}


def test_every_field_in_its_order() -> None:
    assert list(BY_PATH) == [
        "heralds", "precision", "bases", "times_s", "model", "verbose", "timing.window_s",
    ]  # fmt: skip


def test_kinds_units_help_and_defaults() -> None:
    kinds = [(f.kind, f.many, f.optional) for f in BY_PATH.values()]
    assert kinds == [
        ("integer", False, False),
        ("number", False, True),
        ("string", True, False),
        ("number", True, False),
        ("choice", False, False),
        ("boolean", False, False),
        ("number", False, False),
    ]
    window = BY_PATH["timing.window_s"]
    assert (window.unit, window.help, window.default, window.title, window.group) == (
        "s", "how long", 8e-6, "window", "timing",
    )  # fmt: skip
    assert BY_PATH["model"].choices == ("exponential", "gaussian")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("heralds", "≥ 1 and ≤ 1000"),
        ("precision", "> 0 and < 1"),
        ("timing.window_s", "> 0 s and ≤ 1 s"),
        ("bases", ""),
    ],
)
def test_ranges_in_words(path: str, words: str) -> None:
    assert BY_PATH[path].range_text() == words


@pytest.mark.parametrize(
    ("path", "typed", "value"),
    [
        ("heralds", "250", 250),
        ("precision", "", None),
        ("precision", " 0.02 ", 0.02),
        ("bases", "XX, ZZ,", ["XX", "ZZ"]),
        ("times_s", "1 us, 2e-6 s, 3 µs", [1e-6, 2e-6, 3e-6]),
        ("times_s", "1, 2, 5 ms", [1e-3, 2e-3, 5e-3]),
        ("times_s", "10..20 us/2", [1e-5, 2e-5]),
        ("timing.window_s", "20 us", 20e-6),
    ],
)
def test_values_as_typed(path: str, typed: str, value: object) -> None:
    assert BY_PATH[path].parse(typed) == value


@pytest.mark.parametrize(
    ("path", "typed", "words"),
    [
        ("heralds", "0", "must be ≥ 1"),
        ("heralds", "2.5", "whole number"),
        ("heralds", "", "needs a value"),
        ("precision", "1", "< 1"),
        ("timing.window_s", "20 V", "expected s"),
        ("timing.window_s", "soon", "cannot read"),
        ("times_s", "1 us, x", "cannot read"),
    ],
)
def test_wrong_values_say_what_is_allowed(path: str, typed: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        BY_PATH[path].parse(typed)


@given(st.floats(1e-14, 1e12))
def test_a_shown_number_is_the_number(value: float) -> None:
    field = Field("x", "x", "number", unit="s")
    assert field.parse(field.to_text(value)) == pytest.approx(value, rel=1e-11)


def test_nesting_and_back() -> None:
    flat = {"a": 1, "timing.window_s": 2, "timing.deep.x": 3}
    assert nest(flat) == {"a": 1, "timing": {"window_s": 2, "deep": {"x": 3}}}
    assert flatten(nest(flat)) == flat


def test_the_defaults_make_a_sound_config() -> None:
    values = nest({path: field.default for path, field in BY_PATH.items()})
    assert Config(**values) == Config()
