"""A store in a bucket of S3 behind a real HTTP server: moto's, in this process."""

from collections.abc import Iterator
from contextlib import contextmanager

from audit.store import Store, in_bucket
from tests.fakes.anchors.bucket import make_bucket, s3_server


@contextmanager
def store_in_bucket() -> Iterator[Store]:
    """One of its own, empty."""
    with s3_server() as endpoint:
        place = make_bucket(endpoint, locked=False).place
        yield in_bucket(
            f"s3://{place.bucket}/of/ours",
            endpoint=endpoint,
            region=place.region,
            access_key_id=place.access_key,
            secret_access_key=place.secret_key,
        )
