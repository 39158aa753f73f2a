"""The SCPI command set on the serial port."""
