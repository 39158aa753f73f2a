"""What may be believed of the two pressure transducers: do they agree, and which of them follows gas that is let out.

Constants are chosen on the simulated plant.
"""

from regulator.measure.transducer import VALID

# A reading that fell by this much since `mark` follows the gas that leaves: 4 sigma of the noisier transducer.
_FOLLOWS_PA = 30_000
# A reading that shows less than this share of what the other one fell stands still.
_SHARE_PERCENT = 50


class Trusted:
    """Both readings of the chamber. Numbers: control 0, safety 1.

    `safety_still`: the safety transducer did not follow the pulses of a hold, and counts as invalid.
    """

    def __init__(self, settings, control, safety):
        self._settings = settings
        self._both = (control, safety)
        self._marked_pa = [0, 0]
        self._followed = [False, False]
        self._still = [False, False]
        self._still_pa = [0, 0]  # the readings when one stood still
        self.safety_still = False
        self._erratic = False
        self.difference_pa = 0  # larger differences are a disagreement
        self.configure()

    def configure(self):
        """Read the limits from the settings."""
        setting = self._settings.get
        self.difference_pa = (
            setting("disagreement_pa") + setting("control_tolerance_pa") + setting("safety_tolerance_pa")
        )

    def agree(self) -> bool:
        """Return whether both transducers are valid and agree."""
        control, safety = self._both
        return (
            control.band == VALID
            and self.safety_valid()
            and abs(control.pa - safety.mean_pa) <= self.difference_pa
        )

    def clash(self) -> bool:
        """Return whether both transducers can be believed, but their medians disagree."""
        control, safety = self._both
        apart_pa = abs(control.median_pa - safety.median_pa)
        return apart_pa > self.difference_pa and control.band == VALID and self.safety_valid()

    def safety_valid(self) -> bool:
        """Return whether the safety transducer can be believed."""
        return self._both[1].band == VALID and not self.safety_still

    def doubt_safety(self, still: bool):
        """Regard the safety transducer as invalid, because it does not follow pulses; or no longer."""
        self.safety_still = still

    def doubt_control(self, erratic: bool):
        """Believe nothing that the control transducer says while it is erratic; or no longer."""
        self._erratic = erratic

    def begin(self):
        """Gas is going to be let out: believe every valid reading until one stands still."""
        self._still[0] = self._still[1] = False
        self.mark()

    def reconcile(self):
        """Now and then: believe a reading that stood still again, once it has moved."""
        for index in range(2):
            if self._still[index]:
                moved_pa = self._both[index].median_pa - self._still_pa[index]
                self._still[index] = -_FOLLOWS_PA < moved_pa < _FOLLOWS_PA

    def mark(self):
        """Measure the fall of both readings from now on."""
        for index in range(2):
            self._marked_pa[index] = self._both[index].median_pa
            self._followed[index] = False

    def watch(self):
        """In every tick while gas is let out: note which reading follows."""
        for index in range(2):
            if self._both[index].band == VALID and self.fallen_pa(index) > _FOLLOWS_PA:
                self._followed[index] = True

    def fallen_pa(self, index: int) -> int:
        """Return by how much a reading fell since `mark`."""
        return self._marked_pa[index] - self._both[index].median_pa

    def follows(self) -> bool:
        """Return whether a reading followed since `mark`."""
        return self._followed[0] or self._followed[1]

    def followed(self, index: int) -> bool:
        """Return whether this reading followed since `mark`."""
        return self._followed[index]

    def followed_below(self, pa: int) -> bool:
        """Return whether a reading that followed is below this pressure."""
        for index in range(2):
            each = self._both[index]
            if self._followed[index] and each.band == VALID and each.pa < pa:
                return True
        return False

    def compare(self, least_pa: int):
        """While gas is let out: no longer believe a reading that stands still while the other one fell `least_pa`."""
        control_pa = self.fallen_pa(0) if self._both[0].band == VALID else 0
        safety_pa = self.fallen_pa(1) if self._both[1].band == VALID else 0
        if control_pa > least_pa or safety_pa > least_pa:
            self._still[0] = control_pa * 100 < safety_pa * _SHARE_PERCENT
            self._still[1] = safety_pa * 100 < control_pa * _SHARE_PERCENT
            self.mark()
            self._still_pa[0] = self._marked_pa[0]
            self._still_pa[1] = self._marked_pa[1]

    def believed(self, index: int) -> bool:
        """Return whether a reading is valid and does not stand still."""
        doubtful = self.safety_still if index else self._erratic
        return self._both[index].band == VALID and not self._still[index] and not doubtful

    def highest_pa(self) -> int:
        """Return the highest mean that can be believed, -1 without one."""
        highest_pa = -1
        for index in range(2):
            if self.believed(index):
                highest_pa = max(highest_pa, self._both[index].mean_pa)
        return highest_pa
