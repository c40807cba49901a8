"""The adapters of the booking systems: one folder a kind. The modules beside them are what adapters share."""
