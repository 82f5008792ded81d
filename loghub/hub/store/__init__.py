"""Where events are kept: the protocol and its engines."""
