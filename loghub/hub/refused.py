"""The refusal of a whole request to take lines in."""

from collections.abc import Mapping


class IngestError(Exception):
    """A request that cannot be taken as a whole.

    Attributes:
        status: the HTTP status that says so.
        code: a word for programs.
        headers: what the answer carries.
    """

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers
