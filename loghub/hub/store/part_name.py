"""The name of a sealed file, which says what it has and which other files it makes needless.

Rules:
1. `<first>-<last>.duckdb` has the arrival numbers from `first` to `last`, as they were sealed.
2. `<first>-<last>.<generation>.duckdb` stands for all files within these numbers that have a lower generation:
   it has what is left of their rows. So a crash between its name and the end of the others doubles nothing,
   and nothing that was deleted comes back.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_NAME = re.compile(r"([0-9]{16})-([0-9]{16})(?:\.([0-9]{4,}))?\.duckdb")
_DRAFTS = (".tmp", ".tmp.wal")


@dataclass(frozen=True, slots=True)
class PartName:
    """The name of a sealed file.

    Attributes:
        first: its first arrival number.
        last: its last one.
        generation: 0 for one that was sealed, more for one that took the place of others.
    """

    first: int
    last: int
    generation: int = 0

    @classmethod
    def of(cls, path: Path) -> "PartName | None":
        """Read a file's name; None where it is none of ours."""
        match = _NAME.fullmatch(path.name)
        return cls(int(match[1]), int(match[2]), int(match[3] or 0)) if match else None

    @classmethod
    def instead_of(cls, names: Iterable["PartName"]) -> "PartName":
        """Name the file that takes the place of others."""
        replaced = list(names)

        return cls(
            min(name.first for name in replaced),
            max(name.last for name in replaced),
            max(name.generation for name in replaced) + 1,
        )

    def __str__(self) -> str:
        generation = f".{self.generation:04d}" if self.generation else ""
        return f"{self.first:016d}-{self.last:016d}{generation}.duckdb"

    def replaces(self, other: "PartName") -> bool:
        """Tell whether this one stands for another."""
        return self.generation > other.generation and self.first <= other.first and other.last <= self.last


def sealed_files(folder: Path) -> Iterator[tuple[PartName, Path]]:
    """Give the sealed files, each behind those that may stand for it."""
    found = [(name, path) for path in folder.iterdir() if (name := PartName.of(path))]
    return iter(sorted(found, key=lambda entry: (-entry[0].generation, entry[0].first)))


def remove_drafts(folder: Path) -> None:
    """Remove what an earlier attempt left."""
    for path in folder.iterdir():
        if path.name.endswith(_DRAFTS):
            path.unlink()
