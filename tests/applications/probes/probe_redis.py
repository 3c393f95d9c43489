# /// script
# requires-python = ">=3.11"
# dependencies = ["redis==8.1.0"]
# ///
"""redis-py, synchronous and asyncio, with both versions of the protocol."""

# --8<-- [start:settings]
import os

import redis

# redis-py knows the schemes redis:// and rediss:// only.
url = os.environ["VALKEY_URL"].replace("valkey", "redis", 1)
connection = redis.Redis.from_url(url, decode_responses=True)
# --8<-- [end:settings]

import redis.asyncio
from redis.cache import CacheConfig
from report import PREFIX, feature, run, wait_until


def use(client):
    """What works everywhere: data, a lock, a transaction, a script, messages."""
    with client.lock(f"{PREFIX}lock", timeout=10) as held:
        held.extend(10)
    with client.pipeline(transaction=True) as pipe:
        assert pipe.set(f"{PREFIX}p", "1").incr(f"{PREFIX}p").execute() == [True, 2]
    assert client.register_script("return redis.call('GET', KEYS[1])")([f"{PREFIX}p"]) == "2"
    with client.pubsub() as subscriber:
        subscriber.subscribe(f"{PREFIX}news")
        assert subscriber.get_message(timeout=10)["type"] == "subscribe"
        client.publish(f"{PREFIX}news", "hello")
        assert subscriber.get_message(timeout=10)["data"] == "hello"


async def use_async(protocol):
    """The same for asyncio."""
    async with redis.asyncio.from_url(url, protocol=protocol, decode_responses=True) as client:
        async with client.lock(f"{PREFIX}lock", timeout=10) as held:
            await held.extend(10)
        async with client.pipeline(transaction=True) as pipe:
            assert await pipe.set(f"{PREFIX}p", "1").incr(f"{PREFIX}p").execute() == [True, 2]
        script = client.register_script("return redis.call('GET', KEYS[1])")
        assert await script([f"{PREFIX}p"]) == "2"
        async with client.pubsub() as subscriber:
            await subscriber.subscribe(f"{PREFIX}news")
            assert (await subscriber.get_message(timeout=10))["type"] == "subscribe"
            await client.publish(f"{PREFIX}news", "hello")
            assert (await subscriber.get_message(timeout=10))["data"] == "hello"


@feature("Lock, transaction, script, messages: RESP2")
def resp2():
    use(redis.Redis.from_url(url, protocol=2, decode_responses=True))


@feature("Lock, transaction, script, messages: RESP3")
def resp3():
    use(redis.Redis.from_url(url, protocol=3, decode_responses=True))


@feature("Lock, transaction, script, messages: asyncio, RESP2")
async def asyncio_resp2():
    await use_async(2)


@feature("Lock, transaction, script, messages: asyncio, RESP3")
async def asyncio_resp3():
    await use_async(3)


@feature("Sentinel")
def sentinel():
    # --8<-- [start:sentinel]
    account = {
        "username": os.environ["VALKEY_USERNAME"],
        "password": os.environ["VALKEY_PASSWORD"],
    }
    sentinels = redis.Sentinel(
        [node.rsplit(":", 1) for node in os.environ["VALKEY_SENTINELS"].split(",")],
        sentinel_kwargs=account,
        db=int(os.environ["VALKEY_DATABASE"]),
        **account,
    )
    primary = sentinels.master_for(os.environ["VALKEY_PRIMARY_NAME"])
    # --8<-- [end:sentinel]
    assert primary.set(f"{PREFIX}sentinel", "1")
    wait_until(lambda: sentinels.discover_slaves(os.environ["VALKEY_PRIMARY_NAME"]), "a replica")
    replica = sentinels.slave_for(os.environ["VALKEY_PRIMARY_NAME"])
    wait_until(lambda: replica.get(f"{PREFIX}sentinel") == b"1", "the value on a replica")


@feature("client-side caching (CacheConfig)")
def cache():
    caching = redis.Redis.from_url(url, protocol=3, cache_config=CacheConfig())
    caching.set(f"{PREFIX}cached", "1")
    assert caching.get(f"{PREFIX}cached") == b"1"


@feature("scan_iter")
def scan():
    connection.set(f"{PREFIX}scanned", "1")
    assert f"{PREFIX}scanned" in set(connection.scan_iter(match=f"{PREFIX}*"))


@feature("flushdb")
def flush():
    connection.set(f"{PREFIX}flushed", "1")
    connection.flushdb()
    assert connection.get(f"{PREFIX}flushed") is None


if __name__ == "__main__":
    run()
