# /// script
# requires-python = ">=3.11"
# dependencies = ["django==5.2.19", "redis==8.1.0"]
# ///
"""The cache backend that Django brings."""

# --8<-- [start:settings]
import os

CACHE = {
    "BACKEND": "django.core.cache.backends.redis.RedisCache",
    # redis-py, which the backend uses, knows the schemes redis:// and rediss:// only.
    "LOCATION": os.environ["VALKEY_URL"].replace("valkey", "redis", 1),
    "KEY_PREFIX": os.environ["VALKEY_PREFIX"].removesuffix(":*"),
}
# --8<-- [end:settings]

import django_cache
from report import run

if __name__ == "__main__":
    django_cache.configure(default=CACHE)
    django_cache.clear()
    run()
