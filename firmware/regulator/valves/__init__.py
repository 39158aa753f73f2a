"""The two valve pairs: pulse windows, learned responses, and the heat that moved gas leaves."""
