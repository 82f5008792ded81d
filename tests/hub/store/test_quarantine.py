import json
from pathlib import Path

from store_batches import batch

from loghub.hub.store.quarantine import Quarantine


def test_a_file_that_is_too_large_loses_its_older_half(tmp_path: Path) -> None:
    path = tmp_path / "quarantine.ndjson"
    quarantine = Quarantine(path, most_bytes=2000)

    for seq in range(1, 101):
        quarantine.append([batch(seq, 1, bad=[seq])])

    seqs = [json.loads(line)["seq"] for line in path.read_bytes().splitlines()]
    quarantine.close()

    assert path.stat().st_size <= 2000
    assert seqs == list(range(101 - len(seqs), 101))
    assert quarantine.dropped == 100 - len(seqs)
