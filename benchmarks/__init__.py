"""Measurements beside their rivals, as ratios within one run. Data made for them is generated, and says so."""
