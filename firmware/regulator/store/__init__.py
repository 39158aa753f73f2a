"""Storage in flash: settings and the state record."""
