"""FLOOR 2½. The files of a log, read and followed: across rotation, compression and copies.

It reads bytes and gives lines; it writes nothing, and starts no thread.
"""
