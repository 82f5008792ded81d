"""The hub's HTTP and WebSocket endpoints: thin, each one reads its parameters, asks and answers."""
