"""The JSON schema of an experiment's config as a flat list of fields, and their values as people type them. No Qt."""

from __future__ import annotations

import json
from collections.abc import Container, Iterator
from dataclasses import dataclass
from typing import Any

from ..analysis.errors import UsageError
from ..analysis.quantity import format_quantity, parse_quantity
from ..analysis.value_list import parse_values, values_text
from ..sequences.scan_text import text_of
from .scan_text import preview, read_points, span

_NUMBERS = ("number", "integer")
_KINDS = {"number", "integer", "boolean", "string", "json"}
_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Field:
    """One input of a form.

    Attributes:
        path: dotted place in the config; what the engine's refusals name.
        kind: ``number``, ``integer``, ``boolean``, ``string`` or ``choice``, of the items when ``many``; ``scan`` is
            typed as one line (``sequences.scan_text``), ``json`` anything else that is nested, typed as JSON.
        many: a list of values, typed with commas, or numbers as a range (``analysis.value_list``).
        optional: may be left empty (None).
        lower, upper: inclusive unless ``open_lower``, ``open_upper``.
    """

    path: str
    title: str
    kind: str
    help: str = ""
    unit: str = ""
    default: Any = None
    many: bool = False
    optional: bool = False
    choices: tuple[Any, ...] = ()
    lower: float | None = None
    upper: float | None = None
    open_lower: bool = False
    open_upper: bool = False

    @property
    def group(self) -> str:
        """Dotted path of what the field is part of; empty at the top."""
        return self.path.rpartition(".")[0]

    def range_text(self) -> str:
        """What is allowed, in words; empty when anything is."""
        parts = []
        if self.lower is not None:
            parts.append(f"{'>' if self.open_lower else '≥'} {self._number_text(self.lower)}")
        if self.upper is not None:
            parts.append(f"{'<' if self.open_upper else '≤'} {self._number_text(self.upper)}")
        return " and ".join(parts)

    def to_text(self, value: Any) -> str:
        """The value as the form shows it; ``parse`` is the inverse."""
        if value is None:
            return ""
        if self.kind == "scan":
            return value if isinstance(value, str) else text_of(value)
        if self.many and self.kind in _NUMBERS:
            return values_text(value, self.unit)
        if self.many:
            return ", ".join(self._item_text(item) for item in value)
        return self._item_text(value)

    def parse(self, text: str) -> Any:
        """The value of a text. Raises UsageError saying what is allowed."""
        text = text.strip()
        if not text:
            if self.optional:
                return None
            raise UsageError("needs a value")
        if self.kind == "scan":
            return read_points(text)
        if self.many and self.kind in _NUMBERS:
            return [self._checked(number) for number in parse_values(text, self.unit)]
        if self.many:
            return [part.strip() for part in text.split(",") if part.strip()]
        return self._parse_item(text)

    def preview(self, text: str) -> str:
        """What a text that is short for more spells out; empty for any other, and for one that cannot be read."""
        try:
            if self.kind == "scan":
                return preview(text)
            if self.many and self.kind in _NUMBERS and any(mark in text for mark in ("..", "±", "+-")):
                numbers = parse_values(text, self.unit)
                return f"{len(numbers)} values: {span(numbers, self.unit)}"
        except UsageError:
            return ""
        return ""

    def _parse_item(self, text: str) -> Any:
        if self.kind == "json":
            try:
                return json.loads(text)
            except json.JSONDecodeError as error:
                raise UsageError(f"not JSON: {error.msg} at character {error.pos + 1}") from error
        if self.kind in _NUMBERS:
            return self._checked(parse_quantity(text, self.unit))
        return text

    def _checked(self, number: float) -> float:
        if self.kind == "integer" and number != int(number):
            raise UsageError(f"{number:g} is not a whole number")
        low = self.lower is not None and (number <= self.lower if self.open_lower else number < self.lower)
        high = self.upper is not None and (number >= self.upper if self.open_upper else number > self.upper)
        if low or high:
            raise UsageError(f"must be {self.range_text()}")
        return int(number) if self.kind == "integer" else number

    def _item_text(self, value: Any) -> str:
        if self.kind == "json":
            return json.dumps(value, ensure_ascii=False)
        return self._number_text(value) if self.kind in _NUMBERS else str(value)

    def _number_text(self, value: float) -> str:
        return format_quantity(value, self.unit, _DIGITS) if self.unit else f"{value:.{_DIGITS}g}"


