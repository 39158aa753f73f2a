"""The bench rig's drivers against the registers of their chips, and its TMP117 against the regulator's driver."""

import sys

try:
    _HERE = __file__.rsplit("/", 1)[0]
except NameError:
    _HERE = "."
sys.path.append(_HERE + "/../../hardware/rig/firmware")

from ad5270 import AD5270
from ad5686 import AD5686
from drivers import tmp117
from rig_chips import AD5270Chip, AD5686Chip
from thermometer import Registers


class _Spi:
    def __init__(self, chip):
        self.chip = chip

    def write(self, data):
        for byte in data:
            self.chip.transfer(byte)


def test_ad5686_sets_each_output_alone():
    chip = AD5686Chip()
    dac = AD5686(_Spi(chip), chip.select)
    for channel, counts in ((0, 0), (1, 65535), (2, 32768), (3, 1)):
        dac.write(channel, counts)
    assert chip.counts == [0, 65535, 32768, 1]
    assert chip.volt(2) == 1.25


def test_ad5270_is_unlocked_and_moves():
    chip = AD5270Chip()
    rheostat = AD5270(_Spi(chip), chip.select)
    for position in (0, 1, 512, 1023):
        rheostat.set(position)
        assert chip.position == position


def test_ad5270_model_refuses_a_locked_wiper():
    chip = AD5270Chip()
    chip.select(0)
    chip.transfer(0x04)
    chip.transfer(0x07)
    chip.select(1)
    assert chip.position == 512


class _Target:
    """An I2C bus with the rig's thermometer on it, as the regulator's driver uses one."""

    def __init__(self, registers):
        self.registers = registers

    def writeto(self, address, data):
        self.registers.start(False)
        for byte in data:
            self.registers.write(byte)

    def readfrom_mem_into(self, address, register, into):
        self.registers.start(False)
        self.registers.write(register)
        self.registers.start(True)
        for index in range(len(into)):
            into[index] = self.registers.read()


def test_the_thermometer_passes_for_a_tmp117():
    registers = Registers()
    driver = tmp117.TMP117(_Target(registers), 0x49)
    driver.configure()
    for counts in (3840, -32, 16000, 0):
        registers.counts = counts
        assert driver.read() == counts
    registers.config = 0x0220
    assert driver.read() == tmp117.WRONG
