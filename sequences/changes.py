"""Every change of a parameter while a run goes on, whoever makes it: window, script or the plan itself."""

from __future__ import annotations

import json
from collections import deque
from types import TracebackType
from typing import Any, Self

from qcodes.parameters import ParameterBase

from .run_file import dotted_name, plain_value


class ParameterChanges:
    """Listens to QCoDeS while it is entered; ``taken`` hands out what came since the last time. From any thread."""

    def __init__(self) -> None:
        self._texts: deque[str] = deque()
        self._before: Any = None

    def __enter__(self) -> Self:
        self._before = ParameterBase.global_on_set_callback
        ParameterBase.global_on_set_callback = self._note
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        ParameterBase.global_on_set_callback = self._before

    def taken(self) -> list[str]:
        """JSON objects ``{"parameter", "value", "unit"}``, oldest first."""
        return [self._texts.popleft() for _ in range(len(self._texts))]

    def _note(self, parameter: ParameterBase, value: Any) -> None:
        if parameter.instrument is not None:
            unit = getattr(parameter, "unit", "")
            told = {"parameter": dotted_name(parameter), "value": plain_value(value), "unit": unit}
            self._texts.append(json.dumps(told))
