"""Runs as their directories tell of them, while they are trained and after. Needs no torch."""
