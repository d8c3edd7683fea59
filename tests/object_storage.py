"""Object storage for tests: the client's own, in this process's memory, which honours conditions on writes.

`NEMWARM_TEST_REMOTE=s3://bucket`, with AWS_* for its keys and endpoint, has the same tests run on a server besides.
"""

from __future__ import annotations

import os

SERVER = os.environ.get("NEMWARM_TEST_REMOTE")
PLACES = ["memory:/", *filter(None, [SERVER])]


class Failing:
    """Objects that can be put ``left`` more times; then a kill, which no handler of ours may catch."""

    def __init__(self, objects, left=0):
        self.objects, self.left = objects, left

    def put(self, *given, **options):
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt("killed")
        return self.objects.put(*given, **options)

    def __getattr__(self, name):
        return getattr(self.objects, name)


class Counting:
    """Objects that count what is asked of them."""

    def __init__(self, objects):
        self.objects, self.asked = objects, []

    def __getattr__(self, name):
        def ask(*given, **options):
            self.asked.append((name, given[0] if given else ""))
            return getattr(self.objects, name)(*given, **options)

        return ask


class Away:
    """Objects that cannot be reached."""

    def __getattr__(self, name):
        from obstore.exceptions import GenericError

        def fail(*_given, **_options):
            raise GenericError("connection refused\nDebug source: 40 lines")

        return fail


class Aged:
    """Objects that were put there longer ago than they were."""

    def __init__(self, objects, by):
        self.objects, self.by = objects, by

    def list(self):
        pages = self.objects.list()
        return [[{**one, "last_modified": one["last_modified"] - self.by} for one in page] for page in pages]

    def __getattr__(self, name):
        return getattr(self.objects, name)
