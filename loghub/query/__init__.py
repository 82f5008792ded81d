"""FLOOR 2. The query language: text → tree → predicate on an event."""
