"""Control: the setpoint, and the pulses that reach and hold it."""
