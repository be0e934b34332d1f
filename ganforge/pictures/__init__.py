"""Samples as pictures: grids, plots, and the sheet that plots are drawn on."""
