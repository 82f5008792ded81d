"""What is said where the package that a hook is for is not installed."""

import subprocess
import sys


def test_celery_that_is_not_installed_is_named() -> None:
    code = """
import sys
sys.modules["celery"] = None
from loghub.errors import MissingExtraError
from loghub.middleware.celery import connect
try:
    connect()
except MissingExtraError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "loghub.middleware.celery needs the 'celery' extra: pip install 'loghub[celery]'"
