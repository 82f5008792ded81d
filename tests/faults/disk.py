"""Disks that fail, for tests: a small one, and one that answers with an error whenever it is told to."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <stdio.h>

/* While the file $FAIL_SWITCH is there, a write to a file below $FAIL_BELOW ends in EIO. */
ssize_t write(int descriptor, const void *data, size_t size) {
    static ssize_t (*real)(int, const void *, size_t);
    char link[64], path[4096];
    const char *control = getenv("FAIL_SWITCH"), *below = getenv("FAIL_BELOW");
    if (!real) real = (ssize_t (*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length > 0 && control && below && access(control, F_OK) == 0) {
        path[length] = 0;
        if (strncmp(path, below, strlen(below)) == 0) { errno = EIO; return -1; }
    }
    return real(descriptor, data, size);
}
"""

STALL = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

/* While the file $STALL_SWITCH is there, what allocates, writes or syncs below $STALL_BELOW takes $STALL_SECONDS more,
   and adds a byte to that file. */
static void stall(int descriptor) {
    char link[64], path[4096];
    const char *control = getenv("STALL_SWITCH"), *below = getenv("STALL_BELOW");
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0 || !control || !below || access(control, F_OK)) return;
    path[length] = 0;
    if (strncmp(path, below, strlen(below))) return;
    FILE *hits = fopen(control, "a");
    if (hits) { fputc('.', hits); fclose(hits); }
    usleep((useconds_t)(atof(getenv("STALL_SECONDS")) * 1e6));
}
#define STALLED(kind, name, declared, given) kind name declared { \
    static kind (*real) declared; \
    if (!real) real = (kind (*) declared)dlsym(RTLD_NEXT, #name); \
    stall(descriptor); \
    return real given; }
STALLED(int, fsync, (int descriptor), (descriptor))
STALLED(int, fdatasync, (int descriptor), (descriptor))
STALLED(int, posix_fallocate64, (int descriptor, off64_t at, off64_t size), (descriptor, at, size))
STALLED(ssize_t, write, (int descriptor, const void *data, size_t size), (descriptor, data, size))
STALLED(ssize_t, pwrite64, (int descriptor, const void *data, size_t size, off64_t at), (descriptor, data, size, at))
STALLED(ssize_t, pwritev64, (int descriptor, const struct iovec *data, int count, off64_t at),
        (descriptor, data, count, at))
STALLED(ssize_t, pwritev64v2, (int descriptor, const struct iovec *data, int count, off64_t at, int flags),
        (descriptor, data, count, at, flags))
"""


@contextlib.contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """Mount a tmpfs; it is an error where that is not allowed."""
    folder.mkdir()
    subprocess.run(["/bin/mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], check=True)

    try:
        yield folder
    finally:
        subprocess.run(["/bin/umount", "--lazy", str(folder)], check=True)


def remount(folder: Path, how: str) -> None:
    subprocess.run(["/bin/mount", "-o", f"remount,{how}", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Take the room that is left."""
    path = folder / "filler"

    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 4096)

    return path


def build_shim(folder: Path, text: str = SHIM) -> Path:
    """Compile the shim that lets writes fail, or another one."""
    source, library = folder / "shim.c", folder / "shim.so"
    source.write_text(text)
    compiler = shutil.which("cc")
    assert compiler is not None, "the tests of faults build a shim: install a C compiler"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"], check=True)
    return library


def without_rights() -> None:
    """Give up root's rights, which no permission binds; for children."""
    os.setgroups([])
    os.setgid(65_534)
    os.setuid(65_534)
