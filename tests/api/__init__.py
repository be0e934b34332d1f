"""Tests of ganforge from Python."""
