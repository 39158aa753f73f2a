"""The setpoint, and the pulses that bring the pressure to it and keep it there."""
