"""What can go wrong, each with a watch of its own."""
