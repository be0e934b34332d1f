"""The configuration of a run: settings, layers, recipes, and what they resolve to (no torch)."""
