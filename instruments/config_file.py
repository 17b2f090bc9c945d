"""YAML files read safely and checked against a pydantic model; every complaint names file, line and what is allowed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError

from .errors import ConfigError

Model = TypeVar("Model", bound=BaseModel)


class Part(BaseModel):
    """Base of every section of a file: frozen, and deaf to unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def read_yaml(path: Path) -> Any:
    """The parsed file with positions kept. Raises ConfigError when missing or not YAML."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    try:
        return YAML(typ="rt", pure=True).load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}" if mark is not None else ""
        raise ConfigError(f"{path}{line}: not valid YAML: {error.problem or error.context}") from error


def check(content: Mapping[str, Any], model: type[Model], place: Callable[[Sequence[str | int]], str]) -> Model:
    """Plain content as a ``model``; ``place`` tells where a key stands.

    Raises:
        ConfigError: one line per problem: ``file:line: key: what, allowed``.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise ConfigError(*(f"{place(e['loc'])}: {explain(e, model)}" for e in error.errors())) from error


def plain(node: Any) -> Any:
    """Plain dicts, lists and scalars of a parsed YAML tree."""
    if isinstance(node, Mapping):
        return {plain(key): plain(value) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [plain(value) for value in node]
    if isinstance(node, bool) or node is None:
        return node
    for kind in (int, float, str):  # the round-trip loader wraps scalars to keep their style
        if isinstance(node, kind):
            return kind(node)
    return node


def line_of(raw: Any, loc: Sequence[str | int]) -> int:
    """1-based line of the deepest part of ``loc`` that exists in the file."""
    line = 1
    for node, part in zip(_nodes(raw, loc), loc, strict=False):
        line = 1 + (node.lc.key(part)[0] if isinstance(node, CommentedMap) else node.lc.item(part)[0])
    return line


def depth_of(raw: Any, loc: Sequence[str | int]) -> int:
    """How many parts of ``loc`` exist in the file."""
    return len(_nodes(raw, loc))


def _nodes(raw: Any, loc: Sequence[str | int]) -> list[Any]:
    """The nodes that hold each part of ``loc``, as far as it exists."""
    found, node = [], raw
    for part in loc:
        known = isinstance(node, CommentedMap) and part in node
        if not known and not (isinstance(node, CommentedSeq) and isinstance(part, int) and part < len(node)):
            break
        found.append(node)
        node = node[part]
    return found


def explain(error: Mapping[str, Any], model: type[BaseModel]) -> str:
    """One pydantic error in words: key, problem, value and what is allowed."""
    loc = [str(part) for part in error["loc"]]
    where = ".".join(loc) or "file"
    if error["type"] == "extra_forbidden":
        allowed = _fields_at(model, error["loc"][:-1])
        near = get_close_matches(loc[-1], allowed, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        return f"unknown key {where!r}{hint} (allowed: {', '.join(allowed) or 'none'})"
    if error["type"] == "missing":
        return f"key {where!r} is missing"
    message = error["msg"].removeprefix("Value error, ")
    return f"{where!r}: {message}" if error["type"] == "value_error" else f"{where!r} = {error['input']!r}: {message}"


def _fields_at(model: type[BaseModel], loc: Sequence[str | int]) -> list[str]:
    """Field names allowed at ``loc`` inside ``model`` (looking through containers of models)."""
    current: type[BaseModel] | None = model
    for part in loc:
        field = current.model_fields.get(str(part)) if current else None
        if field is None:
            continue  # a key of a dict of models: the model stays the same
        current = _model_in(field.annotation)
    return list(current.model_fields) if current else []


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = _model_in(argument)
        if found is not None:
            return found
    return None
