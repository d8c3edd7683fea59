"""What each tab draws: one module per tab, with a `build`, imported when its tab is first opened."""