def fields(schema: dict[str, Any]) -> list[Field]:
    """All fields of a config's JSON schema, those of nested configs included, in their order."""
    return list(_walk(schema, schema.get("$defs", {}), ""))


def nest(flat: dict[str, Any]) -> dict[str, Any]:
    """``{"timing.window_s": 1}`` → ``{"timing": {"window_s": 1}}``."""
    nested: dict[str, Any] = {}
    for path, value in flat.items():
        *groups, name = path.split(".")
        place = nested
        for group in groups:
            place = place.setdefault(group, {})
        place[name] = value
    return nested


def flatten(nested: dict[str, Any], whole: Container[str] = (), prefix: str = "") -> dict[str, Any]:
    """The inverse of ``nest``; what is at a path in ``whole`` stays in one piece."""
    flat: dict[str, Any] = {}
    for name, value in nested.items():
        if isinstance(value, dict) and prefix + name not in whole:
            flat |= flatten(value, whole, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value
    return flat


def _walk(schema: dict[str, Any], definitions: dict[str, Any], prefix: str) -> Iterator[Field]:
    for name, given in schema.get("properties", {}).items():
        spec, optional = _resolve(given, definitions)
        if "properties" in spec and (optional or _is_union(given)):
            kind = "scan" if given.get("typed") == "scan" else "json"
            yield Field(f"{prefix}{name}", name.replace("_", " "), kind, _help(given), default=given.get("default"), optional=optional)  # fmt: skip
        elif "properties" in spec:
            yield from _walk(spec, definitions, f"{prefix}{name}.")
        else:
            yield _field(f"{prefix}{name}", spec, definitions, optional)


def _is_union(given: dict[str, Any]) -> bool:
    return len([option for option in given.get("anyOf", ()) if option.get("type") != "null"]) > 1


def _help(given: dict[str, Any]) -> str:
    return str(given.get("description", ""))


def _resolve(given: dict[str, Any], definitions: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """The schema with references followed and ``X | None`` reduced to X; whether None was allowed."""
    spec, optional = dict(given), False
    if "anyOf" in spec:
        options = spec.pop("anyOf")
        optional = any(o.get("type") == "null" for o in options)
        spec = next((o for o in options if o.get("type") != "null"), {}) | spec
    if "$ref" in spec:
        spec = definitions[spec.pop("$ref").rsplit("/", 1)[1]] | spec
    return spec, optional


def _field(path: str, spec: dict[str, Any], definitions: dict[str, Any], optional: bool) -> Field:
    item = _resolve(spec.get("items") or {}, definitions)[0] if spec.get("type") == "array" else spec
    nested = (
        spec.get("type") == "object"
        or "anyOf" in item
        or (item.get("type") in ("object", "array") and item is not spec)
    )
    many = spec.get("type") == "array" and not nested
    choices = tuple(item.get("enum", ())) or ((item["const"],) if "const" in item else ())
    kind = "json" if nested else "choice" if choices and not many else item.get("type", "string")
    return Field(
        path=path,
        title=path.rpartition(".")[2]
        .removesuffix(f"_{item.get('unit', spec.get('unit', 's')).lower()}")
        .replace("_", " "),
        kind=kind if kind in _KINDS or kind == "choice" else "string",
        help=spec.get("description", ""),
        unit=item.get("unit", spec.get("unit", "")),
        default=spec.get("default"),
        many=many,
        optional=optional,
        choices=choices,
        lower=item.get("minimum", item.get("exclusiveMinimum")),
        upper=item.get("maximum", item.get("exclusiveMaximum")),
        open_lower="exclusiveMinimum" in item,
        open_upper="exclusiveMaximum" in item,
    )
