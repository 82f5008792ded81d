"""FLOOR 2. The query language: text → tree → predicate on an event."""

from loghub.query.parse import parse as parse
from loghub.query.predicate import predicate as predicate
from loghub.query.tree import Query as Query
