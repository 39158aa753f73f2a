"""States, faults and warnings by name, with the sentences that a user reads."""

STATES = ("OFF", "REGULATE", "QUIET", "VENT", "SEALED", "RELIEF", "MAINTENANCE")
OFF, REGULATE, QUIET, VENTING, SEALED, RELIEF, MAINTENANCE = range(7)

# Fault codes, in the order of the fault matrix. The sentence says what happened, what the device did and what to do.
(
    NO_FAULT,
    CONTROL_OPEN,
    CONTROL_SHORTED,
    CONTROL_RANGE,
    TRANSDUCER_FROZEN,
    DISAGREEMENT,
    PORT_BLOCKED,
    ADC_DEAD,
    FILL_STUCK_OPEN,
    FILL_STUCK_SHUT,
    VENT_STUCK_OPEN,
    COIL_DEAD,
    COIL_SHORTED,
    LEAK_BUDGET,
    LINE_BURST,
    OVERPRESSURE,
    POWER,
    REBOOT_LOOP,
    HOST_GONE,
    RUNAWAY,
    SAFETY_FAILED,
    RELIEF_STUCK_OPEN,
    COMPARATOR_TRIPPED,
    RAIL_LOST,
    CONTROL_ERRATIC,
) = range(25)
_SEALED = "; all valves are shut. "
_ACKNOWLEDGE = ", then acknowledge."
# Name, unit of its value, what happened, remedy. A sentence is put together when asked for: all of them would take
# 5 kB of the board's memory.
FAULTS = (
    ("NONE", "", "no fault", ""),
    ("CONTROL_OPEN", "Pa", "The control transducer's loop is open", "Check its cable"),
    ("CONTROL_SHORTED", "Pa", "The control transducer's loop is shorted or saturated", "Check its cable"),
    ("CONTROL_RANGE", "Pa", "The control transducer is outside its calibrated range", "Check it"),
    (
        "TRANSDUCER_FROZEN",
        "Pa",
        "A pressure transducer does not move while pulses move the other one",
        "Replace the one that stands still",
    ),
    ("DISAGREEMENT", "Pa", "The two pressure transducers disagree", "Find out which is right"),
    (
        "PORT_BLOCKED",
        "Pa",
        "A pressure transducer follows pulses much less than the other one",
        "Clear its sensing port",
    ),
    ("ADC_DEAD", "", "The converter of the control transducer does not answer", "Check its bus and supply"),
    (
        "FILL_STUCK_OPEN",
        "Pa",
        "The pressure rose with the fill valve shut: a valve of the fill side is stuck open",
        "Shut the supply by hand and clean or replace the fill valve and its isolation",
    ),
    (
        "FILL_STUCK_SHUT",
        "us",
        "Five growing fill pulses had no effect: fill valve, its isolation or restrictor is shut",
        "Check them and the supply",
    ),
    (
        "VENT_STUCK_OPEN",
        "Pa",
        "The pressure fell with the vent valve shut: a valve of the vent side is stuck open, or a line"
        " is broken",
        "Clean or replace the vent valve and its isolation",
    ),
    ("COIL_DEAD", "", "A valve's coil draws no current although it is switched on", "Check its wiring"),
    (
        "COIL_SHORTED",
        "",
        "A valve's coil is on, or broken, although it is switched off, so the coil rail was cut",
        "Check its transistor and wiring",
    ),
    (
        "LEAK_BUDGET",
        "Pa",
        "The chamber loses more gas than the leak budget allows",
        "Find the leak; the gas that is left is kept in",
    ),
    (
        "LINE_BURST",
        "Pa",
        "The pressure falls faster than the vent valve could let it: a line burst or the relief valve is open",
        "Find the break",
    ),
    (
        "OVERPRESSURE",
        "Pa",
        "The pressure rose above the trip; fill is shut and the relief valve was opened. Find the cause, then"
        " acknowledge.",
        "",
    ),
    (
        "POWER",
        "Pa",
        "The device restarted in the middle of a run and what it found did not allow it to go on",
        "Compare the pressures, find the cause of the restart",
    ),
    (
        "REBOOT_LOOP",
        "",
        "The device restarted again and again; it keeps its output off and only talks. Check its power supply, then"
        " acknowledge.",
        "",
    ),
    ("HOST_GONE", "s", "No host has spoken for the time that was set", "Start the host again"),
    (
        "RUNAWAY",
        "mK",
        "The wall is hotter, or heats faster, than its limit; the cycler was stopped and all valves are shut. Cool"
        " the chamber, check cell and oven, then acknowledge.",
        "",
    ),
    ("SAFETY_FAILED", "s", "The safety transducer has been invalid for too long", "Repair it"),
    (
        "RELIEF_STUCK_OPEN",
        "Pa",
        "The pressure goes on falling although the relief valve was shut again",
        "Clean or replace the relief valve",
    ),
    (
        "COMPARATOR_TRIPPED",
        "Pa",
        "The hardware comparator tripped: it cut the fill side and opened the relief valve by itself. Find the cause,"
        " then acknowledge.",
        "",
    ),
    ("RAIL_LOST", "", "The coil rail is off although the heartbeat runs", "Check fuse and coil supply"),
    (
        "CONTROL_ERRATIC",
        "Pa",
        "The control transducer's readings jump to and fro as no pressure can",
        "Check its cable, its shield and its converter",
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
    "SUPPLY_HIGH",  # fill is inhibited
    "TRANSDUCER_STILL",  # the control transducer's counts have not changed for long
    "REFERENCE_DRIFT",  # the converter reads its reference wrongly
    "VENT_SHUT",  # five growing vent pulses had no effect; vent commands use the relief valve
    "PAIR_OPEN",  # a valve of a pair did not keep tight alone; :DIAGnostic:VALVe<n>:PROof? tells which
    "GAS_GAINED",  # more gas than was let in: the fill side leaks, or the cell gasses
    "LEAK",  # less gas than there should be: an external leak, or valves of the vent side or the relief leak
    "VALVE_WORN",  # a learned gain has drifted
    "PROOF_OVERDUE",
    "HOST_SILENT",
    "RESUMED",  # regulation went on by itself after a reset; until the output is switched
    "STATE_LOST",  # the state record could not be read or written
    "AMOUNT_DRIFT",  # holding the amount of gas: it has changed by more than amount_drift_pa
)
(
    SUPPLY_LOW,
    SAFETY_TRANSDUCER,
    SUPPLY_TRANSDUCER,
    GAS_TEMPERATURE,
    WALL_TEMPERATURE,
    SETTINGS_LOST,
    QUIET_DRIFT,
    BAND_WIDENED,
    SUPPLY_HIGH,
    TRANSDUCER_STILL,
    REFERENCE_DRIFT,
    VENT_SHUT,
    PAIR_OPEN,
    GAS_GAINED,
    LEAK,
    VALVE_WORN,
    PROOF_OVERDUE,
    HOST_SILENT,
    RESUMED,
    STATE_LOST,
    AMOUNT_DRIFT,
) = (1 << n for n in range(21))


def sentence(fault: int) -> str:
    """What happened, what the device did, what to do."""
    _, _, what, remedy = FAULTS[fault]
    return what + _SEALED + remedy + _ACKNOWLEDGE if remedy else what
