"""GPIO numbers of the bench rig's Pico; a test checks hardware/rig/wiring.csv against this file.

Lines to the regulator's Pico have the same number there, except RAIL_CUT, so a straight cable does.
"""

# Valve outputs of the regulator, in the bit order of its readbacks.
FILL = 2
VENT = 3
SUPPLY_ISOLATION = 4
VENT_ISOLATION = 5
RELIEF = 6
HEARTBEAT = 7
# Drain signals from the rig to the regulator, in the same order.
FILL_DRAIN = 8
VENT_DRAIN = 9
SUPPLY_ISOLATION_DRAIN = 10
VENT_ISOLATION_DRAIN = 11
RELIEF_DRAIN = 12
TRIP = 13  # open drain, low = tripped
CELL_SAFE = 14
SCK = 18  # of the DAC and of the rheostat
MOSI = 19
DAC_SYNC = 17
RHEOSTAT_SYNC = 20
RAIL = 21
LED = 25
TARGET_SDA = 26  # SDA of the regulator's I2C bus, on which this Pico answers as the TMP117
TARGET_SCL = 27
RAIL_CUT = 28  # GP27 of the regulator's Pico; high = coil rail cut
