"""FLOOR 5. `loghub demo`: a hub and a small shop of three services."""
