"""What a station file may say about watching the lab: monitors of a run, and calibrations with their age."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from ..analysis.quantity import parse_quantity

Seconds = Annotated[float, BeforeValidator(lambda value: parse_quantity(value, "s"))]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MonitorSection(_Section):
    """While what it watches is not as it should be, the data do not count.

    Attributes:
        parameter: ``instrument.parameter`` read once a block, to be ``equals`` or within ``[minimum, maximum]``
            (a lock, a latch, a temperature); or
        channel: ``node.channel`` whose click rate in a block is to be within ``[minimum, maximum]`` Hz; or
        clock: node whose clock is not to step against that of ``against`` by more than ``maximum`` s in a block.
        sources: nodes whose data stop counting; empty: all.
        latching: once tripped it stays so until somebody resumes the run.
    """

    parameter: str | None = None
    channel: str | None = None
    clock: str | None = None
    against: str = "midpoint"
    equals: bool | float | str | None = None
    minimum: float | None = None
    maximum: float | None = None
    sources: tuple[str, ...] = ()
    latching: bool = False

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        if sum(thing is not None for thing in (self.parameter, self.channel, self.clock)) != 1:
            raise ValueError("a monitor watches one thing: give parameter, channel or clock")
        if self.equals is None and self.minimum is None and self.maximum is None:
            raise ValueError("a monitor needs equals, minimum or maximum")
        return self


class CalibrationSection(_Section):
    """A figure of an experiment that is known for a while.

    Attributes:
        level: what it needs must be of a lower level.
        needs: names of other calibrations that must be fresh.
        experiment, config: the run that takes it; ``check``: keys of the config for the quick check.
        figure: name of the estimate it keeps.
        expires_after_s: how long it is fresh.
        tolerance: how far a check may be off, in the figure's unit, beyond four standard errors.
        sets: ``instrument.parameter`` that gets the value.
    """

    level: int = Field(0, ge=0)
    needs: tuple[str, ...] = ()
    experiment: str
    config: dict[str, Any] = Field(default_factory=dict)
    check: dict[str, Any] = Field(default_factory=dict)
    figure: str
    expires_after_s: Seconds = Field(86400.0, gt=0)
    tolerance: float = Field(0.0, ge=0)
    sets: str | None = None
