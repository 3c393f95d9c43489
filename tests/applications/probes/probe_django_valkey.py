# /// script
# requires-python = ">=3.11"
# dependencies = ["django-valkey==0.4.1", "django==5.2.19", "valkey==6.2.0"]
# ///
"""django-valkey."""

# --8<-- [start:settings]
import os

CACHE = {
    "BACKEND": "django_valkey.cache.ValkeyCache",
    "LOCATION": os.environ["VALKEY_URL"],
    "KEY_PREFIX": os.environ["VALKEY_PREFIX"].removesuffix(":*"),
}
# --8<-- [end:settings]

import django_cache
from report import run

# --8<-- [start:sentinel]
account = {"username": os.environ["VALKEY_USERNAME"], "password": os.environ["VALKEY_PASSWORD"]}
location = f"valkey://{os.environ['VALKEY_PRIMARY_NAME']}/{os.environ['VALKEY_DATABASE']}"
SENTINEL_CACHE = {
    "BACKEND": "django_valkey.cache.ValkeyCache",
    "LOCATION": location,
    "KEY_PREFIX": os.environ["VALKEY_PREFIX"].removesuffix(":*"),
    "OPTIONS": {
        "CLIENT_CLASS": "django_valkey.client.SentinelClient",
        "CONNECTION_FACTORY": "django_valkey.pool.SentinelConnectionFactory",
        "CONNECTION_POOL_KWARGS": account,
        "SENTINELS": [
            tuple(node.rsplit(":", 1)) for node in os.environ["VALKEY_SENTINELS"].split(",")
        ],
        "SENTINEL_KWARGS": account,
    },
}
# --8<-- [end:sentinel]
if __name__ == "__main__":
    django_cache.configure(default=CACHE, sentinel=SENTINEL_CACHE)
    django_cache.extras()
    django_cache.sentinel()
    django_cache.clear()
    run()
