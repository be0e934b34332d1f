"""Plugins: specs, options, hooks, and how plugins are found. Imports no torch."""
