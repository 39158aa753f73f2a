"""Lets gas out: the vent, the test bleed and the help for a blocked relief valve.

Constants without another source are chosen on the simulated plant.
"""

from regulator.measure.transducer import VALID
from regulator.valves.sides import NONE, VENT
from regulator.valves.window import HOLD, LINGER, WAY_OUT

# `state`: the first three numbered as in a Druck PACE. UNKNOWN: the vent ended, but nothing that can be believed says
# that the chamber is empty.
IDLE, IN_PROGRESS, COMPLETE, UNKNOWN = range(4)

# Without agreeing transducers: one pulse per _PAUSE_MS, longer while the pressure is _BEHIND_PA behind the ramp.
_PAUSE_MS = 1000
_SHORT_US = 20_000
_LONGEST_US = 300_000
_BEHIND_PA = 20_000
# The relief valve opens for one tick, then its effect is awaited.
_RELIEF_PAUSE_MS = 500
# A vent gives up after so many pulses without a valid transducer (an hour), or so many that no reading followed.
_BLIND_PULSES = 3600
_VAIN_PULSES = 300
# So much gas leaves at the vent rate in more than the lag of a slow sensing line (0.5 s): a reading that stands still
# then shows.
_COMPARED_PA = 200_000
# Vent pair and relief valve take turns after so many pulses without effect.
_TURN_PULSES = 5
# A fall by this much since the last look is an effect: clear of the noise of both means. A ramp whose pressure stays
# for _VAIN_S longer than three times as much takes is followed by pulses.
_EFFECT_PA = 10_000
_VAIN_S = 60
# Ramp and pulses end this far above ambient. Then long pulses show whether a reading still falls: by _EFFECT_PA within
# _LAST_PULSES, or within _LAST_ALONE where only one transducer can be believed. The vent gives up after _LAST_MOST.
EMPTY_PA = 20_000
_LAST_PULSES = 5
_LAST_ALONE = 20
_LAST_MOST = 300
# First pulse of a test bleed: for this step, each further one for half of the last, so that all stay below 50 kPa; or
# this long while the vent valve is unknown, each further one twice as long. Design choices.
_BLEED_PA = 25_000
_BLEED_US = 20_000


