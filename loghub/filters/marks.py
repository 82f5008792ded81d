"""What filters leave on a record, under names that no line carries."""

import os

TELLS = "_loghub_tells"
"""On a record that tells of records that were held back: no filter here holds that one."""


def new_mark() -> str:
    """Give a filter's mark on records: one that no filter of another process has, where the record may be sent."""
    return f"_loghub_judged_{os.urandom(8).hex()}"
