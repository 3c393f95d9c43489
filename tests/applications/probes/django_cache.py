"""What Django applications do with a cache, whichever backend it has."""

import os
import uuid

import django
from django.conf import settings
from report import feature, wait_until

# Keys are PREFIX:VERSION:KEY.
KEY_PREFIX = os.environ["VALKEY_PREFIX"].removesuffix(":*")


def configure(**caches):
    """Set up Django with these caches, and sessions in the default one."""
    settings.configure(
        CACHES=caches,
        INSTALLED_APPS=["django.contrib.sessions"],
        SESSION_ENGINE="django.contrib.sessions.backends.cache",
        SECRET_KEY=uuid.uuid4().hex,
        USE_TZ=True,
    )
    django.setup()


@feature("get, set, add, incr, touch, delete, get_many, set_many")
def basics():
    from django.core.cache import cache

    cache.set("key", 1, timeout=60)
    assert cache.incr("key") == 2
    assert not cache.add("key", 5)
    assert cache.touch("key", 60)
    cache.set_many({"one": 1, "two": [2]})
    assert cache.get_many(["one", "two"]) == {"one": 1, "two": [2]}
    cache.delete("key")
    assert cache.get("key") is None


@feature("sessions")
def sessions():
    from django.contrib.sessions.backends.cache import SessionStore

    session = SessionStore()
    session["user"] = 1
    session.save()
    assert SessionStore(session.session_key)["user"] == 1


def extras():
    """What the two packages add to Django's own backend."""

    @feature("ttl, lock")
    def lock():
        from django.core.cache import cache

        cache.set("key", 1, timeout=60)
        assert 0 < cache.ttl("key") <= 60
        with cache.lock("lock", timeout=10):
            pass

    @feature("delete_pattern, iter_keys")
    def delete_pattern():
        from django.core.cache import cache

        cache.set("some-key", 1)
        assert "some-key" in set(cache.iter_keys("some-*"))
        assert cache.delete_pattern("some-*") == 1

    @feature("keys")
    def keys():
        from django.core.cache import cache

        cache.set("some-key", 1)
        assert "some-key" in cache.keys("some-*")


def sentinel():
    """The cache named so, which asks the Sentinels, and may read from a replica."""

    @feature("Sentinel")
    def follow():
        from django.core.cache import caches

        cache = caches["sentinel"]
        servers = cache.client.connect(0).connection_pool.sentinel_manager
        wait_until(lambda: servers.discover_slaves(os.environ["VALKEY_PRIMARY_NAME"]), "a replica")
        value = uuid.uuid4().hex
        cache.set("followed", value)
        wait_until(lambda: cache.get("followed") == value, "the value on a replica")


def clear():
    """Last, for it takes everything."""

    @feature("clear")
    def clear_all():
        from django.core.cache import cache

        cache.set("key", 1)
        cache.clear()
        assert cache.get("key") is None
