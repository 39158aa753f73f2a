"""Faults and warnings, one row each."""

# A table reads best with one row a line.
# fmt: off
# Reactions: none; shut every valve; open the relief valve; one of the two, by `runaway_relief`; keep the output off.
NOTHING, SEALS, RELIEVES, SEALS_OR_RELIEVES, STAYS_OFF = range(5)

(
    NO_FAULT, CONTROL_OPEN, CONTROL_SHORTED, CONTROL_RANGE, TRANSDUCER_FROZEN, DISAGREEMENT, PORT_BLOCKED, ADC_DEAD,
    FILL_STUCK_OPEN, FILL_STUCK_SHUT, VENT_STUCK_OPEN, COIL_DEAD, COIL_SHORTED, LEAK_BUDGET, LINE_BURST,
    OVERPRESSURE, POWER, REBOOT_LOOP, HOST_GONE, RUNAWAY, SAFETY_FAILED, RELIEF_STUCK_OPEN, COMPARATOR_TRIPPED,
    RAIL_LOST, CONTROL_ERRATIC, GAS_CHASED,
) = range(26)

# Code, name, unit of its value, reaction, always stops the cycler, what happened, what to do.
# sentence() joins the texts on request: all sentences would take 5 kB of the board's memory.
FAULTS = (
    (NO_FAULT, "NONE", "", NOTHING, False, "no fault", ""),
    (CONTROL_OPEN, "CONTROL_OPEN", "Pa", SEALS, False, "The control transducer's loop is open", "Check its cable"),
    (CONTROL_SHORTED, "CONTROL_SHORTED", "Pa", SEALS, False, "The control transducer's loop is shorted or saturated", "Check its cable"),
    (CONTROL_RANGE, "CONTROL_RANGE", "Pa", SEALS, False, "The control transducer is outside its calibrated range", "Check it"),
    (TRANSDUCER_FROZEN, "TRANSDUCER_FROZEN", "Pa", SEALS, False, "A pressure transducer does not respond to pulses that the other one measures", "Replace the frozen transducer"),
    (DISAGREEMENT, "DISAGREEMENT", "Pa", SEALS, False, "The two pressure transducers disagree", "Find out which one is right"),
    (PORT_BLOCKED, "PORT_BLOCKED", "Pa", SEALS, False, "A pressure transducer responds to pulses much less than the other one", "Clear its sensing port"),
    (ADC_DEAD, "ADC_DEAD", "", SEALS, False, "The converter of the control transducer does not answer", "Check its bus and supply"),
    (FILL_STUCK_OPEN, "FILL_STUCK_OPEN", "Pa", SEALS, False, "The pressure rose with the fill valve shut: a valve of the fill side is stuck open", "Shut the supply by hand and clean or replace the fill valve and its isolation valve"),
    (FILL_STUCK_SHUT, "FILL_STUCK_SHUT", "us", SEALS, False, "Five fill pulses of growing length had no effect: fill valve, isolation valve or restrictor is blocked", "Check them and the supply"),
    (VENT_STUCK_OPEN, "VENT_STUCK_OPEN", "Pa", SEALS, False, "The pressure fell with the vent valve shut: a valve of the vent side is stuck open, or a line is broken", "Clean or replace the vent valve and its isolation valve"),
    (COIL_DEAD, "COIL_DEAD", "", SEALS, False, "A valve's coil draws no current although it is switched on", "Check its wiring"),
    (COIL_SHORTED, "COIL_SHORTED", "", SEALS, False, "A valve's coil is energised or open although it is switched off, so the coil rail was cut", "Check its transistor and wiring"),
    (LEAK_BUDGET, "LEAK_BUDGET", "Pa", SEALS, False, "The chamber loses more gas than the leak budget allows", "Find the leak"),
    (LINE_BURST, "LINE_BURST", "Pa", SEALS, True, "The pressure falls faster than the vent valve allows: a line has burst or the relief valve is open", "Find the break"),
    (OVERPRESSURE, "OVERPRESSURE", "Pa", RELIEVES, True, "The pressure rose above the trip: fill was shut and the relief valve opened", "Find the cause"),
    (POWER, "POWER", "Pa", SEALS, False, "The device restarted during a run and could not resume it safely", "Compare the pressures and find the cause of the restart"),
    (REBOOT_LOOP, "REBOOT_LOOP", "", STAYS_OFF, False, "The device restarted repeatedly and keeps its output off", "Check its power supply"),
    (HOST_GONE, "HOST_GONE", "s", SEALS, False, "No host has sent anything within host_timeout_s", "Restart the host"),
    (RUNAWAY, "RUNAWAY", "mK", SEALS_OR_RELIEVES, True, "The wall is hotter or heats faster than its limit: the cycler was stopped", "Cool the chamber and check cell and oven"),
    (SAFETY_FAILED, "SAFETY_FAILED", "s", SEALS, False, "The safety transducer has been invalid for too long", "Repair it"),
    (RELIEF_STUCK_OPEN, "RELIEF_STUCK_OPEN", "Pa", SEALS, True, "The pressure keeps falling although the relief valve was shut again", "Clean or replace the relief valve"),
    (COMPARATOR_TRIPPED, "COMPARATOR_TRIPPED", "Pa", SEALS, True, "The hardware comparator tripped and cut the fill side", "Compare the pressure transducers and find the cause"),
    (RAIL_LOST, "RAIL_LOST", "", SEALS, False, "The coil rail is off although the heartbeat runs", "Check fuse and coil supply"),
    (CONTROL_ERRATIC, "CONTROL_ERRATIC", "Pa", SEALS, False, "The control transducer's readings jump back and forth faster than any pressure", "Check its cable, its shield and its converter"),
    (GAS_CHASED, "GAS_CHASED", "Pa", SEALS, False, "More gas came or went in an hour than its budget, besides ramps and vents, or fills and vents took turns: a valve leaks", "Find the leak"),
)

