# /// script
# requires-python = ">=3.11"
# dependencies = ["django-redis==7.0.0", "django==5.2.19", "redis==8.1.0"]
# ///
"""django-redis."""

# --8<-- [start:settings]
import os

CACHE = {
    "BACKEND": "django_redis.cache.RedisCache",
    # redis-py, which the backend uses, knows the schemes redis:// and rediss:// only.
    "LOCATION": os.environ["VALKEY_URL"].replace("valkey", "redis", 1),
    "KEY_PREFIX": os.environ["VALKEY_PREFIX"].removesuffix(":*"),
}
# --8<-- [end:settings]

import django_cache
from report import run

# --8<-- [start:sentinel]
account = {"username": os.environ["VALKEY_USERNAME"], "password": os.environ["VALKEY_PASSWORD"]}
location = f"redis://{os.environ['VALKEY_PRIMARY_NAME']}/{os.environ['VALKEY_DATABASE']}"
SENTINEL_CACHE = {
    "BACKEND": "django_redis.cache.RedisCache",
    "LOCATION": location,
    "KEY_PREFIX": os.environ["VALKEY_PREFIX"].removesuffix(":*"),
    "OPTIONS": {
        "CLIENT_CLASS": "django_redis.client.SentinelClient",
        "CONNECTION_FACTORY": "django_redis.pool.SentinelConnectionFactory",
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
