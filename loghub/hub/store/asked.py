"""A query that is put to the parts of the store, one after the other."""

from dataclasses import dataclass, field

from loghub.hub.store.condition import Where
from loghub.hub.store.engine import Cursor
from loghub.hub.store.outline import NOTHING_KNOWN
from loghub.hub.store.partitions import Part
from loghub.hub.store.protocol import Span
from loghub.hub.store.pruning import Known, may_match, tokens
from loghub.hub.store.shape import Shape
from loghub.hub.store.sql import where
from loghub.query.tree import Everything, Query

_HASHES = "SELECT unnest(?), hash(unnest(?::VARCHAR[]))"


@dataclass(frozen=True, slots=True)
class Asked:
    """A query.

    Attributes:
        query: its tree.
        now_us: what relative times are relative to, in microseconds.
    """

    query: Query
    now_us: int
    _known: dict[Shape, Where] = field(default_factory=dict)
    _hashes: dict[str, int] = field(default_factory=dict)

    def of(self, part: Part) -> Where:
        """Give the condition on the rows of a part."""
        found = self._known.get(part.shape)

        if found is None:
            found = self._known[part.shape] = where(self.query, now_us=self.now_us, shape=part.shape)

        return found

    @property
    def is_everything(self) -> bool:
        """Tell whether every event matches."""
        return isinstance(self.query, Everything)

    def is_all_of(self, part: Part, span: Span) -> bool:
        """Tell whether every event of a part matches and lies in the span."""
        return self.is_everything and span.start_us <= part.extent.min_us and part.extent.max_us < span.end_us

    def may_match(self, part: Part, cursor: Cursor) -> bool:
        """Tell whether an event of a part may match; no is certain.

        Args:
            part: the part.
            cursor: of the engine, which knows how it hashes.
        """
        if part.outline is NOTHING_KNOWN and not part.shape.complete:
            return True

        wanted = [token for token in tokens(self.query) if token not in self._hashes]

        if wanted:
            self._hashes.update(cursor.execute(_HASHES, [wanted, wanted]).fetchall())

        return may_match(self.query, Known(part.shape, part.outline, self._hashes))
