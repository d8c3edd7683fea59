"""Thin Prefect flows over nem and cache_store.

Importing this package gives Prefect's environment its defaults. Prefect reads it once, when it is first imported, so
this is the one place early enough; whatever is set already stands.
"""

import os
from pathlib import Path

from cache_store.settings import Settings

_DEFAULTS = {
    # Without a server Prefect starts one of its own: the first time takes 26 to 28 s (migrations), on a busy machine
    # more than 90; its limit is 20.
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "300",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
}
# Its database goes beside our data, unless this user has a Prefect profile, which names a server.
if "PREFECT_HOME" not in os.environ and not (Path.home() / ".prefect" / "profiles.toml").exists():
    _home = Settings().home / "prefect"
    _home.mkdir(parents=True, exist_ok=True)  # Prefect would, without its parents
    _DEFAULTS["PREFECT_HOME"] = str(_home)
for _name, _value in _DEFAULTS.items():
    os.environ.setdefault(_name, _value)
