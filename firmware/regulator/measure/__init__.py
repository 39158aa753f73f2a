"""What the sensors say: pressures, temperatures, and where the pressure will settle."""
