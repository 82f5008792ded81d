"""FLOOR 4. The hub: collects lines, acknowledges what is on disk, stores, searches and tails.

Everything here runs on asyncio and never blocks the loop; only `store/` touches a disk or an engine.
"""
