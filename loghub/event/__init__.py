"""FLOOR 1. What an event is, as pure data: no I/O, no threads, no clock reads."""
