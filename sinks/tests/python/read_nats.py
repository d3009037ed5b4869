"""Prints every message of a stream, one JSON object a line, as NATS's own Python client reads it.

Arguments: the server and the stream.
"""

import asyncio
import json
import sys

import nats
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy


async def main(server, stream):
    client = await nats.connect(server)
    context = client.jetstream()
    info = await context.stream_info(stream)
    config = ConsumerConfig(deliver_policy=DeliverPolicy.ALL, ack_policy=AckPolicy.NONE)
    messages = await context.pull_subscribe(subject=info.config.subjects[0], stream=stream, config=config)
    at = 0
    while at < info.state.last_seq:
        for message in await messages.fetch(min(1000, info.state.last_seq - at), timeout=10):
            at = message.metadata.sequence.stream
            line = {"subject": message.subject, "headers": dict(message.headers), "data": message.data.decode()}
            print(json.dumps(line))
    await client.close()


asyncio.run(main(*sys.argv[1:]))
