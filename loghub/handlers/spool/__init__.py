"""The spool: records wait on a disk, survive the death of their process, and are sent once by whoever comes next.

```
DIR/v1/<source>/LOCK        held by the process that writes here, for life
                meta.json   whose records these are, and for which address
                seg-…       frames, one for each record, in files that are allocated and mapped
                next        the segment that comes next, empty
                cursor      how far it is settled
DIR/dead/                   what the hub will never take, and damaged bytes
```
"""

from loghub.handlers.spool.dead import DeadRecord, dead_records, purge
from loghub.handlers.spool.options import keep_seconds, own_directory, spool_settings
from loghub.handlers.spool.overflow import POLICIES, Overflow
from loghub.handlers.spool.settings import Settings
from loghub.handlers.spool.spool import Spool

__all__ = [
    "POLICIES",
    "DeadRecord",
    "Overflow",
    "Settings",
    "Spool",
    "dead_records",
    "keep_seconds",
    "own_directory",
    "purge",
    "spool_settings",
]
