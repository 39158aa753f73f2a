"""The two valve pairs, by the names that every room uses."""

FILL, VENT = 0, 1
NONE = -1

# Gas that was let in is warm, gas that stays behind after a vent is cold: the step seen at once is 1.45 times the one
# that stays (from the energy balance of a filled and of an emptied vessel, real gas at 5 MPa).
IMMEDIATE_PER_SETTLED_PERCENT = 145
# So many judged pulses make a valve known.
TRUSTED = 3
