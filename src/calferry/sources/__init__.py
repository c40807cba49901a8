"""The adapters of the booking systems: one file a kind."""
