"""Over-pressure: detection, the test bleed, and what opens to end it. Constants without a source are design choices."""

from regulator.faults import COMPARATOR_TRIPPED, NO_FAULT, OVERPRESSURE
from regulator.measure.transducer import VALID

# A transducer is rising if it gained this much over _RISE_SAMPLES samples: 4 sigma of the noisier transducer.
_RISE_PA = 20_000
_RISE_SAMPLES = 8
# A rising transducer counts as over the trip if it gets there within the lag of a slow sensing line, 0.5 s: up to
# four times _RISE_SAMPLES of 20 ms.
_LAG_RISES = 4
# The relief shuts this far below the trip, or this far above ambient if it empties the chamber.
_HYSTERESIS_PA = 200_000
_EMPTY_PA = 50_000
# A relief lets out at least this much, so a reading that stands still shows. Chosen on the simulated plant.
_COMPARED_PA = 80_000
# Without a falling reading for this long the vent pair opens, too.
_BLOCKED_MS = 2_000
# So does a reading that rises by this much with the relief open, on both transducers. Chosen on the simulated plant.
_REGAINED_PA = 50_000
# Where the safety transducer alone is over the comparator's limit for _ALONE_MS (longer than a disagreement takes), a
# vent pulse of about 25 kPa shows which reading follows, or up to _BLEEDS while none does. The fall
# counts below the trend of before, _BLEED_MS later: means of 32 samples, lag, a window of the vent pair. _SEEN_PA is
# clear of both transducers' noise. A mean that still follows an earlier movement would look like a trend. So the
# control transducer's, which is quiet, restarts; the other one's does after a jump that no gas makes within the time of
# the mean, 0.64 s, and after a start, and then gets _ALONE_MS to settle. Its noise still makes a trend of 2.5 kPa (one
# sigma), so the first _SEEN_PA of a rise are not counted.
_ALONE_MS = 640
_BLEED_MS = 1_600
_BLEEDS = 4
_SEEN_PA = 8_000
_JUMP_PA = 1_000_000
_YOUNG_S = 3
# Stages of the test bleed.
_NONE, _SETTLES, _ALONE, _WAITS, _DONE = range(5)
# An erase of the flash may stop the processor for 0.4 s, three times _RISE_SAMPLES of 20 ms.
_ERASE_RISES = 3


