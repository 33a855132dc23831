"""Confluent's Python client, as another team uses it: `python3 tools/interop/confluent_avro.py <registry url>`.

One question a line on standard input, one answer a line on standard output:
  {"decode": hex}                                    {"value": ...} or {"error": text}
  {"encode": value, "schema": text, "subject": name} {"hex": hex}   or {"error": text}
JSON has no bytes and no numbers beyond 2^53: {"$bytes": hex} and {"$long": text} stand for them, in both directions. A time is its microseconds since 1970.
"""

import datetime
import json
import sys

from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
EXACT = 2**53 - 1


def to_json(value):
    if isinstance(value, (bytes, bytearray)):
        return {"$bytes": bytes(value).hex()}
    if isinstance(value, datetime.datetime):
        return (value - EPOCH) // datetime.timedelta(microseconds=1)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > EXACT:
        return {"$long": str(value)}
    if isinstance(value, dict):
        return {key: to_json(each) for key, each in value.items()}
    return [to_json(each) for each in value] if isinstance(value, (list, tuple)) else value


def from_json(value):
    if isinstance(value, list):
        return [from_json(each) for each in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"$bytes"}:
        return bytes.fromhex(value["$bytes"])
    if set(value) == {"$long"}:
        return int(value["$long"])
    return {key: from_json(each) for key, each in value.items()}


def answer(registry, deserialize, question):
    context = SerializationContext("a-topic", MessageField.VALUE)
    if "decode" in question:
        return {"value": to_json(deserialize(bytes.fromhex(question["decode"]), context))}
    settings = {"subject.name.strategy": lambda _context, _record: question["subject"]}
    serialize = AvroSerializer(registry, question["schema"], conf=settings)
    return {"hex": serialize(from_json(question["encode"]), context).hex()}


def main():
    registry = SchemaRegistryClient({"url": sys.argv[1]})
    deserialize = AvroDeserializer(registry)
    for line in sys.stdin:
        try:
            told = answer(registry, deserialize, json.loads(line))
        except Exception as error:  # whatever the client throws is its answer
            told = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(told), flush=True)


main()
