"""One chip, one file. Each driver takes the bus object, allocates its buffers once, and works in integers."""
