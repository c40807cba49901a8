"""Where appointments go: one adapter a kind of calendar, each implementing `ports.Target`."""
