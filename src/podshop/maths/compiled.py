"""The one decorator of compiled functions, and where their machine code is kept.

numba's cache on disk does not notice a change in another file: a cached caller keeps calling the old callee. So the
folder carries a hash of every source that holds compiled code and of the compiler's version: an edit starts afresh.
"""

import hashlib
import importlib.metadata
import importlib.resources
import re
import sys
from collections.abc import Callable
from importlib.resources.abc import Traversable
from types import FunctionType
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])
COMPILED = re.compile(rb"^@(compiled|lean|stage)$", re.MULTILINE)


def sources_sha256() -> str:
    """Hash of every source file that holds a compiled function, of the interpreter and of the compiler (hex)."""
    digest = hashlib.sha256(f"{sys.version} {importlib.metadata.version('numba')}".encode())
    for path, source in sorted(_sources(importlib.resources.files("podshop"), "")):
        if COMPILED.search(source):
            digest.update(f"{path}\0{len(source)}\0".encode() + source)
    return digest.hexdigest()


def package_sha256() -> str:
    """Hash of every Python file of the package: which code made a record (hex)."""
    digest = hashlib.sha256()
    for path, source in sorted(_sources(importlib.resources.files("podshop"), "")):
        digest.update(f"{path}\0{len(source)}\0".encode() + source)
    return digest.hexdigest()


def _sources(folder: Traversable, prefix: str) -> list[tuple[str, bytes]]:
    found = []
    for entry in folder.iterdir():
        name = f"{prefix}/{entry.name}"
        if entry.is_dir() and entry.name != "__pycache__":
            found += _sources(entry, name)
        elif entry.name.endswith(".py"):
            found.append((name, entry.read_bytes()))
    return found


def cache_folder() -> str:
    """Where the machine code of this very build is kept, unless somebody chose a place by NUMBA_CACHE_DIR."""
    from numba import config

    if not config.CACHE_DIR:
        import platformdirs

        config.CACHE_DIR = f"{platformdirs.user_cache_dir('podshop')}/numba/{sources_sha256()[:16]}"
    return str(config.CACHE_DIR)


def compiled(function: F) -> F:
    """Compile for the path-dependent loops: exact IEEE arithmetic, cached on disk, without the interpreter's lock.

    `function.py_func` stays the plain Python original; both agree to the bit on + - x / sqrt and comparisons.
    """
    return _compiled(function)


def lean(function: F) -> F:
    """Compile a function that makes no arrays: then nobody counts references to those it is given.

    Counting costs ten atomic additions a call where a function has several ways out, and dominated the cycle.
    """
    return _compiled(function, _nrt=False)


def stage(function: F) -> F:
    """`lean`, for a function that only compiled code calls; `alone` makes it callable from Python.

    The doorway from Python for a function of many arrays costs a second to compile, and the cycle has many of them.
    """
    return _compiled(function, _nrt=False, no_cpython_wrapper=True)


def alone(function: F) -> F:
    """The same machine code as `stage`, callable from Python."""
    plain = original(function)
    copy: Any = FunctionType(plain.__code__, plain.__globals__, plain.__name__, plain.__defaults__, plain.__closure__)
    copy.__qualname__ = f"alone_{plain.__qualname__}"  # its own place in the cache, which knows no options
    copy.__module__ = plain.__module__
    callable_from_python: F = lean(copy)
    return callable_from_python


def original(function: Callable[..., Any]) -> Any:
    """The plain Python function that was compiled; one that only adds and multiplies takes whole columns, too."""
    return function.py_func  # type: ignore[attr-defined]


def _compiled(function: F, **options: Any) -> F:
    from numba import njit

    cache_folder()
    wrapped: F = njit(cache=True, fastmath=False, error_model="numpy", nogil=True, **options)(function)
    return wrapped
