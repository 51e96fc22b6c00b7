"""A bucket with Object Lock on moto's S3 server."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

from audit.bucket import Place

KEYS = {"access_key": "AKIAEXAMPLE", "secret_key": "a-key-that-nobody-sees"}


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bucket, and a client that may do all that its owner may."""

    place: Place
    client: Any

    def versions(self) -> list[str]:
        """The keys of all versions there are."""
        found = self.client.list_object_versions(Bucket=self.place.bucket)
        return [each["Key"] for each in found.get("Versions", ())]


@contextmanager
def s3_server() -> Iterator[str]:
    """moto's server at a free port; its address."""
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def make_bucket(endpoint: str, *, locked: bool = True) -> Bucket:
    """A new one; without `locked`, one that can't lock what is put into it."""
    name = f"audit-{uuid.uuid4().hex[:12]}"
    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=KEYS["access_key"],
        aws_secret_access_key=KEYS["secret_key"],
    )
    client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=locked)
    place = Place(name, "logs/", "us-east-1", endpoint, **KEYS)
    return Bucket(place, client)
