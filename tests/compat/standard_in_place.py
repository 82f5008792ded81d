"""Runs CPython's own tests of file handlers and dictConfig with ours in place of the standard library's.

The adapters give our class the parent's positional signature, a plain formatter, and the parent's strictness about
characters. Prints a JSON object: how many tests ran, and the names of those that failed or were skipped.
"""

import importlib
import json
import logging
import logging.handlers
import sys
import unittest
from typing import Any, ClassVar

from loghub.handlers.json_file import JSONFileHandler

CASES = (
    *("FileHandlerTest", "RotatingFileHandlerTest", "TimedRotatingFileHandlerTest", "HandlerTest"),
    *("EncodingTest", "BasicConfigTest", "ConfigFileTest", "ConfigDictTest"),
)


class Plain(JSONFileHandler):
    """What all adapters share: `names` are the positional arguments of the class that it stands for."""

    names: tuple[str, ...]
    more: ClassVar[dict[str, Any]] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        given = dict(zip(self.names, args, strict=False)) | kwargs
        super().__init__(**{**self.more, **given, "errors": given.get("errors") or "strict"})
        self.errors = given.get("errors")
        self._plain = logging.Formatter()


class FileHandler(Plain):
    names = ("filename", "mode", "encoding", "delay", "errors")


class WatchedFileHandler(FileHandler):
    more: ClassVar[dict[str, Any]] = {"look_every": 0}


class RotatingFileHandler(Plain):
    names = ("filename", "mode", "maxBytes", "backupCount", "encoding", "delay", "errors")


class TimedRotatingFileHandler(Plain):
    names = ("filename", "when", "interval", "backupCount", "encoding", "delay", "utc", "atTime", "errors")
    more: ClassVar[dict[str, Any]] = {"when": "h"}


def main(names: list[str]) -> None:
    """Run the cases of these names."""
    theirs = importlib.import_module("test.test_logging")
    setattr(logging, FileHandler.__name__, FileHandler)

    for adapter in (WatchedFileHandler, RotatingFileHandler, TimedRotatingFileHandler):
        setattr(logging.handlers, adapter.__name__, adapter)

    suite = unittest.TestSuite(
        unittest.defaultTestLoader.loadTestsFromTestCase(getattr(theirs, name)) for name in names
    )
    result = unittest.TextTestRunner(stream=sys.stderr).run(suite)
    failed = {test.id().rpartition(".")[2]: text for test, text in (*result.failures, *result.errors)}
    skipped = {test.id().rpartition(".")[2]: text for test, text in result.skipped}
    sys.stdout.write(json.dumps({"run": result.testsRun, "failed": failed, "skipped": skipped}))


if __name__ == "__main__":
    main(sys.argv[1:] or list(CASES))
