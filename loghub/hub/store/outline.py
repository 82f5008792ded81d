"""What is known of a sealed part without reading its rows: which values its fields have.

Rules:
1. A field with few values has them all here, each with the number of its events.
2. Of other fields a filter (Bloom's) knows which values are surely not there.
3. A value is known by its text: a number, true and false as JSON writes them. Floats are not known.
4. A field that is in neither is not known: anything may be there.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from loghub.hub.store.cells import NO_CELLS, Cells

HASHES = 3
BITS_EACH = 12
"""With three hashes one value of a hundred that are not there passes."""

_LOW = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Filter:
    """Values of many fields, as bits.

    Attributes:
        fields: the fields it knows.
        bits: the bits, the first of a byte is its highest.
        floats: those of the fields that have floats too, which it does not know.
    """

    fields: frozenset[str] = frozenset()
    bits: bytes = b""
    floats: frozenset[str] = frozenset()

    def may_have(self, hashed: int) -> bool:
        """Tell whether a field's value may be there, by the engine's hash of `token`."""
        size = len(self.bits) * 8
        low, step = hashed & _LOW, hashed >> 32 | 1
        return size > 0 and all(self._is_set((low + turn * step) % size) for turn in range(HASHES))

    def _is_set(self, place: int) -> bool:
        return bool(self.bits[place >> 3] & (0x80 >> (place & 7)))


def token(name: str, text: str) -> str:
    """Give what is hashed for a field's value."""
    return f"{name}\0{text}"


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """What is known of a part.

    Attributes:
        values: fields with few values, and these with the number of events that have them.
        filter: of other fields.
        cells: times and levels.
    """

    values: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    filter: Filter = field(default_factory=Filter)
    cells: Cells = NO_CELLS

    def may_equal(self, name: str, texts: Iterable[str], hashes: Mapping[str, int]) -> bool:
        """Tell whether a field may have one of these values.

        Args:
            name: the field.
            texts: the values, by their texts.
            hashes: of the tokens of these.
        """
        known = self.values.get(name)

        if known is not None:
            return any(text in known for text in texts)

        if name not in self.filter.fields:
            return True

        return any(self.filter.may_have(hashes[token(name, text)]) for text in texts)


NOTHING_KNOWN = Outline()
