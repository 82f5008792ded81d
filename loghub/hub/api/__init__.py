"""The hub's HTTP and WebSocket endpoints."""
