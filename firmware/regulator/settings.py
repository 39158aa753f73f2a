"""The settings of the instrument: one table with unit, default, limits and help, and the checks across them."""

# A table reads best with one row a line.
# fmt: off
# name, unit, default, minimum, maximum, help with the condition of a change. Defaults and limits are design choices. A
# range is never narrowed, because a stored set with a value outside counts as lost; one that fails a cross-check is kept.
TABLE = (
    # The limits change with the output off and the chamber vented.
    ("setpoint_max_pa", "Pa", 5_500_000, 200_000, 10_000_000, "highest target; output off, chamber vented"),
    ("trip_pa", "Pa", 6_000_000, 200_000, 10_200_000, "software over-pressure trip: opens the relief valve; output off, chamber vented"),
    ("comparator_pa", "Pa", 6_500_000, 200_000, 10_300_000, "trip of the hardware comparator, as adjusted on the board; output off, chamber vented"),
    ("relief_valve_pa", "Pa", 7_000_000, 200_000, 20_000_000, "set pressure of the mechanical relief valve; output off, chamber vented"),
    ("burst_disc_pa", "Pa", 9_000_000, 200_000, 30_000_000, "burst pressure of the disc; output off, chamber vented"),
    ("chamber_rating_pa", "Pa", 10_000_000, 200_000, 40_000_000, "rated pressure of the chamber; output off, chamber vented"),
    # Tolerances and calibrations change in OFF or SEALED, as a wrong calibration may be the reason for the seal.
    ("control_tolerance_pa", "Pa", 25_000, 0, 500_000, "stated accuracy of the control transducer; output off"),
    ("safety_tolerance_pa", "Pa", 75_000, 0, 500_000, "stated accuracy of the safety transducer with its converter; output off"),
    ("disagreement_pa", "Pa", 50_000, 10_000, 1_000_000, "difference beyond both tolerances that seals the chamber; output off"),
    ("control_zero_pa", "Pa", 0, -500000, 500_000, "control transducer: correction at zero; output off"),
    ("control_span_ppm", "ppm", 0, -20000, 20_000, "control transducer: correction of the span; output off"),
    ("control_zero_tc_pa_k", "Pa/K", 0, -20000, 20_000, "control transducer: correction of zero per kelvin; output off"),
    ("control_span_tc_ppm_k", "ppm/K", 0, -1000, 1_000, "control transducer: correction of the span per kelvin; output off"),
    ("safety_zero_pa", "Pa", 0, -500000, 500_000, "safety transducer: correction at zero; output off"),
    ("safety_span_ppm", "ppm", 0, -20000, 20_000, "safety transducer: correction of the span; output off"),
    ("safety_zero_tc_pa_k", "Pa/K", 0, -20000, 20_000, "safety transducer: correction of zero per kelvin; output off"),
    ("safety_span_tc_ppm_k", "ppm/K", 0, -1000, 1_000, "safety transducer: correction of the span per kelvin; output off"),
    ("supply_zero_pa", "Pa", 0, -500000, 500_000, "supply transducer: correction at zero; output off"),
    ("supply_span_ppm", "ppm", 0, -20000, 20_000, "supply transducer: correction of the span; output off"),
    ("cal_temperature_mk", "mK", 303_150, 253_150, 353_150, "temperature at which the temperature terms are zero; output off"),
    ("control_cal_date", "", 0, 0, 99_991_231, "control transducer: calibration date, YYYYMMDD; output off"),
    ("control_serial", "", 0, 0, 999_999_999, "control transducer: its serial number, digits only; output off"),
    ("control_operator", "", 0, 0, 387_420_488, "control transducer: initials of the operator, up to six letters in base 27; output off"),
    ("safety_cal_date", "", 0, 0, 99_991_231, "safety transducer: calibration date, YYYYMMDD; output off"),
    ("safety_serial", "", 0, 0, 999_999_999, "safety transducer: its serial number, digits only; output off"),
    ("safety_operator", "", 0, 0, 387_420_488, "safety transducer: initials of the operator, up to six letters in base 27; output off"),
    ("supply_cal_date", "", 0, 0, 99_991_231, "supply transducer: calibration date, YYYYMMDD; output off"),
    ("supply_serial", "", 0, 0, 999_999_999, "supply transducer: its serial number, digits only; output off"),
    # All others change at any time.
    ("relief_to_ambient", "", 0, 0, 1, "1: a relief empties the chamber; 0: it stops below the trip"),
    ("ambient_pa", "Pa", 101_325, 50_000, 110_000, "ambient pressure, for the end of a vent and for gauge readings"),
    ("dead_band_pa", "Pa", 5_000, 500, 100_000, "largest error during a hold; a pulse starts just before the error reaches it"),
    ("swing_allowance_pa", "Pa", 3_000, 0, 100_000, "how far an oven swing too large for the dead-band may exceed it, if that is above 2 kPa"),
    ("slew_pa_s", "Pa/s", 20_000, 10, 1_000_000, "ramp rate of the setpoint"),
    ("slew_linear", "", 1, 0, 1, "1: ramp at slew_pa_s; 0: as fast as the valves allow"),
    ("vent_slew_pa_s", "Pa/s", 20_000, 10, 1_000_000, "rate of a vent command"),
    ("in_limits_pa", "Pa", 10_000, 100, 1_000_000, "distance from the target that counts as in limits"),
    ("in_limits_ms", "ms", 5_000, 0, 600_000, "time within in_limits_pa before the pressure counts as in limits"),
    ("pulse_min_us", "us", 7_000, 500, 100_000, "shortest pulse that opens a valve cleanly"),
    ("pulse_max_us", "us", 300_000, 1_000, 300_000, "longest pulse"),
    ("isolation_lead_ms", "ms", 40, 0, 500, "time from opening the isolation valve to the pulse"),
    ("isolation_lag_ms", "ms", 40, 0, 500, "time from the end of the pulse to shutting the isolation valve"),
    ("settle_ms", "ms", 300, 40, 5_000, "wait after a pulse before it is judged, and before the other side may move"),
    ("quiet_max_s", "s", 14_400, 1, 86_400, "longest quiet window"),
    ("quiet_drift_pa", "Pa", 50_000, 1_000, 1_000_000, "drift that ends a quiet window"),
    ("hold_amount", "", 0, 0, 1, "0: hold the pressure; 1: hold the amount of gas, valves shut"),
    ("amount_drift_pa", "Pa", 20_000, 1_000, 1_000_000, "change of the amount of gas, as pressure, that raises a warning"),
    ("safety_invalid_s", "s", 3_600, 0, 604_800, "longest regulation without the safety transducer"),
    ("supply_max_pa", "Pa", 10_000_000, 200_000, 10_290_000, "supply pressure above which fill is inhibited"),
    ("leak_alarm_pa_h", "Pa/h", 5_000, 100, 10_000_000, "loss of gas beyond breathing_pa, over 15 min to 8 h, that raises a warning"),
    ("leak_budget_pa_h", "Pa/h", 200_000, 100, 10_000_000, "loss of gas beyond breathing_pa, over 15 min to 8 h, that seals the chamber"),
    ("gas_budget_pa_h", "Pa/h", 300_000, 10_000, 10_000_000, "gas that may come or go in an hour, besides ramps, vents and what the wall temperature explains"),
    ("reversals_h", "1/h", 60, 1, 100_000, "fills after a vent in an hour, besides ramps and vents, before the chamber is sealed"),
    ("breathing_pa", "Pa", 60_000, 1_000, 2_000_000, "pressure change that the cell's breathing may cause"),
    ("wall_max_mk", "mK", 353_150, 253_150, 400_000, "wall temperature above which a runaway is assumed"),
    ("wall_rate_max_mk_min", "mK/min", 6_000, 100, 100_000, "rise of the wall temperature above which a runaway is assumed"),
    ("runaway_relief", "", 0, 0, 1, "1: a runaway empties the chamber; 0: it seals it"),
    ("cell_safe_any", "", 0, 0, 1, "1: any fault stops the cycler; 0: only over-pressure, burst and runaway"),
    ("host_timeout_s", "s", 0, 0, 604_800, "silence of the host that triggers host_gone_action; 0: never"),
    ("host_gone_action", "", 0, 0, 2, "0: warn; 1: seal the chamber; 2: vent it"),
    ("valve_proof_h", "h", 24, 0, 8_760, "interval of the valve proofs while regulating; 0: only at the start"),
    ("proof_interval_days", "", 365, 1, 3_650, "days in service after which a proof test is overdue"),
    ("proof_lockout", "", 0, 0, 1, "1: no start of regulation while the proof test is overdue"),
    ("resume", "", 1, 0, 1, "1: regulation resumes after a reset, within resume_band_pa; 0: never"),
    ("resume_band_pa", "Pa", 100_000, 1_000, 2_000_000, "largest distance from the predicted pressure for a resume"),
    ("header_echo", "", 0, 0, 1, "1: replies to queries carry their header, as those of a PACE do"),
)
# fmt: on

