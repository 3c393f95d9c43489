# /// script
# requires-python = ">=3.11"
# dependencies = ["valkey==6.2.0"]
# ///
"""valkey-py, asyncio."""

# --8<-- [start:settings]
import os

import valkey.asyncio


def connect():
    return valkey.asyncio.Valkey.from_url(os.environ["VALKEY_URL"], decode_responses=True)


# --8<-- [end:settings]

from report import PREFIX, feature, run


@feature("Lock: acquire, extend, reacquire, release")
async def lock():
    async with connect() as connection:
        held = connection.lock(f"{PREFIX}lock", timeout=10)
        assert await held.acquire(blocking=False)
        assert await held.extend(10) and await held.reacquire()
        await held.release()


@feature("pipeline")
async def pipeline():
    async with connect() as connection, connection.pipeline() as pipe:
        assert await pipe.set(f"{PREFIX}p", "1").incr(f"{PREFIX}p").execute() == [True, 2]


@feature("transaction with WATCH")
async def transaction():
    async with connect() as connection:

        async def double(pipe):
            value = int(await pipe.get(f"{PREFIX}w") or 1)
            pipe.multi()
            pipe.set(f"{PREFIX}w", value * 2)

        assert await connection.transaction(double, f"{PREFIX}w") == [True]


@feature("publish, subscribe")
async def subscribe():
    async with connect() as connection, connection.pubsub() as subscriber:
        await subscriber.subscribe(f"{PREFIX}news")
        assert (await subscriber.get_message(timeout=10))["type"] == "subscribe"
        await connection.publish(f"{PREFIX}news", "hello")
        assert (await subscriber.get_message(timeout=10))["data"] == "hello"


@feature("streams with consumer groups")
async def streams():
    async with connect() as connection:
        await connection.delete(f"{PREFIX}stream")
        await connection.xgroup_create(f"{PREFIX}stream", "group", id="0", mkstream=True)
        entry = await connection.xadd(f"{PREFIX}stream", {"field": "value"})
        ((_, read),) = await connection.xreadgroup("group", "me", {f"{PREFIX}stream": ">"})
        assert read == [(entry, {"field": "value"})]
        assert await connection.xack(f"{PREFIX}stream", "group", entry) == 1


@feature("registered scripts")
async def scripts():
    async with connect() as connection:
        script = connection.register_script("return server.call('INCR', KEYS[1])")
        await connection.delete(f"{PREFIX}script")
        assert await script(keys=[f"{PREFIX}script"]) == 1


@feature("blocking pop")
async def blocking_pop():
    async with connect() as connection:
        await connection.rpush(f"{PREFIX}list", "item")
        assert (await connection.blpop([f"{PREFIX}list"], timeout=5))[1] == "item"


@feature("hscan")
async def scan_of_a_key():
    async with connect() as connection:
        await connection.hset(f"{PREFIX}hash", "field", "value")
        assert [pair async for pair in connection.hscan_iter(f"{PREFIX}hash")]


@feature("scan_iter")
async def scan():
    async with connect() as connection:
        await connection.set(f"{PREFIX}scanned", "1")
        keys = [key async for key in connection.scan_iter(match=f"{PREFIX}*")]
        assert f"{PREFIX}scanned" in keys


@feature("keys")
async def keys():
    async with connect() as connection:
        await connection.set(f"{PREFIX}listed", "1")
        assert f"{PREFIX}listed" in await connection.keys(f"{PREFIX}*")


@feature("dbsize")
async def size():
    async with connect() as connection:
        await connection.set(f"{PREFIX}counted", "1")
        assert await connection.dbsize() > 0


@feature("flushdb")
async def flush():
    async with connect() as connection:
        await connection.set(f"{PREFIX}flushed", "1")
        await connection.flushdb()
        assert await connection.get(f"{PREFIX}flushed") is None


if __name__ == "__main__":
    run()
