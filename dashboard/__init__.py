"""The Panel dashboard, which reads through cache_store."""
