"""The drivers against the registers of their chips, with each fault a bus can have."""

import sys

try:
    _HERE = __file__.rsplit("/", 1)[0]
except NameError:
    _HERE = "."
sys.path.append(_HERE + "/../../host/src/ipch/sim")

from chips import ADS1115Chip, MAX31865Chip, TMP117Chip
from drivers import ads1115, max31865, tmp117
from pins import ADS1115_ADDRESS, TMP117_ADDRESS
from rig_chips import I2cBus, SpiBus

from regulator.measure.temperature import pt1000_mk


class _World:
    """Time and signals around the chips."""

    def __init__(self):
        self.us = 0
        self.volt = [0.4, 1.2, 1.0, 0.0]
        self.celsius = 30.0
        self.ohm = 1116.729

    def bus(self):
        self.ads = ADS1115Chip(ADS1115_ADDRESS, lambda: self.us, lambda channel: self.volt[channel])
        self.tmp = TMP117Chip(TMP117_ADDRESS, lambda: self.us, lambda: self.celsius)
        self.i2c = I2cBus(self.ads, self.tmp)
        return self.i2c

    def spi(self):
        self.max = MAX31865Chip(lambda: self.us, lambda: self.ohm)
        return SpiBus(self.max)


def _fails(call, *arguments):
    try:
        call(*arguments)
    except OSError:
        return True
    return False


def test_ads1115_converts_the_channel_that_was_asked_for():
    world = _World()
    driver = ads1115.ADS1115(world.bus(), ADS1115_ADDRESS)
    for channel, counts in ((0, 6400), (1, 19200), (2, 16000), (3, 0)):
        driver.start(channel)
        assert driver.read() == ads1115.NOT_READY
        world.us += ads1115.CONVERSION_US
        assert driver.read() == counts, channel


def test_ads1115_waits_for_a_slow_oscillator_and_no_longer_than_said():
    world = _World()
    driver = ads1115.ADS1115(world.bus(), ADS1115_ADDRESS)
    world.ads.slow_ppm = 100_000
    driver.start(0)
    world.us += 1200
    assert driver.read() == ads1115.NOT_READY
    world.us += ads1115.CONVERSION_US - 1200
    assert driver.read() == 6400


def test_ads1115_negative_and_saturated():
    world = _World()
    driver = ads1115.ADS1115(world.bus(), ADS1115_ADDRESS)
    world.volt = [-0.01, 2.5, -3.0, 0.0]
    for channel, counts in ((0, -160), (1, 32767), (2, -32768)):
        driver.start(channel)
        world.us += ads1115.CONVERSION_US
        assert driver.read() == counts


def test_ads1115_a_result_is_fresh():
    world = _World()
    driver = ads1115.ADS1115(world.bus(), ADS1115_ADDRESS)
    driver.start(0)
    world.us += 2000
    assert driver.read() == 6400
    world.volt[0] = 0.8
    driver.start(0)
    assert driver.read() == ads1115.NOT_READY
    world.us += 2000
    assert driver.read() == 12800


def test_ads1115_that_lost_its_configuration_is_noticed():
    world = _World()
    driver = ads1115.ADS1115(world.bus(), ADS1115_ADDRESS)
    assert driver.read() == ads1115.WRONG
    driver.start(0)
    world.us += 2000
    world.ads.reset()
    assert driver.read() == ads1115.WRONG


def test_ads1115_every_flipped_bit_of_the_configuration_is_noticed():
    world = _World()
    driver = ads1115.ADS1115(world.bus(), ADS1115_ADDRESS)
    driver.start(0)
    world.us += 2000
    for bit in range(15):
        world.ads.flips = 1 << bit
        assert driver.read() == ads1115.WRONG, bit
    world.ads.flips = 1 << 15
    assert driver.read() == ads1115.NOT_READY
    assert driver.read() == 6400


def test_ads1115_bus_faults_raise():
    world = _World()
    driver = ads1115.ADS1115(world.bus(), ADS1115_ADDRESS)
    driver.start(0)
    world.ads.acknowledges = False
    assert _fails(driver.start, 0) and _fails(driver.read)
    world.ads.acknowledges = True
    world.i2c.stuck = True
    assert _fails(driver.start, 0) and _fails(driver.read)
    world.i2c.stuck = False
    driver.start(0)
    world.us += 2000
    assert driver.read() == 6400


def test_tmp117_reads_both_signs():
    world = _World()
    driver = tmp117.TMP117(world.bus(), TMP117_ADDRESS)
    driver.configure()
    assert driver.read() == tmp117.NOT_READY
    for celsius, counts in ((30.0, 3840), (-40.0, -5120), (125.0, 16000), (-0.25, -32), (0.0, 0)):
        world.celsius = celsius
        world.us += 250_000
        assert driver.read() == counts
        assert driver.read() == tmp117.NOT_READY


def test_tmp117_stale_data_are_noticed():
    world = _World()
    driver = tmp117.TMP117(world.bus(), TMP117_ADDRESS)
    driver.configure()
    world.us += 250_000
    assert driver.read() == 3840
    world.tmp.frozen = True
    for _ in range(10):
        world.us += 250_000
        assert driver.read() == tmp117.NOT_READY


