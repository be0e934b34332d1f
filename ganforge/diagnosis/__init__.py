"""Diagnosis of a run from its metrics: what goes wrong, and what to try. Needs no torch."""
