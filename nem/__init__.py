"""The market and its data; knows no cache."""