class Overpressure:
    """`fault` is the present one, `value` its pressure in Pa.

    `relief_open` requests the relief valve, `vents` the vent pair as well, `bleed` a pulse of the test bleed by number.
    Two samples, two ticks of 20 ms, make a fault. `awaits_second`: this one was the first, so the next one decides.
    """

    def __init__(self, settings, sensors):
        self._settings = settings
        self._sensors = sensors
        self._trusted = sensors.trusted
        self.fault = NO_FAULT
        self.value = 0
        self.relief_open = False
        self.vents = False
        self.bleed = 0  # of the test bleed, 0 for none
        self.awaits_second = False
        self._was_over = False
        self._was_control_pa = [0] * _RISE_SAMPLES
        self._was_safety_pa = [0] * _RISE_SAMPLES
        self._index = 0
        self._open_ms = 0
        self._from_pa = 0  # lowest reading when that began
        self._stage = _NONE
        self._stage_ms = 0
        self._bleeds = 0
        self._proved = False  # by a test bleed, until an acknowledge: the safety transducer alone is right
        self._emptied = False
        self._mean_pa = [0, 0]
        self._expected_pa = [0, 0]
        self.configure()

    def configure(self):
        """Read the limits from the settings."""
        setting = self._settings.get
        self._trip_pa = setting("trip_pa")
        self._comparator_pa = setting("comparator_pa")
        self._ambient_pa = setting("ambient_pa")
        self._to_ambient = setting("relief_to_ambient")

    def check(self, tripped: int):
        """Fault: twice in a row both transducers above the trip, or one while the other is invalid or follows."""
        control = self._sensors.control
        safety = self._sensors.safety
        index = self._index
        self.fault = NO_FAULT
        if (control.pa > self._trip_pa or safety.pa > self._trip_pa) and self._is_over(control, safety):
            self.awaits_second = not self._was_over
            if self._was_over:
                self.fault = OVERPRESSURE
                self.value = self._highest_pa()
            self._was_over = True
        else:
            self.awaits_second = False
            self._was_over = False
        self._was_control_pa[index] = control.pa
        self._was_safety_pa[index] = safety.pa
        self._index = index + 1 if index + 1 < _RISE_SAMPLES else 0
        if tripped and not self.fault:
            # Without a valid transducer the comparator is all there is to believe.
            blind = control.band != VALID and safety.band != VALID
            self.fault = OVERPRESSURE if blind else COMPARATOR_TRIPPED
            self.value = safety.pa

    def is_near(self) -> bool:
        """Return whether a reading reaches the trip while a write to flash stops the processor, if it rises on.

        Before the first eight samples nothing is known, which counts as near.
        """
        index = self._index
        return self._reaches(self._sensors.control.pa, self._was_control_pa[index]) or self._reaches(
            self._sensors.safety.pa, self._was_safety_pa[index]
        )

    def _reaches(self, pa: int, before_pa: int) -> bool:
        rise_pa = pa - before_pa
        return rise_pa > _RISE_PA and pa + _ERASE_RISES * rise_pa > self._trip_pa

    def _is_over(self, control, safety) -> bool:
        trusted = self._trusted
        if trusted.believed(0) and control.pa > self._trip_pa:
            if not trusted.believed(1) or safety.pa > self._trip_pa:
                return True
            return self._follows(safety.pa, self._was_safety_pa)
        if not trusted.believed(1) or safety.pa <= self._trip_pa:
            return False
        return not trusted.believed(0) or self._proved or self._follows(control.pa, self._was_control_pa)

    def _follows(self, pa: int, was_pa: list) -> bool:
        """Return whether a reading below the trip is on its way there, only slower than the other one."""
        before_pa = was_pa[self._index]
        rise_pa = pa - before_pa
        # Before the first full turn there is nothing to compare with.
        return (
            before_pa != 0
            and rise_pa > _RISE_PA
            and pa + _LAG_RISES * rise_pa > self._trip_pa - self._trusted.difference_pa
        )

    def check_slowly(self, dt_ms: int, may_bleed: bool):
        """Find out whether the safety transducer is right when it alone is over the comparator's limit."""
        control = self._sensors.control
        safety = self._sensors.safety
        self._trusted.reconcile()
        if control.band != VALID or safety.band != VALID or safety.mean_pa < self._trip_pa:
            self._stage = _NONE
            self._bleeds = 0
            return
        self._stage_ms += dt_ms
        if self._stage == _NONE:
            if control.mean_pa < self._trip_pa and safety.mean_pa > self._comparator_pa and not self._proved:
                young = safety.median_pa - safety.mean_pa > _JUMP_PA or self._sensors.age_s < _YOUNG_S
                if young:
                    safety.forget_mean()
                self._begin_stage(_SETTLES if young else _ALONE)
        elif self._stage == _SETTLES:
            if self._stage_ms >= _ALONE_MS:
                self._begin_stage(_ALONE)
        elif self._stage == _ALONE:
            if self._stage_ms >= _ALONE_MS and may_bleed:
                self._expect(0, control.mean_pa)
                self._expect(1, safety.mean_pa)
                self._begin_stage(_WAITS)
                self._bleeds += 1
                self.bleed = self._bleeds
        elif self._stage == _WAITS and self._stage_ms >= _BLEED_MS:
            self.bleed = 0
            self._judge_bleed(self._expected_pa[0] - control.mean_pa, self._expected_pa[1] - safety.mean_pa)

    def _expect(self, index: int, mean_pa: int):
        # Where the means would be without the bleed. Noise must not look like a rise that the bleed ended.
        trend_pa = (mean_pa - self._mean_pa[index]) * _BLEED_MS // self._stage_ms
        self._expected_pa[index] = mean_pa + trend_pa - min(max(trend_pa, 0), _SEEN_PA)

    def clear(self):
        """Forget a test bleed after an acknowledge."""
        self._stage = _NONE
        self._bleeds = 0
        self._proved = False

    def bled(self):
        """The pulse of the test bleed was requested."""
        self.bleed = 0

    def _begin_stage(self, stage: int):
        self._stage = stage
        self._stage_ms = 0
        if stage == _ALONE:
            self._sensors.control.forget_mean()
        self._mean_pa[0] = self._sensors.control.median_pa
        self._mean_pa[1] = self._sensors.safety.mean_pa

    def _judge_bleed(self, control_pa: int, safety_pa: int):
        """Believe who followed. A control transducer that did denies the over-pressure: then the other one is off."""
        still = control_pa < _SEEN_PA
        # Nearly as much on both is too small a pulse, not one that a single transducer saw.
        if still and self._bleeds < _BLEEDS and (safety_pa < _SEEN_PA or control_pa > safety_pa >> 1):
            self._begin_stage(_ALONE)
            return
        self._stage = _DONE
        self._proved = still

    def relieve(self, tripped: int, empty: bool, dt_ms: int):
        """Run one tick of RELIEF or VENT: open above the trip, shut once a reading that follows is below it.

        `empty`: open until the chamber is near ambient instead.
        """
        highest_pa = self._highest_pa()
        if highest_pa < 0:
            # Without a valid transducer only the comparator counts.
            self._open(tripped != 0)
            return
        shut_pa = self._trip_pa - _HYSTERESIS_PA
        if empty or self._to_ambient:
            shut_pa = self._ambient_pa + _EMPTY_PA
        if self.relief_open:
            self._watch_fall(shut_pa, highest_pa, dt_ms)
            if not self.relief_open:
                self._emptied = empty
        elif self.fault == OVERPRESSURE:
            self._open(True)
        elif empty:
            # A reading that stands still does not open it again.
            self._open((self._lowest_pa() if self._emptied else highest_pa) > shut_pa)
        else:
            self._emptied = False

    def _watch_fall(self, shut_pa: int, highest_pa: int, dt_ms: int):
        trusted = self._trusted
        trusted.watch()
        if highest_pa < shut_pa or trusted.followed_below(shut_pa):
            self._open(False)
            self._proved = self._proved and not trusted.followed(0)
            trusted.compare(_COMPARED_PA)
            return
        lowest_pa = self._lowest_pa()
        if not self._open_ms:
            self._from_pa = lowest_pa
        self._open_ms += dt_ms
        # A relief that worked at first looks for up to two of these periods as if it still did.
        rises = lowest_pa > self._from_pa + _REGAINED_PA
        if rises or self._open_ms >= _BLOCKED_MS:
            self._open_ms = 0
            if rises or not trusted.follows():
                self.vents = True
            trusted.mark()

    def _open(self, on: bool):
        if on and not self.relief_open:
            self._open_ms = 0
            self._trusted.mark()
        self.relief_open = on
        if not on:
            self.vents = False

    def _lowest_pa(self) -> int:
        """Return the lowest valid reading in Pa; only with a valid one."""
        control = self._sensors.control
        safety = self._sensors.safety
        if control.band != VALID:
            return safety.pa
        return min(control.pa, safety.pa) if safety.band == VALID else control.pa

    def _highest_pa(self) -> int:
        """Return the highest valid reading in Pa, -1 without any."""
        control = self._sensors.control
        safety = self._sensors.safety
        highest_pa = -1
        if control.band == VALID:
            highest_pa = control.pa
        if safety.band == VALID and safety.pa > highest_pa:
            highest_pa = safety.pa
        return highest_pa
