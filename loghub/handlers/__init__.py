"""FLOOR 4. Handlers: what runs inside the user's process. Threads, no asyncio, no third-party import at module top."""
