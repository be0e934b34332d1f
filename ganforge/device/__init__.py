"""Device of a run, and its random generators."""
