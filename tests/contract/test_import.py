import json
import os
import subprocess
import sys

import pytest

import loghub

CODE = """
import sys, threading, json
before = set(sys.modules)
import loghub
loaded = sorted({name.split(".")[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names))
print(json.dumps({"loaded": loaded, "threads": threading.active_count()}))
"""


def test_import_loads_no_third_party_module_and_starts_no_thread() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], check=True, capture_output=True)

    assert json.loads(done.stdout) == {"loaded": ["loghub"], "threads": 1}


def test_every_public_name_resolves_and_has_a_docstring() -> None:
    for name in loghub.__all__:
        assert getattr(loghub, name).__doc__, name

    assert set(loghub.__all__) <= set(dir(loghub))


def test_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(loghub, "NoSuchHandler")


@pytest.mark.skipif("LOGHUB_TEST_INSTALLED" not in os.environ, reason="tox alone promises to test the wheel")
def test_the_installed_wheel_is_what_is_tested() -> None:
    code = "import loghub; print(loghub.__file__)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert "site-packages" in loghub.__file__
    assert "site-packages" in done.stdout
