"""One file per chip. Each driver takes the bus object, allocates its buffers once, and works in integers."""
