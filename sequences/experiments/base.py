"""What an experiment is: a typed config, a plan, and a fold over the blocks of data.

``build`` says what to do (values only). ``begin``, ``step`` and ``result`` turn data into numbers; the runner folds them
over blocks as they arrive, ``analyze`` over the blocks of a file, so live and offline numbers are the same. None of
them touches hardware, a file or a clock.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field
from enum import Enum
from math import inf
from typing import Annotated, Any, ClassVar, Generic, Self, TypeVar

from numpy.typing import NDArray
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from ...analysis.quantity import parse_quantity
from ...analysis.records import Estimate, TagBlock
from ...analysis.value_list import parse_values
from ...instruments.expected import ExpectedSection
from ...instruments.interfaces import Node
from ..documents import Result
from ..sequence import Sequence


def quantity(unit: str) -> tuple[BeforeValidator, Any]:
    """Pydantic annotations of a number in ``unit`` that may be typed with a prefix (``"20 us"``)."""
    return BeforeValidator(lambda value: parse_quantity(value, unit)), Field(json_schema_extra={"unit": unit})


Seconds = Annotated[float, *quantity("s")]
Watts = Annotated[float, *quantity("W")]
Amperes = Annotated[float, *quantity("A")]
Volts = Annotated[float, *quantity("V")]
Teslas = Annotated[float, *quantity("T")]
Hertz = Annotated[float, *quantity("Hz")]


def value_list(unit: str) -> BeforeValidator:
    """Pydantic annotation of a list of numbers that may be typed as text (``"20..2400 us/9"``)."""
    return BeforeValidator(lambda typed: parse_values(typed, unit) if isinstance(typed, str) else typed)


SecondsList = Annotated[tuple[Seconds, ...], value_list("s")]
VoltsList = Annotated[tuple[Volts, ...], value_list("V")]
NumberList = Annotated[tuple[float, ...], value_list("")]


def to_ps(seconds: float) -> int:
    """Seconds as whole picoseconds."""
    return round(seconds * 1e12)


class ExperimentConfig(BaseModel):
    """Base of every experiment's configuration: frozen, unknown keys refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class Setting:
    """One stretch of a run in which nothing is changed: parameters applied first, then the sequence played.

    ``parameters`` maps ``instrument.parameter`` (or a role instead of the instrument) to its value; ``read`` names
    parameters whose values are read when the setting ends and handed to ``Experiment.take_readings``. ``units`` are those the user
    typed values in, by parameter; another unit than the instrument's is refused before the run.
    """

    name: str
    sequence: Sequence | None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    read: tuple[str, ...] = ()
    units: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """The settings of a run, in order, and which nodes' taggers are recorded."""

    settings: tuple[Setting, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Demand:
    """What a setting of the plan waits for, for the budget before the run: all that is named, but at most ``longest_s``.

    Attributes:
        heralds: of the setting's branch.
        bursts: plays of its sequence.
        clicks: on ``channel``, written ``node.channel``.
        time_s: live time.
        longest_s: after this the run goes on in any case.
        fidelity_std: standard error of the fidelity that ends the run; inf: none does; None: it is not measured.
    """

    heralds: int = 0
    bursts: int = 0
    clicks: int = 0
    channel: str = ""
    time_s: float = 0.0
    longest_s: float = inf
    fidelity_std: float | None = None


class Action(Enum):
    """What the data ask the runner to do next."""

    CONTINUE = "continue"
    NEXT_SETTING = "next setting"
    FINISH = "finish"


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a run is, 0..1, and in words."""

    fraction: float
    message: str = ""


C = TypeVar("C", bound=ExperimentConfig)
S = TypeVar("S")


class Experiment(ABC, Generic[C, S]):
    """One named recipe; ``on`` binds it to the sites of a lab, by name, before anything else is called.

    Class attributes:
        name: as typed on the command line.
        title: as shown.
        Config: the pydantic model of its configuration.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    Config: ClassVar[type[ExperimentConfig]]

    def __init__(self, config: C) -> None:
        self.config = config
        self.nodes: Mapping[str, Node] = {}

    def on(self, nodes: Mapping[str, Node]) -> Self:
        """The same experiment, bound to the sites of a lab (or of a file)."""
        bound = copy(self)
        bound.nodes = nodes
        return bound

    @abstractmethod
    def build(self) -> Plan:
        """The plan. Pure: the same config and nodes give the same plan."""

    def demands(self) -> tuple[Demand, ...]:
        """What each setting of the plan waits for, in the plan's order; empty where that cannot be told beforehand."""
        return ()

    def later_s(self) -> float | None:
        """Time of the settings beyond the plan, those ``next_setting`` decides; None where their number is not known before."""
        return 0.0

    def predict(self, expected: ExpectedSection) -> Mapping[str, float]:
        """Results to be expected of the lab's hardware, by the names of the estimates (rate and fidelity are added)."""
        return {}

    @abstractmethod
    def begin(self) -> S:
        """State before any data."""

    @abstractmethod
    def step(self, state: S, setting: int, block: TagBlock) -> tuple[S, Action]:
        """State after one more block, taken during the setting of that index, and what to do next."""

    def take_readings(self, state: S, setting: int, readings: Mapping[str, float]) -> S:
        """State after the values a setting asked for (``Setting.read``) came in, right after its last block."""
        return state

    def next_setting(self, state: S) -> Setting | None:
        """The setting after those played so far, decided from the data, once the plan is through; None: that is all."""
        return None

    @abstractmethod
    def result(self, state: S) -> Result:
        """What the data so far say."""

    @abstractmethod
    def standing(self, state: S) -> Standing:
        """How far the run is."""

    def truth_names(self) -> Mapping[str, str]:
        """Which hidden value of a simulated lab each estimate stands for; only ever shown beside it, never analysed."""
        return {}

    def derived_truth(self, hidden: Mapping[str, float], estimates: Mapping[str, Estimate]) -> Mapping[str, float]:
        """Truth of estimates that stand for no single hidden value, put together from several or from when they were measured."""
        return {}

    def herald_rows(self, state: S) -> list[NDArray[Any]]:
        """Hands over the herald tables (HERALD_DTYPE) found since the last call, in order; empty without heralds."""
        return []

    def shortfall(self, state: S) -> str:
        """Why the run has no answer (an honest negative), or an empty string."""
        return ""
