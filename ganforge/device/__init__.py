"""Where a run is computed, and what it draws at random."""
