"""QCoDeS's own drivers, unmodified, over the connection all drivers here have: lock, reconnection, no stale answer.

As they come they live until the first broken connection, and may take a late answer for the next one. Any VISA driver of
QCoDeS can be had this way: ``class Mine(RobustVisa, TheirDriver)``, with their terminator.
"""

from __future__ import annotations

from qcodes.instrument_drivers.Lakeshore import LakeshoreModel336, LakeshoreModel372
from qcodes.instrument_drivers.rohde_schwarz import RohdeSchwarzSGS100A
from qcodes.instrument_drivers.stanford_research import SG384

from .robust_visa import RobustVisa


class RobustLakeshore336(RobustVisa, LakeshoreModel336):
    """Lake Shore 336 temperature controller."""

    default_terminator = "\r\n"
    error_query = None


class RobustLakeshore372(RobustVisa, LakeshoreModel372):
    """Lake Shore 372 resistance bridge and temperature controller."""

    default_terminator = "\r\n"
    error_query = None


class RobustSgs100a(RobustVisa, RohdeSchwarzSGS100A):
    """Rohde & Schwarz SGS100A microwave source. Commands are confirmed by its error queue."""


class RobustSg384(RobustVisa, SG384):
    """Stanford Research SG384 signal generator."""

    error_query = None
