# /// script
# requires-python = ">=3.11"
# dependencies = ["valkey==6.2.0"]
# ///
"""valkey-py, synchronous."""

# --8<-- [start:settings]
import os

import valkey

connection = valkey.Valkey.from_url(os.environ["VALKEY_URL"], decode_responses=True)
# --8<-- [end:settings]

from report import PREFIX, feature, run, wait_until


@feature("Lock: acquire, extend, reacquire, release")
def lock():
    held = connection.lock(f"{PREFIX}lock", timeout=10)
    assert held.acquire(blocking=False)
    assert held.extend(10) and held.reacquire()
    held.release()


@feature("pipeline")
def pipeline():
    with connection.pipeline() as pipe:
        assert pipe.set(f"{PREFIX}p", "1").incr(f"{PREFIX}p").execute() == [True, 2]


@feature("transaction with WATCH")
def transaction():
    def double(pipe):
        value = int(pipe.get(f"{PREFIX}w") or 1)
        pipe.multi()
        pipe.set(f"{PREFIX}w", value * 2)

    assert connection.transaction(double, f"{PREFIX}w") == [True]


def hears(subscribe, channel, pattern):
    """Whether what is published on the channel arrives at a subscriber."""
    with connection.pubsub() as subscriber:
        (subscriber.psubscribe if subscribe == "pattern" else subscriber.subscribe)(pattern)
        wait_until(lambda: subscriber.get_message(timeout=1), "the subscription")
        connection.publish(channel, "hello")
        heard = []
        wait_until(lambda: heard.append(subscriber.get_message(timeout=1)) or heard[-1], "hello")
        assert heard[-1]["data"] == "hello"


@feature("publish, subscribe")
def subscribe():
    hears("channel", f"{PREFIX}news", f"{PREFIX}news")


@feature("psubscribe to the whole prefix")
def subscribe_to_prefix():
    hears("pattern", f"{PREFIX}news", f"{PREFIX}*")


@feature("psubscribe to a narrower pattern")
def subscribe_to_pattern():
    hears("pattern", f"{PREFIX}room.1", f"{PREFIX}room.*")


@feature("streams with consumer groups")
def streams():
    connection.delete(f"{PREFIX}stream")
    connection.xgroup_create(f"{PREFIX}stream", "group", id="0", mkstream=True)
    entry = connection.xadd(f"{PREFIX}stream", {"field": "value"})
    read = connection.xreadgroup("group", "consumer", {f"{PREFIX}stream": ">"}, count=1)
    assert read == [[f"{PREFIX}stream", [(entry, {"field": "value"})]]]
    assert connection.xack(f"{PREFIX}stream", "group", entry) == 1


@feature("registered scripts")
def scripts():
    script = connection.register_script("return server.call('INCR', KEYS[1])")
    connection.delete(f"{PREFIX}script")
    assert script(keys=[f"{PREFIX}script"]) == 1


@feature("blocking pop")
def blocking_pop():
    connection.rpush(f"{PREFIX}list", "item")
    assert tuple(connection.blpop([f"{PREFIX}list"], timeout=5)) == (f"{PREFIX}list", "item")


@feature("hscan, sscan, zscan")
def scan_of_a_key():
    connection.hset(f"{PREFIX}hash", "field", "value")
    assert dict(connection.hscan_iter(f"{PREFIX}hash")) == {"field": "value"}
    connection.sadd(f"{PREFIX}set", "member")
    assert set(connection.sscan_iter(f"{PREFIX}set")) == {"member"}
    connection.zadd(f"{PREFIX}zset", {"member": 1})
    assert dict(connection.zscan_iter(f"{PREFIX}zset")) == {"member": 1}


@feature("info")
def info():
    assert connection.info("server")["tcp_port"]


@feature("Sentinel")
def sentinel():
    # --8<-- [start:sentinel]
    import valkey.sentinel

    account = {
        "username": os.environ["VALKEY_USERNAME"],
        "password": os.environ["VALKEY_PASSWORD"],
    }
    sentinels = valkey.sentinel.Sentinel(
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


@feature("keyspace notifications")
def notifications():
    channel = f"__keyspace@{os.environ['VALKEY_DATABASE']}__:{PREFIX}*"
    with connection.pubsub() as subscriber:
        subscriber.psubscribe(channel)
        wait_until(lambda: subscriber.get_message(timeout=1), "the subscription")
        connection.set(f"{PREFIX}noticed", "1")
        heard = []
        wait_until(
            lambda: heard.append(subscriber.get_message(timeout=1)) or heard[-1], "an event"
        )
        assert heard[-1]["data"] == "set"


@feature("scan_iter")
def scan():
    connection.set(f"{PREFIX}scanned", "1")
    assert f"{PREFIX}scanned" in set(connection.scan_iter(match=f"{PREFIX}*"))


@feature("keys")
def keys():
    connection.set(f"{PREFIX}listed", "1")
    assert f"{PREFIX}listed" in connection.keys(f"{PREFIX}*")


@feature("dbsize, randomkey")
def size():
    connection.set(f"{PREFIX}counted", "1")
    assert connection.dbsize() > 0
    assert connection.randomkey()


@feature("flushdb")
def flush():
    connection.set(f"{PREFIX}flushed", "1")
    connection.flushdb()
    assert connection.get(f"{PREFIX}flushed") is None


@feature("function_load, fcall")
def functions():
    connection.function_load("#!lua name=probe\nserver.register_function('f', function() end)")


@feature("client_list")
def clients():
    assert connection.client_list()


@feature("config_get")
def configuration():
    assert connection.config_get("maxmemory")


if __name__ == "__main__":
    run()
