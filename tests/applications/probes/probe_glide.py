# /// script
# requires-python = ">=3.11"
# dependencies = ["valkey-glide-sync==2.6.0"]
# ///
"""Valkey GLIDE, synchronous."""

# --8<-- [start:settings]
import os

import glide_sync as glide

configuration = glide.GlideClientConfiguration(
    [glide.NodeAddress(os.environ["VALKEY_HOST"], int(os.environ["VALKEY_PORT"]))],
    credentials=glide.ServerCredentials(
        username=os.environ["VALKEY_USERNAME"], password=os.environ["VALKEY_PASSWORD"]
    ),
    database_id=int(os.environ["VALKEY_DATABASE"]),
)
connection = glide.GlideClient.create(configuration)
# --8<-- [end:settings]

from report import PREFIX, feature, run


@feature("commands")
def commands():
    assert connection.set(f"{PREFIX}key", "1") == "OK"
    assert connection.incr(f"{PREFIX}key") == 2


@feature("batch, atomic and not")
def batch():
    for is_atomic in (True, False):
        group = glide.Batch(is_atomic)
        group.set(f"{PREFIX}batch", "1")
        group.get(f"{PREFIX}batch")
        assert connection.exec(group, raise_on_error=True) == ["OK", b"1"]


@feature("Script")
def script():
    doubled = glide.Script("return {KEYS[1], server.call('GET', KEYS[1])}")
    connection.set(f"{PREFIX}script", "1")
    assert connection.invoke_script(doubled, keys=[f"{PREFIX}script"])[1] == b"1"


@feature("streams with consumer groups")
def streams():
    connection.delete([f"{PREFIX}stream"])
    options = glide.StreamGroupOptions(make_stream=True)
    connection.xgroup_create(f"{PREFIX}stream", "group", "0", options)
    entry = connection.xadd(f"{PREFIX}stream", [("field", "value")])
    assert connection.xreadgroup({f"{PREFIX}stream": ">"}, "group", "consumer")
    assert connection.xack(f"{PREFIX}stream", "group", [entry]) == 1


@feature("publish, subscribe")
def subscribe():
    modes = glide.GlideClientConfiguration.PubSubChannelModes
    subscriptions = glide.GlideClientConfiguration.PubSubSubscriptions(
        {modes.Exact: {f"{PREFIX}news"}}, callback=None, context=None
    )
    configuration.pubsub_subscriptions = subscriptions
    listener = glide.GlideClient.create(configuration)
    configuration.pubsub_subscriptions = None
    connection.publish("hello", f"{PREFIX}news")
    assert listener.get_pubsub_message().message == b"hello"
    listener.close()


@feature("update_connection_password")
def update_password():
    password = os.environ["VALKEY_PASSWORD"]
    assert connection.update_connection_password(password, immediate_auth=True) == "OK"


@feature("scan")
def scan():
    connection.set(f"{PREFIX}scanned", "1")
    cursor, keys = connection.scan("0", match=f"{PREFIX}*", count=1000)
    assert keys


@feature("dbsize")
def size():
    connection.set(f"{PREFIX}counted", "1")
    assert connection.dbsize() > 0


@feature("flushdb")
def flush():
    connection.set(f"{PREFIX}flushed", "1")
    connection.flushdb()
    assert connection.get(f"{PREFIX}flushed") is None


if __name__ == "__main__":
    run()
