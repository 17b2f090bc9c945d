"""What all mock instruments share: a place in the simulated lab, and an honest name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from qcodes import validators as vals
from qcodes.instrument import Instrument

from ..twin import World

if TYPE_CHECKING:
    from typing import Unpack

    from qcodes.instrument import InstrumentBaseKWArgs


class MockInstrument(Instrument):
    """A QCoDeS instrument that is one component of a simulated lab.

    Args:
        name: QCoDeS name.
        world: the lab it belongs to.
        component: which component of the lab it is; the name when not given.
    """

    needs_world: ClassVar[bool] = True

    def __init__(
        self, name: str, world: World, component: str | None = None, **kwargs: Unpack[InstrumentBaseKWArgs]
    ) -> None:
        super().__init__(name, **kwargs)
        self.world = world
        self.component = component or name

    def get_idn(self) -> dict[str, str | None]:
        return {
            "vendor": "erbia",
            "model": f"{type(self).__name__} (SIMULATED)",
            "serial": self.component,
            "firmware": None,
        }

    def _get(self, parameter: str) -> Callable[[], float]:
        return partial(self.world.get, self.component, parameter)

    def _set(self, parameter: str) -> Callable[[Any], None]:
        return partial(self.world.set, self.component, parameter)


def emission(instrument: MockInstrument) -> Any:
    """Adds the parameter ``emission`` of anything that shines."""
    world, component = instrument.world, instrument.component
    return instrument.add_parameter(
        "emission",
        vals=vals.Bool(),
        get_cmd=lambda: bool(world.get(component, "emission")),
        set_cmd=lambda on: world.set(component, "emission", float(on)),
    )
