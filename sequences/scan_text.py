"""Scans as one line of text: ``snspd.ch3.bias = 10..18 uA/9; laser.power = log 1..100 uW/5; snake``.

Parts are separated by ``;`` or line ends: an axis (``parameter = values``, slowest first, values as in ``analysis.value_list``) or one
of ``zip``, ``snake``, ``shuffled``, ``shuffled SEED``, ``N times``, ``reference parameter = value every N``. A search is
``highest of parameter = a..b to tolerance`` (or ``lowest of``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ..analysis.errors import UsageError
from ..analysis.quantity import parse_quantity
from ..analysis.value_list import FORMS, parse_values, unit_of, values_text

_AXIS = re.compile(r"([A-Za-z]\w*(?:\.\w+)+)\s*=\s*(.+)")
_SEARCH = re.compile(r"(highest|lowest) of ([A-Za-z]\w*(?:\.\w+)+)\s*=\s*(.+?)\s+to\s+(.+)")
_REFERENCE = re.compile(r"reference ([A-Za-z]\w*(?:\.\w+)+)\s*=\s*(.+?)(?:\s+every\s+(\d+))?")
_SHUFFLED = re.compile(r"shuffled(?:\s+(\d+))?")
_TIMES = re.compile(r"(\d+) times")


def points_of(text: str) -> dict[str, Any]:
    """The scan or search of a text, as its dict. Text that starts with ``{`` is JSON.

    Raises:
        UsageError: a part that cannot be read; says which, and what is allowed.
    """
    if text.lstrip().startswith("{"):
        return _json(text)
    parts = [part.strip() for part in re.split(r"[;\n]", text) if part.strip()]
    if len(parts) == 1 and (search := _SEARCH.fullmatch(parts[0])):
        return _search(*search.groups())
    typed: dict[str, Any] = {"axes": []}
    for part in parts:
        if axis := _AXIS.fullmatch(part):
            typed["axes"].append({"parameter": axis[1], "unit": unit_of(axis[2]), "values": axis[2]})
        else:
            typed |= _option(part, typed)
    if not typed["axes"]:
        raise UsageError(f'no axis in {text!r}; write parameter = values, e.g. "laser.frequency = {FORMS[1:]}')
    return typed


def text_of(points: Mapping[str, Any]) -> str:
    """The inverse: the dict of a scan or search (as ``model_dump`` gives it) as text; JSON where no text says the same."""
    if points.get("method") == "golden_section":
        ends = values_text((points["low"], points["high"]), "").replace(", ", "..")
        return f"{points.get('goal', 'highest')} of {points['parameter']} = {ends} to {points['tolerance']:.12g}"
    if "axes" not in points:
        return json.dumps(dict(points))
    parts = [f"{a['parameter']} = {values_text(a['values'], a.get('unit', ''))}" for a in points["axes"]]
    order, seed, repeats = points.get("order", "forward"), points.get("seed", 0), points.get("repeats", 1)
    parts += ["zip"] if points.get("combine") == "zip" else []
    parts += [f"shuffled {seed}" if order == "shuffled" else order] if order != "forward" else []
    parts += [f"{repeats} times"] if repeats != 1 else []
    reference = points.get("reference") or {"values": {}}
    parts += [f"reference {n} = {json.dumps(v)} every {reference['every']}" for n, v in reference["values"].items()]
    return "; ".join(parts)


def _json(text: str) -> dict[str, Any]:
    try:
        typed: dict[str, Any] = json.loads(text)
    except json.JSONDecodeError as error:
        raise UsageError(f"points: not JSON: {error.msg} at character {error.pos + 1}") from error
    return typed


def _search(goal: str, parameter: str, ends: str, tolerance: str) -> dict[str, Any]:
    unit = unit_of(ends)
    low, high = parse_values(f"{ends}/2", unit)
    within = parse_quantity(tolerance, unit)
    return {
        "method": "golden_section",
        "parameter": parameter,
        "low": low,
        "high": high,
        "tolerance": within,
        "goal": goal,
    }


def _option(part: str, typed: Mapping[str, Any]) -> dict[str, Any]:
    if part == "zip":
        return {"combine": "zip"}
    if part == "snake":
        return {"order": "snake"}
    if shuffled := _SHUFFLED.fullmatch(part):
        return {"order": "shuffled", "seed": int(shuffled[1] or 0)}
    if times := _TIMES.fullmatch(part):
        return {"repeats": int(times[1])}
    if reference := _REFERENCE.fullmatch(part):
        return {"reference": _with_reference(typed.get("reference"), *reference.groups())}
    raise UsageError(
        f"cannot read {part!r}; allowed are parameter = values ({FORMS}), zip, snake, shuffled, shuffled SEED, N times, "
        "reference parameter = value every N, or alone: highest of parameter = a..b to tolerance"
    )


def _with_reference(before: Mapping[str, Any] | None, name: str, value: str, every: str | None) -> dict[str, Any]:
    known = {"true": True, "false": False}
    number = known[value] if value in known else parse_quantity(value, unit_of(value))
    together = {**(before or {}), "values": {**(before or {}).get("values", {}), name: number}}
    return together | ({"every": int(every)} if every else {})
