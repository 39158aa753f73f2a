"""Pure logic of the pressure regulator: integers only, no clock, no hardware."""

VERSION = "0.1.0"
