"""What outlives a reset."""
