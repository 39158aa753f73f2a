"""Whether settings may change now: limits not under pressure, nothing so that it trips, relieves or strands the target.

Constants without a source beside them are design choices.
"""

from regulator.control.vent import UNKNOWN
from regulator.faults import LEAK, RUNAWAY
from regulator.measure.transducer import FULL_SCALE_PA, VALID
from regulator.modes import OFF, RELIEF, SEALED
from regulator.settings import ANY_TIME, VENTED, may_change
from regulator.store.record import PENDING

# A chamber counts as vented up to this far above ambient.
_NEAR_AMBIENT_PA = 100_000
# A new trip must be this far above the readings: four times the noise of the noisier transducer (12 kPa).
_NOISE_PA = 50_000
# The largest correction of a calibration, in sum, between these temperatures: more is a wrong or broken transducer.
_CORRECTION_PA = 200_000  # 2 % of full scale
_COLD_MK = 283_150
_MOST = 1 << 29  # above every setting
OUTPUT_ON = "only while the output is off"
_TRIPS = "would trip: "
_HOT_MK = 323_150


def pressurised(app) -> str:
    """Return "" if every transducer that can be believed shows a vented chamber, else why not."""
    highest_pa = app.sensors.trusted.highest_pa()
    if highest_pa < 0 or app.control.vent.state == UNKNOWN:
        return "the pressure is not known"
    if highest_pa > app.settings.get("ambient_pa") + _NEAR_AMBIENT_PA:
        return "%d Pa in the chamber, vent it first" % highest_pa
    return ""


def refused(app, new: dict, forced: bool) -> str:
    """Return "" if the settings `new` may change now, else why not. `forced` allows a large correction."""
    at_rest = False
    for name in new:
        condition = may_change(name)
        if condition != ANY_TIME:
            at_rest = True
            reason = _not_now(app, condition == VENTED)
            if reason:
                return name + ": " + reason
    return _clashes(app, new) or (_misreads(app, new, forced) if at_rest else "")


def _not_now(app, vented: bool) -> str:
    """Return why a setting that may not change at any time must not change now."""
    state = app.modes.state
    if app.record.outcome != PENDING:
        # Limits that nobody has confirmed, or that fail a check, can be entered under pressure, too.
        if not vented or app.store.lost or app.settings.conflict():
            return "" if state in (OFF, SEALED) else OUTPUT_ON
        if state == OFF:
            return pressurised(app)
    return OUTPUT_ON


def _clashes(app, new: dict) -> str:
    """Return why the new values would leave the target outside or without supply, trip, or open the relief valve."""
    sensors = app.sensors
    old = app.settings.get
    target_pa = app.control.target_pa
    if target_pa and not new.get("ambient_pa", 0) <= target_pa <= new.get("setpoint_max_pa", _MOST):
        return "the target is %d Pa" % target_pa
    if app.modes.wanted_pa() and new.get("supply_max_pa", _MOST) < sensors.supply.pa:
        return "the supply is at %d Pa" % sensors.supply.pa
    if new.get("wall_max_mk", _MOST) <= sensors.wall_mk:
        return _TRIPS + "the wall has %d mK" % sensors.wall_mk
    rise_mk_min = app.watches.climate.rise_mk() * 15
    if new.get("wall_rate_max_mk_min", _MOST) <= rise_mk_min:
        return _TRIPS + "the wall rises by %d mK/min" % rise_mk_min
    for name in new:
        shorter = new[name] < old(name)
        if name == "safety_invalid_s" and shorter and not sensors.trusted.safety_valid():
            return _TRIPS + "the safety transducer is invalid"
        if name in ("leak_budget_pa_h", "breathing_pa") and shorter and app.watches.warnings & LEAK:
            return _TRIPS + "LEAK"
    if new.get("runaway_relief") and (app.modes.fault == RUNAWAY or app.watches.climate.fault):
        return "RUNAWAY would empty the chamber"
    if new.get("relief_to_ambient") and app.modes.state == RELIEF:
        return "RELIEF would empty the chamber"
    return ""


def _misreads(app, new: dict, forced: bool) -> str:
    """Return why a new calibration, tolerance or limit is too large, or trips with the present readings."""
    sensors = app.sensors
    old = app.settings.get

    def get(name):
        return new[name] if name in new else old(name)

    shifts = []
    for name, transducer in (
        ("control", sensors.control),
        ("safety", sensors.safety),
        ("supply", sensors.supply),
    ):
        worst_pa = _worst_pa(get, name)
        if not forced and worst_pa > _CORRECTION_PA and worst_pa > _worst_pa(old, name):
            return "%s: a correction of %d Pa, without FORCe up to %d" % (name, worst_pa, _CORRECTION_PA)
        shifts.append(_correction_pa(get, name, sensors.wall_mk, transducer.pa))
        shifts[-1] -= _correction_pa(old, name, sensors.wall_mk, transducer.pa)
    control_pa, safety_pa, _ = shifts
    highest_pa = _highest_pa(sensors, control_pa, safety_pa)
    if ("trip_pa" in new or control_pa > 0 or safety_pa > 0) and highest_pa > get("trip_pa") - _NOISE_PA:
        return _TRIPS + "%d Pa in the chamber" % highest_pa
    if app.modes.state == OFF and not forced and sensors.trusted.agree():
        allowed_pa = get("disagreement_pa") + get("control_tolerance_pa") + get("safety_tolerance_pa")
        apart_pa = sensors.control.pa + control_pa - sensors.safety.pa - safety_pa
        if abs(apart_pa) > allowed_pa:
            return _TRIPS + "the transducers %d Pa apart, %d allowed" % (apart_pa, allowed_pa)
    return ""


def _highest_pa(sensors, control_pa: int, safety_pa: int) -> int:
    """Return the highest valid reading with these shifts, -1 without any."""
    highest_pa = -1
    if sensors.control.band == VALID:
        highest_pa = sensors.control.pa + control_pa
    if sensors.safety.band == VALID:
        highest_pa = max(highest_pa, sensors.safety.pa + safety_pa)
    return highest_pa


def _worst_pa(get, name: str) -> int:
    """Return the largest correction over the whole range of pressures. It is linear in both, so at a corner."""
    corners = [_correction_pa(get, name, mk, pa) for mk in (_COLD_MK, _HOT_MK) for pa in (0, FULL_SCALE_PA)]
    return max([abs(pa) for pa in corners])


def _correction_pa(get, name: str, mk: int, pa: int) -> int:
    """Return what the calibration adds to a reading, as Transducer.update does."""
    zero_pa = get(name + "_zero_pa")
    span_ppm = get(name + "_span_ppm")
    if name != "supply" and mk:
        warmer = (mk - get("cal_temperature_mk")) // 100  # tenths of a kelvin
        zero_pa += get(name + "_zero_tc_pa_k") * warmer // 10
        span_ppm += get(name + "_span_tc_ppm_k") * warmer // 10
    return zero_pa + pa // 10_000 * span_ppm // 100
