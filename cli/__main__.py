"""``python -m cli``: the same command, for a process of ours that need not be on the path."""

import sys

from cli import main

sys.exit(main())
