from pathlib import Path

from loghub.handlers.spool.settings import Settings


def test_segments_grow_up_to_a_sixteenth_of_the_cap(tmp_path: Path) -> None:
    usual, small = Settings(tmp_path, ""), Settings(tmp_path, "", size=256 * 1024)

    assert [usual.segment(number) // 1024 for number in range(7)] == [256, 512, 1024, 2048, 4096, 4096, 4096]
    assert usual.segment(10_000) == usual.segment(5)
    assert small.segment(0) == small.segment(9) == 64 * 1024
