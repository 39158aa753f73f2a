"""Every GPIO number and polarity of the board, and nothing else; hardware/wiring.csv is checked against
this file.

Each comment names the wire to connect. A valve output drives the gate of its coil's low-side MOSFET. A 4.7 kilohm
resistor from gate to ground keeps the valve shut while the output is not driven.
"""

# I2C 0, 3.3 V, 2.2 kilohm pull-ups.
SDA = 0  # SDA of the ADS1115 and the TMP117
SCL = 1  # SCL of the ADS1115 and the TMP117

# Valves, 1 = coil energised. Valves and drains each have consecutive numbers in this order, because one register read
# takes in both.
FILL = 2  # gate of the fill valve's MOSFET
VENT = 3  # gate of the vent valve's MOSFET
SUPPLY_ISOLATION = 4  # gate of the supply isolation valve's MOSFET
VENT_ISOLATION = 5  # gate of the vent isolation valve's MOSFET
RELIEF = 6  # gate of the relief valve's MOSFET
VALVE_ON = 1

# The processor toggles this line in every tick. The coil rail goes off within 1 s of the last edge, and from then on
# the comparator may open the relief valve by itself.
HEARTBEAT = 7  # charge pump that holds the coil rail's switch

# Drain of each MOSFET through a divider to 3.3 V: 1 = coil supply present, so the transistor is off and the coil is
# intact. While the output is off, an open coil and a shorted transistor both read 0. While it is on, a transistor that
# does not switch and a shorted coil both read 1.
FILL_DRAIN = 8  # divider at the fill valve's drain
VENT_DRAIN = 9  # divider at the vent valve's drain
SUPPLY_ISOLATION_DRAIN = 10  # divider at the supply isolation valve's drain
VENT_ISOLATION_DRAIN = 11  # divider at the vent isolation valve's drain
RELIEF_DRAIN = 12  # divider at the relief valve's drain
DRAIN_OFF = 1

TRIP = 13  # output of the hardware comparator (open drain, 10 kilohm pull-up)
TRIP_ACTIVE = 0

CELL_SAFE = 14  # relay whose closed contact lets the cycler run
CELL_SAFE_OK = 1

BUTTON = 15  # maintenance button to ground (internal pull-up)
BUTTON_PRESSED = 0

# SPI 0.
MISO = 16  # SDO of the MAX31865
RTD_SELECT = 17  # CS of the MAX31865
SCK = 18  # SCLK of the MAX31865
MOSI = 19  # SDI of the MAX31865
SELECTED = 0
RTD_READY = 20  # DRDY of the MAX31865
RTD_READY_ACTIVE = 0

RAIL = 21  # coil rail through a divider: 1 = on
RAIL_ON = 1
MONITOR = 22  # 10 kilohm and 1 uF to ground: monitor output, 0 to 3.3 V (PWM at 10 kHz)

# Cuts the coil rail at once, regardless of the heartbeat. An undriven pin cuts nothing.
RAIL_CUT = 27  # gate of the MOSFET that discharges the charge pump
RAIL_CUT_ON = 1

SMPS_MODE = 23  # of the Pico's own 3.3 V supply: 1 = PWM mode, with less ripple at the ADC (Pico data sheet)
SMPS_PWM = 1

LED = 25  # green LED of the Pico
LED_ON = 1

SAFETY_ADC = 26  # 100 ohm shunt of the safety transducer's loop
REFERENCE_ADC = 28  # 1.25 V reference through 2.05 and 10 kilohm: 1.037 V

# Inputs of the ADS1115 (I2C address 0x48); the TMP117 is at 0x49.
ADS1115_ADDRESS = 0x48  # ADDR to GND
TMP117_ADDRESS = 0x49  # ADD0 to V+
CONTROL_INPUT = 0  # AIN0: 100 ohm shunt of the control transducer's loop
SUPPLY_INPUT = 1  # AIN1: 100 ohm shunt of the supply transducer's loop
REFERENCE_INPUT = 2  # AIN2: 1.25 V reference
