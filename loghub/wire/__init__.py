"""FLOOR 2. Formats on the wire, sans I/O: bytes in, bytes out. Shared by the senders and the hub."""
