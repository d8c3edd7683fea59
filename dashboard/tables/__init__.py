"""What each tab asks of the market, shaped for drawing: one module per tab, with a `load`."""
