"""What the command ends with: an exit code, and one line on standard error when it is not 0."""

from __future__ import annotations

import sys

OK, WRONG, BAD_REQUEST, NO_ANSWER = 0, 1, 2, 3


def complain(error: object, code: int) -> int:
    """Say what is wrong, in one line, and return ``code``."""
    print(f"nemwarm: {' '.join(str(error).split())}", file=sys.stderr)
    return code
