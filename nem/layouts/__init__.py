"""Other people's folders of the same data, read where it lies: nothing is copied and nothing is written there."""
