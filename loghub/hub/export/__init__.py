"""The full result of a query as a file, in pieces: what is written, how it is packed, and the walk over the store."""
