# /// script
# requires-python = ">=3.11"
# dependencies = ["walrus==0.9.8", "redis==8.1.0"]
# ///
"""walrus."""

# --8<-- [start:settings]
import os

import walrus

# redis-py, which walrus stands on, knows the schemes redis:// and rediss:// only.
url = os.environ["VALKEY_URL"].replace("valkey", "redis", 1)
prefix = os.environ["VALKEY_PREFIX"].removesuffix("*")


class Database(walrus.Database):
    """Queries on models keep what they found in temporary keys."""

    def get_temp_key(self):
        return prefix + super().get_temp_key()


# Every name that walrus is given begins with the prefix.
database = Database.from_url(url)


class User(walrus.Model):
    __database__ = database
    __namespace__ = prefix
    name = walrus.TextField(primary_key=True)
    age = walrus.IntegerField(index=True)


# --8<-- [end:settings]

import redis.lock
from report import PREFIX, feature, run


@feature("containers: Hash, List, Set, ZSet")
def containers():
    names = [f"{PREFIX}{kind}" for kind in ("h", "l", "s", "z")]
    database.delete(*names)
    database.Hash(names[0]).update(a=1)
    database.List(names[1]).append("x")
    database.Set(names[2]).add("x")
    database.ZSet(names[3]).add({"x": 1})
    assert [database.type(name) for name in names] == [b"hash", b"list", b"set", b"zset"]


@feature("Cache")
def cache():
    held = database.cache(name=f"{PREFIX}cache")
    held.set("key", "value", 10)
    assert held.get("key") == "value"


@feature("rate limits")
def rate_limit():
    database.delete(f"{PREFIX}rate:me")
    limit = database.rate_limit(f"{PREFIX}rate", limit=1, per=60)
    assert [limit.limit("me"), limit.limit("me")] == [False, True]


@feature("streams with consumer groups")
def streams():
    database.delete(f"{PREFIX}stream")
    group = database.consumer_group("group", [f"{PREFIX}stream"])
    database.xadd(f"{PREFIX}stream", {"field": "value"})
    group.create()
    group.set_id("0")
    assert group.read()


@feature("Autocomplete")
def autocomplete():
    complete = database.autocomplete(namespace=f"{PREFIX}complete")
    complete.store("1", "valkey server")
    assert list(complete.search("val")) == ["valkey server"]


@feature("Autocomplete.flush")
def autocomplete_flush():
    database.autocomplete(namespace=f"{PREFIX}complete").flush()


@feature("Model: create, query by index")
def model():
    User.create(name="someone", age=30)
    assert [user.name for user in User.query(User.age > 20)] == ["someone"]


@feature("Model: query without get_temp_key as above")
def model_of_default_database():
    class Visitor(walrus.Model):
        __database__ = walrus.Database.from_url(url)
        __namespace__ = prefix
        name = walrus.TextField(primary_key=True)
        age = walrus.IntegerField(index=True)

    Visitor.create(name="someone", age=30)
    assert [visitor.name for visitor in Visitor.query(Visitor.age > 20)] == ["someone"]


@feature("Database.lock")
def lock():
    held = database.lock(f"{PREFIX}lock")
    assert held.acquire(block=False)
    held.release()


@feature("the Lock of redis-py instead")
def redis_lock():
    with redis.lock.Lock(database, f"{PREFIX}lock", timeout=10) as held:
        held.extend(10)


@feature("Database.keys, iteration over the keys")
def keys():
    assert database.keys(f"{PREFIX}*")


if __name__ == "__main__":
    run()