def test_tmp117_that_was_reset_is_noticed():
    world = _World()
    driver = tmp117.TMP117(world.bus(), TMP117_ADDRESS)
    driver.configure()
    world.us += 250_000
    world.tmp.reset()
    assert driver.read() == tmp117.WRONG
    driver.configure()
    world.us += 250_000
    assert driver.read() == 3840


def test_tmp117_flips_of_the_configuration_are_noticed():
    world = _World()
    driver = tmp117.TMP117(world.bus(), TMP117_ADDRESS)
    driver.configure()
    for bit in range(2, 12):
        world.us += 250_000
        world.tmp.flips = 1 << bit
        assert driver.read() == tmp117.WRONG, bit


def test_tmp117_never_takes_the_counts_of_another_chip():
    world = _World()
    driver = tmp117.TMP117(world.bus(), ADS1115_ADDRESS)
    driver.configure()
    for _ in range(10):
        world.us += 250_000
        assert driver.read() in (tmp117.NOT_READY, tmp117.WRONG)


def test_tmp117_raises_without_its_chip():
    world = _World()
    bus = world.bus()
    assert _fails(tmp117.TMP117(bus, 0x4A).configure)
    driver = tmp117.TMP117(bus, TMP117_ADDRESS)
    world.tmp.acknowledges = False
    assert _fails(driver.configure) and _fails(driver.read)


def test_drivers_continue_on_another_bus():
    world = _World()
    driver, thermometer = (
        ads1115.ADS1115(world.bus(), ADS1115_ADDRESS),
        tmp117.TMP117(world.i2c, TMP117_ADDRESS),
    )
    world.i2c.stuck = True
    assert _fails(driver.start, 0) and _fails(thermometer.configure)
    bus = I2cBus(world.ads, world.tmp)
    driver.use(bus)
    thermometer.use(bus)
    driver.start(0)
    thermometer.configure()
    world.us += 250_000
    assert driver.read() == 6400 and thermometer.read() == 3840


def _max31865(world):
    driver = max31865.MAX31865(world.spi(), lambda level: world.max.select(level))
    driver.configure()
    world.us += 75_000
    return driver


def test_max31865_reads_the_ratio():
    world = _World()
    driver = _max31865(world)
    for ohm in (842.707, 1000.0, 1116.729, 1498.319):
        world.ohm = ohm
        world.us += 20_000
        assert driver.read() == int(ohm / 4000 * 32768)


def test_max31865_open_and_shorted_sensors_are_faults_until_they_are_cleared():
    world = _World()
    driver = _max31865(world)
    for ohm in (1e9, 0.0):
        world.ohm = ohm
        world.us += 20_000
        assert driver.read() == max31865.FAULT
        world.ohm = 1100.0
        world.us += 20_000
        assert driver.read() == max31865.FAULT
        driver.configure()
        world.us += 75_000
        assert driver.read() == 9011


def test_max31865_that_is_missing_or_was_reset_is_noticed():
    world = _World()
    driver = _max31865(world)
    world.max.answers = False
    assert driver.read() == max31865.WRONG
    world.max.answers = True
    assert driver.read() == 9148
    world.max.reset()
    assert driver.read() == max31865.WRONG
    driver.configure()
    world.us += 75_000
    assert driver.read() == 9148


def test_max31865_releases_the_chip_select_when_the_bus_fails():
    levels = []

    class Broken:
        def write_readinto(self, out, into):
            raise OSError(5)

    driver = max31865.MAX31865(Broken(), levels.append)
    assert _fails(driver.read)
    assert levels == [0, 1]


# IEC 60751:2008, PT1000: ohm at -35 to 125 degC, from its table for 100 ohm; at -40 (842.7) the range ends.
_IEC_60751 = (
    (-35, 862.5), (-30, 882.2), (-25, 901.9), (-20, 921.6), (-15, 941.2), (-10, 960.9), (-5, 980.4),
    (0, 1000.0), (5, 1019.5), (10, 1039.0), (15, 1058.5), (20, 1077.9), (25, 1097.3), (30, 1116.7),
    (40, 1155.4), (50, 1194.0), (60, 1232.4), (70, 1270.8), (80, 1309.0), (90, 1347.1), (100, 1385.1),
    (110, 1422.9), (120, 1460.7), (125, 1479.5),
)  # fmt: skip


def test_pt1000_follows_iec_60751():
    # The printed table has 0.1 ohm a digit, 26 mK; the ratio has 32 mK a count.
    for celsius, ohm in _IEC_60751:
        mk = pt1000_mk(int(ohm / 4000 * 32768 + 0.5))
        assert abs(mk - 273_150 - celsius * 1000) < 16 + 13 + 5, celsius


def test_pt1000_is_within_5_mk_of_the_equation():
    # Callendar-Van Dusen of IEC 60751, exact at each count: what is left is the error of the integers.
    worst = 0.0
    for counts in range(6904, 12120):
        ratio = counts * 4000 / 32768 / 1000
        t = (ratio - 1) / 3.85e-3
        for _ in range(20):
            value = 1 + 3.9083e-3 * t - 5.775e-7 * t * t
            if t < 0:
                value -= 4.183e-12 * (t - 100) * t * t * t
            t += (ratio - value) / 3.85e-3
        worst = max(worst, abs(pt1000_mk(counts) - 273_150 - t * 1000))
    assert worst < 5, worst
