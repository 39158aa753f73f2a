"""Registers of a TMP117 as an I2C target, and their connection to machine.I2CTarget (MicroPython 1.26)."""


class Registers:
    """Registers that the regulator's driver accesses: pointer, then 16 bits, most significant byte first."""

    def __init__(self):
        self.counts = 3840  # 1/128 K above 0 degC
        self.config = 0x0220
        self._pointer = 0
        self._written = 0  # bytes received in the current write
        self._high = 0
        self._word = 0
        self._low_next = False

    def start(self, read: bool):
        """Handle an address match: the controller starts a read or a write."""
        self._written = 0
        self._low_next = False

    def write(self, byte: int):
        """Take a byte from the controller."""
        if self._written == 0:
            self._pointer = byte
        elif self._written == 1:
            self._high = byte
        elif self._written == 2 and self._pointer == 1:
            self.config = (self._high << 8 | byte) & 0x0FFC
        self._written += 1

    def read(self) -> int:
        """Return the next byte for the controller."""
        if self._low_next:
            self._low_next = False
            return self._word & 0xFF
        self._low_next = True
        if self._pointer == 0:
            self._word = self.counts & 0xFFFF
        elif self._pointer == 1:
            # Data ready is always set: the host updates them more often than the regulator reads.
            self._word = self.config | 0x2000
        elif self._pointer == 15:
            self._word = 0x0117
        else:
            self._word = 0
        return self._word >> 8


def listen(registers, sda, scl, address=0x49):
    """Answer on the regulator's bus. Return the target, or None if this MicroPython has no I2CTarget."""
    try:
        from machine import I2CTarget
    except ImportError:
        return None
    byte = bytearray(1)

    def happened(target):
        flags = target.irq().flags()
        if flags & I2CTarget.IRQ_ADDR_MATCH_WRITE:
            registers.start(False)
        if flags & I2CTarget.IRQ_ADDR_MATCH_READ:
            registers.start(True)
        if flags & I2CTarget.IRQ_WRITE_REQ:
            target.readinto(byte)
            registers.write(byte[0])
        if flags & I2CTarget.IRQ_READ_REQ:
            byte[0] = registers.read()
            target.write(byte)

    target = I2CTarget(1, address, sda=sda, scl=scl)
    target.irq(
        happened,
        I2CTarget.IRQ_ADDR_MATCH_WRITE
        | I2CTarget.IRQ_ADDR_MATCH_READ
        | I2CTarget.IRQ_WRITE_REQ
        | I2CTarget.IRQ_READ_REQ,
        hard=True,
    )
    return target
