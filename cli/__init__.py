"""The ``nemwarm`` command: the one place that knows all four packages, each imported when its command runs."""

from __future__ import annotations

import sys

from cli.codes import BAD_REQUEST, NO_ANSWER, OK, complain
from cli.parser import build_parser

# What the optional parts of the installation bring, by the name that is missing without them.
_EXTRAS = {
    **dict.fromkeys(("alembic", "prefect", "sqlalchemy"), "flows"),
    "prefect_dask": "dask",
    **dict.fromkeys(("bokeh", "pandas", "panel", "tornado"), "dashboard"),
}


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 found wrong by `check`, 2 bad request, 3 no answer."""
    arguments = build_parser().parse_args(argv)
    from pydantic import ValidationError

    from cache_store.errors import CacheStoreError, RequestError, UnknownQueryError
    from nem.errors import NemError, UnknownFeedError, WindowError

    try:
        code: int = arguments.run(arguments)
    except (WindowError, UnknownFeedError, RequestError, UnknownQueryError) as error:
        return complain(error, BAD_REQUEST)
    except ValidationError as error:
        words = (": ".join([*(str(part) for part in one["loc"]), one["msg"]]) for one in error.errors())
        return complain(f"settings: {'; '.join(words)}", BAD_REQUEST)
    except (NemError, CacheStoreError) as error:
        return complain(error, NO_ANSWER)
    except ModuleNotFoundError as error:
        if extra := _EXTRAS.get((error.name or "").partition(".")[0]):
            return complain(
                f"this needs {error.name}, which is not installed: pip install 'nemwarm[{extra}]'", BAD_REQUEST
            )
        raise
    except BrokenPipeError:
        # Whoever read our output has had enough (`nemwarm query … | head`).
        sys.stdout = None
        return OK
    except OSError as error:
        return complain(f"{error.strerror}: {error.filename or 'the output'}", NO_ANSWER)
    return code