# The faults that always stop the cycler, a bit each.
STOPS_CYCLER = sum([1 << row[0] for row in FAULTS if row[4]])

# Categories of NAMUR NE107: the instrument is limited at present, or it needs service.
OUT_OF_SPECIFICATION, MAINTENANCE_REQUIRED = range(2)

(
    SUPPLY_LOW, SAFETY_TRANSDUCER, SUPPLY_TRANSDUCER, GAS_TEMPERATURE, WALL_TEMPERATURE, SETTINGS_LOST, QUIET_DRIFT,
    BAND_WIDENED, SUPPLY_HIGH, TRANSDUCER_STILL, REFERENCE_DRIFT, VENT_SHUT, PAIR_OPEN, GAS_GAINED, LEAK,
    VALVE_WORN, PROOF_OVERDUE, HOST_SILENT, RESUMED, STATE_LOST, AMOUNT_DRIFT, VENT_UNKNOWN, SETTINGS_INVALID,
    CHAMBER_CHANGED, RELIEF_BLOCKED, TEMPERATURE_OFFSET, SENSING_SLOW, TRANSDUCER_DRIFT,
) = (1 << n for n in range(28))

# Bit, name, category.
WARNINGS = (
    (SUPPLY_LOW, "SUPPLY_LOW", OUT_OF_SPECIFICATION),
    (SAFETY_TRANSDUCER, "SAFETY_TRANSDUCER", MAINTENANCE_REQUIRED),
    (SUPPLY_TRANSDUCER, "SUPPLY_TRANSDUCER", MAINTENANCE_REQUIRED),
    (GAS_TEMPERATURE, "GAS_TEMPERATURE", OUT_OF_SPECIFICATION),
    (WALL_TEMPERATURE, "WALL_TEMPERATURE", OUT_OF_SPECIFICATION),
    (SETTINGS_LOST, "SETTINGS_LOST", MAINTENANCE_REQUIRED),  # lost or never stored: the output stays off until the limits are confirmed
    (QUIET_DRIFT, "QUIET_DRIFT", OUT_OF_SPECIFICATION),
    (BAND_WIDENED, "BAND_WIDENED", OUT_OF_SPECIFICATION),  # the shortest pulses are too coarse for the dead-band that was set
    (SUPPLY_HIGH, "SUPPLY_HIGH", OUT_OF_SPECIFICATION),  # fill is inhibited
    (TRANSDUCER_STILL, "TRANSDUCER_STILL", MAINTENANCE_REQUIRED),  # the control transducer's counts have not changed for 10 min
    (REFERENCE_DRIFT, "REFERENCE_DRIFT", MAINTENANCE_REQUIRED),  # the converter reads its reference wrongly
    (VENT_SHUT, "VENT_SHUT", MAINTENANCE_REQUIRED),  # five growing vent pulses had no effect; vent commands use the relief valve
    (PAIR_OPEN, "PAIR_OPEN", MAINTENANCE_REQUIRED),  # a valve of a pair did not shut tight alone; see :DIAGnostic:VALVe<n>:PROof?
    (GAS_GAINED, "GAS_GAINED", OUT_OF_SPECIFICATION),  # more gas than was metered in: the fill side leaks, or the cell gasses
    (LEAK, "LEAK", MAINTENANCE_REQUIRED),  # less gas than was metered in: an external leak, or a leak through vent side or relief valve
    (VALVE_WORN, "VALVE_WORN", MAINTENANCE_REQUIRED),  # a learned gain has drifted
    (PROOF_OVERDUE, "PROOF_OVERDUE", MAINTENANCE_REQUIRED),
    (HOST_SILENT, "HOST_SILENT", OUT_OF_SPECIFICATION),
    (RESUMED, "RESUMED", OUT_OF_SPECIFICATION),  # regulation resumed after a reset; ends when the output is switched
    (STATE_LOST, "STATE_LOST", MAINTENANCE_REQUIRED),  # the state record could not be read or written
    (AMOUNT_DRIFT, "AMOUNT_DRIFT", OUT_OF_SPECIFICATION),  # the amount of gas being held has changed by more than amount_drift_pa
    (VENT_UNKNOWN, "VENT_UNKNOWN", MAINTENANCE_REQUIRED),  # a vent ended, but no reading that can be believed says that the chamber is empty
    (SETTINGS_INVALID, "SETTINGS_INVALID", MAINTENANCE_REQUIRED),  # the stored settings break a check of this version; mend them before regulation starts
    (CHAMBER_CHANGED, "CHAMBER_CHANGED", MAINTENANCE_REQUIRED),  # pulses do not have the effect that was learned: another chamber, or other valves
    (RELIEF_BLOCKED, "RELIEF_BLOCKED", MAINTENANCE_REQUIRED),  # the pressure did not fall with the relief valve open, so the vent pair opened as well
    (TEMPERATURE_OFFSET, "TEMPERATURE_OFFSET", MAINTENANCE_REQUIRED),  # gas and wall thermometer differ by more than 1 K at rest, which the hold corrects, or by 4 K half a minute after a movement of gas
    (SENSING_SLOW, "SENSING_SLOW", MAINTENANCE_REQUIRED),  # the control transducer follows a pulse slowly, with a lag of more than 50 ms; pulses and watches wait for it
    (TRANSDUCER_DRIFT, "TRANSDUCER_DRIFT", MAINTENANCE_REQUIRED),  # the two pressure transducers walk apart: 3.5 kPa in a day or 6 kPa in an hour
)
# fmt: on


def sentence(fault: int, text) -> str:
    """Return what happened, what the device did, and what to do; `text` as Store.text()."""
    _, _, _, reaction, _, what, remedy = FAULTS[fault]
    if reaction == NOTHING:
        return text(what)
    done = "; all valves are shut. " if reaction == SEALS else ". "
    return text(what) + done + text(remedy) + ", then acknowledge."


def warning_names(mask: int) -> list:
    """Return the names of the warnings in a mask."""
    return [name for bit, name, _ in WARNINGS if mask & bit]