# When a setting may change follows from its place in the table: a seventh column would take 1 kB of the board's memory.
ANY_TIME, AT_REST, VENTED = range(3)
_VENTED_ROWS = 6
_REST_ROWS = 28  # with those before

# The limits that a person confirms: highest setpoint, trip and rating of the chamber. The state record has them, too.
CONFIRMED = (TABLE[0][0], TABLE[1][0], TABLE[5][0])

# Checks across settings: lower (or a sum), upper, whether both may be equal.
CROSS_CHECKS = (
    ("setpoint_max_pa", "trip_pa", False),
    # Errors that two transducers may have without a fault must not hide the trip.
    ("setpoint_max_pa + disagreement_pa + control_tolerance_pa + safety_tolerance_pa", "trip_pa", False),
    ("trip_pa", "comparator_pa", False),
    ("comparator_pa", "relief_valve_pa", False),
    ("relief_valve_pa", "burst_disc_pa", True),
    ("burst_disc_pa", "chamber_rating_pa", True),
    ("supply_max_pa", "chamber_rating_pa", True),
    ("leak_alarm_pa_h", "leak_budget_pa_h", True),
    ("pulse_min_us", "pulse_max_us", False),
)


class Settings:
    """The present values. A value that fails a check is refused and changes nothing."""

    def __init__(self):
        self._values = {row[0]: row[2] for row in TABLE}
        self.changes = 0  # counts every accepted change

    def get(self, name: str) -> int:
        """Return a value in the unit of its name; KeyError for an unknown name."""
        return self._values[name]

    def items(self):
        """Yield (name, value) in the order of the table."""
        for row in TABLE:
            yield row[0], self._values[row[0]]

    def check(self, name: str, value: int) -> str:
        """Return "" if `name` may be set to `value`, else the reason of the refusal."""
        if name not in self._values:
            return "no setting named " + name
        found = row(name)
        if not found[3] <= value <= found[4]:
            return "%s: %d to %d %s" % (name, found[3], found[4], found[1])
        values = dict(self._values)
        values[name] = value
        return _conflict(values, self._values)

    def conflict(self) -> str:
        """Return the cross-check that the present values fail, or "". Only a set of another version can fail one."""
        return _conflict(self._values, None)

    def set(self, name: str, value: int) -> str:
        """Set a value; return "" or the reason of the refusal."""
        reason = self.check(name, value)
        if not reason and self._values[name] != value:
            self._values[name] = value
            self.changes += 1
        return reason

    def load(self, values: dict) -> str:
        """Take all values of a stored set, or none; return "" or the reason of the refusal.

        Unknown names are ignored. Names that the set lacks keep their defaults. A set that fails a cross-check is
        taken, because the version that stored it may not have had this check; see `conflict`.
        """
        merged = {row[0]: row[2] for row in TABLE}
        for row in TABLE:
            name = row[0]
            if name in values:
                if not row[3] <= values[name] <= row[4]:
                    return "%s: %d to %d %s" % (name, row[3], row[4], row[1])
                merged[name] = values[name]
        self._values = merged
        self.changes += 1
        return ""


def may_change(name: str) -> int:
    """Return when a setting may change: ANY_TIME, AT_REST or VENTED."""
    index = _index(name)
    return VENTED if index < _VENTED_ROWS else AT_REST if index < _REST_ROWS else ANY_TIME


def row(name: str) -> tuple:
    """Return (name, unit, default, minimum, maximum, help); KeyError for an unknown name."""
    return TABLE[_index(name)]


def _index(name: str) -> int:
    for index, row in enumerate(TABLE):
        if row[0] == name:
            return index
    raise KeyError(name)


def _conflict(values: dict, before) -> str:
    """Return the first cross-check that `values` fail, and fail by more than the values `before`, if given.

    So that a set that fails checks can be mended one setting at a time.
    """
    for lower, upper, alike in CROSS_CHECKS:
        excess = _excess(values, lower, upper)
        if excess + (0 if alike else 1) > 0 and (before is None or excess > _excess(before, lower, upper)):
            return "%s must %s %s (%d)" % (
                lower,
                "not be above" if alike else "be below",
                upper,
                values[upper],
            )
    return ""


def _excess(values: dict, lower: str, upper: str) -> int:
    return sum([values[name] for name in lower.split(" + ")]) - values[upper]
