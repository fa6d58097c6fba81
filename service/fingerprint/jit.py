"""How a kernel is compiled: by numba, on its first call, into its cache, without the interpreter's lock while it runs.

Importing this raises ImportError where numba is missing or switched off; ``kernels`` then takes the plain twins.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

if numba.config.DISABLE_JIT:  # type: ignore[attr-defined] # numba sets its options at run time
    raise ImportError("NUMBA_DISABLE_JIT is set")  # interpreted loops would be slower than the plain numpy ones

_F = TypeVar("_F", bound=Callable[..., Any])


def compile_kernel(function: _F) -> _F:
    """The function as machine code for the types it is called with."""
    return cast(_F, numba.njit(cache=True, nogil=True)(function))
