"""Arrow and NumPy, one as the other, without pandas: pyarrow's own ways import it, for half a second."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def as_arrow(values: np.ndarray[Any, Any]) -> pa.Array:
    """Numbers, times or booleans as an Arrow array. ``pa.array`` would import pandas for them: half a second."""
    held = np.packbits(values, bitorder="little") if values.dtype == bool else np.ascontiguousarray(values).view("u1")
    return pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), len(values), [None, pa.py_buffer(held)])


def as_numpy(values: pa.Array | pa.ChunkedArray) -> np.ndarray[Any, Any]:
    """Eight-byte values or booleans as NumPy's, null as not a number; ``to_numpy`` would import pandas, too."""
    held = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    if pa.types.is_floating(held.type):
        held = pc.fill_null(held, as_arrow(np.full(1, np.nan))[0])
    buffer, end = held.buffers()[1], held.offset + len(held)
    if pa.types.is_boolean(held.type):
        bits = np.unpackbits(np.frombuffer(buffer, "u1"), count=end, bitorder="little")
        return bits[held.offset :].view(bool)
    return np.frombuffer(buffer, held.type.to_pandas_dtype(), end)[held.offset :]
