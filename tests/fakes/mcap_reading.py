"""Reads a recording the way a foreign tool does: the mcap library, and the protobuf schemas inside the file."""

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from mcap.reader import make_reader
from mcap.stream_reader import StreamReader


def messages(path):
    """(topic, log time in seconds, decoded message) in the file's order, through its index."""
    with path.open("rb") as file:
        for schema, channel, message in make_reader(file, validate_crcs=True).iter_messages():
            yield channel.topic, message.log_time / 1e9, decode(schema, message.data)


def records(path):
    """Records up to where the file ends, for one that was never finished."""
    with path.open("rb") as file:
        try:
            yield from StreamReader(file, record_size_limit=None).records
        except Exception:  # noqa: BLE001 - the torn end raises whatever the tear looks like
            return


def decode(schema, data):
    assert schema.encoding == "protobuf"
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(schema.data).file:
        pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(schema.name)).FromString(data)
