"""Watches: one for each kind of failure."""
