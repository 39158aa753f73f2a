"""What the columns of a record mean: one row each, with the unit."""

from typing import NamedTuple


class Column(NamedTuple):
    """Unit (empty for a count, a flag or a text) and meaning of a column."""

    unit: str
    meaning: str


COLUMNS = {
    "time_s": Column("s", "time axis of the run: device uptime, continued across restarts of the device"),
    "utc_s": Column("s", "Unix time; a clock that was set meanwhile is taken as right afterwards"),
    "host_s": Column("s", "monotonic clock of the computer"),
    "uptime_s": Column("s", "time since the device started"),
    "boot": Column("", "number of the device's start"),
    "sequence": Column("", "number of the reply since the device started"),
    "state": Column("", "OFF, REGULATE, QUIET, VENT, SEALED, RELIEF or MAINTENANCE"),
    "fault": Column("", "latched fault, or NONE"),
    "in_limits": Column("", "1: close to the target for long enough"),
    "pressure_pa": Column("Pa", "pressure, from the control transducer, filtered"),
    "ramp_pa": Column("Pa", "ramped setpoint, on its way to the target"),
    "target_pa": Column("Pa", "target"),
    "control_pa": Column("Pa", "reading of the control transducer"),
    "safety_pa": Column("Pa", "reading of the safety transducer"),
    "supply_pa": Column("Pa", "supply pressure"),
    "gas_k": Column("K", "gas temperature; nan while the sensor is invalid"),
    "wall_k": Column("K", "wall temperature; nan while the sensor is invalid"),
    "slew_pa_s": Column("Pa/s", "rate of a ramp"),
    "settled_pa": Column("Pa", "pressure once the gas has reached the wall temperature, predicted"),
    "fills": Column("", "fill pulses since the device started"),
    "vents": Column("", "vent pulses since the device started"),
    "fill_open_s": Column("s", "time the fill valve was open since the device started"),
    "vent_open_s": Column("s", "time the vent valve was open since the device started"),
    "warnings": Column("", "bit mask of the active warnings"),
    "cycle": Column(
        "", "with `cycler=`: the cycler's cycle; nan where it has no row near, as in the next three"
    ),
    "charge_ah": Column("Ah", "with `cycler=`: charge in the cell since the cycler's first row"),
    "cell_v": Column("V", "with `cycler=`: voltage of the cell"),
    "cell_a": Column("A", "with `cycler=`: current, charging is positive"),
}
"""All pressures are absolute. A column that is not listed comes from a firmware newer than this package."""