class Vent:
    """Follows a ramp while both transducers agree and the vent valve works, else vents by single pulses.

    `state` as `VENT?` reports it; `relief_open` requests the relief valve in this tick.
    """

    def __init__(self, settings, sensors, valves, control):
        self._settings = settings
        self._sensors = sensors
        self._trusted = sensors.trusted
        self._valves = valves
        self._control = control
        self.state = IDLE
        self.relief_open = False
        self._ramps = False
        self._vain_ms = 0  # of the ramp, without an effect
        self._seen_pa = [0, 0]  # both readings when an effect was last seen
        self._last = False  # the end is being confirmed
        self._allowed_pa = 0
        self._left_pa_ms = 0
        self._rest_ms = 0
        self._us = _SHORT_US
        self._pulses = 0  # since an effect was seen
        self._blind = 0
        self._lasted = 0  # pulses since the end was reached

    def start(self):
        """Begin at the present pressure."""
        self.state = IN_PROGRESS
        self.relief_open = False
        self._ramps = False
        self._vain_ms = 0
        self._last = False
        self._blind = 0
        self._trusted.begin()
        self._restart()

    def stop(self):
        """Abort the vent, or reset a complete one to idle."""
        self.state = IDLE

    def tick(self, dt_ms: int, vent_shut: bool) -> bool:
        """Run one tick; return whether the vent has ended. `vent_shut`: the vent valve does not open."""
        trusted = self._trusted
        trusted.compare(_COMPARED_PA)
        self.relief_open = False
        control = self._control
        if not self._last and not vent_shut and trusted.agree() and not self._ramp_is_vain(dt_ms):
            if not self._ramps:
                self._ramps = True
                control.start()
            if control.descend(dt_ms):
                self._restart()
                self._last = True
            return False
        if self._ramps:
            self._ramps = False
            if not self._last:
                self._restart()
        control.rest()
        self._rest_ms -= dt_ms
        highest_pa = trusted.highest_pa()
        if not self._last:
            self._ramp_down(dt_ms)
            self._last = 0 <= highest_pa < self._empty_pa()
        if self._rest_ms > 0:
            return False
        if self._is_over():
            return True
        if self._last or highest_pa < 0 or highest_pa > self._allowed_pa:
            self._pulse(highest_pa, vent_shut)
        return False

    def assist(self):
        """Open the vent pair for as long as possible, because the relief valve does not help."""
        self._valves.request(VENT, _LONGEST_US, LINGER | WAY_OUT)

    def bleed(self, number: int) -> bool:
        """Request pulse `number` of a test bleed; return whether it was requested."""
        valves = self._valves
        if not valves.idle():
            return False
        us = _BLEED_US << number - 1
        if valves.rate_pa_s(VENT):
            us = valves.pulse_for(VENT, _BLEED_PA >> number - 1)
        valves.request(VENT, us, HOLD)
        return True

    def _restart(self):
        self._allowed_pa = max(self._trusted.highest_pa(), 0)
        self._rest_ms = 0
        self._us = _SHORT_US
        self._pulses = 0
        self._lasted = 0
        self._see_effect()

    def _ramp_is_vain(self, dt_ms: int) -> bool:
        most_s = _VAIN_S + 3 * _EFFECT_PA // self._settings.get("vent_slew_pa_s")
        if self._vain_ms < most_s * 1000:
            self._vain_ms += dt_ms
            if self._has_effect():
                self._see_effect()
                self._vain_ms = 0
        return self._vain_ms >= most_s * 1000

    def _has_effect(self) -> bool:
        sensors = self._sensors
        seen_pa = self._seen_pa
        return (sensors.control.band == VALID and seen_pa[0] - sensors.control.mean_pa > _EFFECT_PA) or (
            sensors.safety.band == VALID and seen_pa[1] - sensors.safety.mean_pa > _EFFECT_PA
        )

    def _ramp_down(self, dt_ms: int):
        self._left_pa_ms += self._settings.get("vent_slew_pa_s") * dt_ms
        step_pa = self._left_pa_ms // 1000
        self._left_pa_ms -= step_pa * 1000
        self._allowed_pa = max(self._allowed_pa - step_pa, 0)

    def _is_over(self) -> bool:
        """Return whether the vent has ended, and set its outcome."""
        trusted = self._trusted
        alone = not (trusted.believed(0) and trusted.believed(1))
        effect = self._has_effect()
        if self._last:
            if self._lasted < _LAST_MOST and self._pulses < (_LAST_ALONE if alone else _LAST_PULSES):
                return False
            if self._lasted < _LAST_MOST and effect:
                self._see_effect()
                return False
            self.state = COMPLETE if self._is_empty() else UNKNOWN
            return True
        if effect:
            self._see_effect()
        elif self._blind >= _BLIND_PULSES or (trusted.highest_pa() >= 0 and self._pulses >= _VAIN_PULSES):
            self.state = UNKNOWN
            return True
        return False

    def _see_effect(self):
        self._pulses = 0
        self._seen_pa[0] = self._sensors.control.mean_pa
        self._seen_pa[1] = self._sensors.safety.mean_pa

    def _is_empty(self) -> bool:
        """Return whether every reading that can be believed is near ambient, within its tolerance."""
        setting = self._settings.get
        trusted = self._trusted
        empty_pa = self._empty_pa()
        if not (trusted.believed(0) or trusted.believed(1)):
            return False
        sensors = self._sensors
        return not (
            (trusted.believed(0) and sensors.control.mean_pa > empty_pa + setting("control_tolerance_pa"))
            or (trusted.believed(1) and sensors.safety.mean_pa > empty_pa + setting("safety_tolerance_pa"))
        )

    def _empty_pa(self) -> int:
        return self._settings.get("ambient_pa") + EMPTY_PA

    def _pulse(self, highest_pa: int, vent_shut: bool):
        valves = self._valves
        if not valves.idle():
            return
        if vent_shut or self._pulses // _TURN_PULSES & 1:
            valves.close_window()
            if valves.isolation != NONE:
                return
            self.relief_open = True
            self._rest_ms = _RELIEF_PAUSE_MS
        else:
            valves.request(VENT, self._next_us(highest_pa), WAY_OUT)
            self._rest_ms = _PAUSE_MS
        self._pulses += 1
        if highest_pa < 0:
            self._blind += 1
        if self._last:
            self._lasted += 1

    def _next_us(self, highest_pa: int) -> int:
        """Return the next pulse in us: longer while the pressure is behind the ramp or at the end, else shorter."""
        if self._last:
            return _LONGEST_US
        if highest_pa < 0:
            return _SHORT_US
        if highest_pa - self._allowed_pa > _BEHIND_PA:
            self._us = min(self._us * 3 // 2, _LONGEST_US)
        else:
            self._us = max(self._us * 2 // 3, _SHORT_US)
        return self._us
