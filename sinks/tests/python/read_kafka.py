"""Prints every message of a topic's partition 0, one JSON object a line, as Confluent's Python client reads it.

Arguments: the brokers and the topic.
"""

import json
import sys

from confluent_kafka import Consumer, KafkaError, TopicPartition

brokers, topic = sys.argv[1:]
consumer = Consumer(
    {
        "bootstrap.servers": brokers,
        "group.id": "reader",
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "auto.offset.reset": "earliest",
    }
)
consumer.assign([TopicPartition(topic, 0, 0)])
while True:
    message = consumer.poll(20)
    assert message is not None, "nothing was heard for 20 s"
    if message.error():
        assert message.error().code() == KafkaError._PARTITION_EOF, message.error()
        break
    headers = {name: value.decode() for name, value in message.headers()}
    print(json.dumps({"offset": message.offset(), "headers": headers, "data": message.value().decode()}))
consumer.close()
