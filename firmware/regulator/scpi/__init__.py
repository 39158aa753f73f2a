"""The command set over the serial line."""
