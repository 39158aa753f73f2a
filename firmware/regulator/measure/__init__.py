"""Measurement: counts to pressures and temperatures, and an estimate of the settled pressure."""
