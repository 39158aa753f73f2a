"""States, faults and warnings by name, with the sentences that a user reads."""

STATES = ("OFF", "REGULATE", "QUIET", "VENT", "SEALED", "RELIEF", "MAINTENANCE")
OFF, REGULATE, QUIET, VENTING, SEALED, RELIEF, MAINTENANCE = range(7)

# Fault codes. The sentence says what happened, what the device did and what to do.
NO_FAULT, CONTROL_FAILED, CONTROL_RANGE, DISAGREEMENT, OVERPRESSURE, SAFETY_FAILED = range(6)
FAULTS = (
    ("NONE", "", "no fault"),
    (
        "CONTROL_FAILED",
        "Pa",
        "The control transducer's loop is open or shorted; all valves are shut. Check its cable, then acknowledge.",
    ),
    (
        "CONTROL_RANGE",
        "Pa",
        "The control transducer is outside its calibrated range; all valves are shut. Check it, then acknowledge.",
    ),
    (
        "DISAGREEMENT",
        "Pa",
        "The two pressure transducers disagree; all valves are shut. Find out which is right, then acknowledge.",
    ),
    (
        "OVERPRESSURE",
        "Pa",
        "The pressure rose above the trip; the relief valve was opened. Find the cause, then acknowledge.",
    ),
    (
        "SAFETY_FAILED",
        "s",
        "The safety transducer has been invalid for too long; all valves are shut. Repair it, then acknowledge.",
    ),
)

WARNINGS = (
    "SUPPLY_LOW",
    "SAFETY_TRANSDUCER",
    "SUPPLY_TRANSDUCER",
    "GAS_TEMPERATURE",
    "WALL_TEMPERATURE",
    "SETTINGS_LOST",
    "QUIET_DRIFT",
    "BAND_WIDENED",  # the shortest pulses are too coarse for the dead-band that was set
)
(
    SUPPLY_LOW,
    SAFETY_TRANSDUCER,
    SUPPLY_TRANSDUCER,
    GAS_TEMPERATURE,
    WALL_TEMPERATURE,
    SETTINGS_LOST,
    QUIET_DRIFT,
) = (1 << n for n in range(7))
BAND_WIDENED = 1 << 7
