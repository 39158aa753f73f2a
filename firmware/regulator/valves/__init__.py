"""The two valve pairs: windows, what their pulses do, and the heat that moved gas leaves."""
