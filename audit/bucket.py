"""An S3 bucket with Object Lock: what is put there can't be written over or taken away by anybody,
not even by whoever owns the bucket, until its retention ends (mode COMPLIANCE).

boto3, for it sends the headers of the lock with each object; obstore can't. It waits and loads for
long, so it works in a thread of its own (audit/apart.py).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from audit.anchors import AnchorAway, Parcel, Receipt
from audit.apart import Apart

_YEAR = timedelta(days=365.25)
_CLOCKS = timedelta(hours=1)  # that ours and the bucket's may differ by

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Place:
    """Which bucket, and by whose keys; without keys boto3 looks where it always does."""

    bucket: str
    prefix: str = ""
    region: str | None = None
    endpoint: str | None = None
    access_key: str | None = field(default=None, repr=False)
    secret_key: str | None = field(default=None, repr=False)


class BucketAnchor:
    """Objects `PREFIX ORIGIN/NAME`: the files of each parcel."""

    name = "s3"
    each = False
    stamps = False
    patience = 60.0

    def __init__(self, place: Place, years: int) -> None:
        self._place = place
        self._retention = years * _YEAR
        self._apart = Apart("anchor-s3")
        self._client: Any = None

    async def put(self, parcel: Parcel) -> Receipt:
        """Put the note and what goes with it, and read all back. What stands there already is left
        if it is the same; anything else in its place is an error to be looked into."""
        return await self._apart.run(lambda: self._put(parcel), self.patience)

    async def kept(self) -> Mapping[str, bytes]:
        """All that was ever put there, by name: each version of each object, whatever was put or
        deleted above it since. Raises AnchorAway."""
        return await self._apart.run(lambda: _told(lambda: dict(self._every())), 3600.0)

    def _put(self, parcel: Parcel) -> Receipt:
        place = ""
        until = datetime.now(UTC) + self._retention
        for name, content in parcel.files().items():
            key = f"{self._place.prefix}{parcel.origin}/{name}"
            version = _told(partial(self._keep, key, content, until))
            place = place or f"{key} {version}".strip()
        return Receipt(place)

    def _keep(self, key: str, content: bytes, until: datetime) -> str:
        """One object; its version."""
        from botocore.exceptions import ClientError

        try:
            self._s3().put_object(
                Bucket=self._place.bucket,
                Key=key,
                Body=content,
                ContentType="application/octet-stream",
                IfNoneMatch="*",
                ChecksumAlgorithm="SHA256",
                ObjectLockMode="COMPLIANCE",
                ObjectLockRetainUntilDate=until,
            )
        except ClientError as error:
            if _code(error) not in {"PreconditionFailed", "412"}:
                raise
            until = min(until, datetime.now(UTC))  # put before; its retention runs already
        found = self._s3().get_object(Bucket=self._place.bucket, Key=key)
        if found["Body"].read() != content:
            raise AnchorAway(f"{key} in the bucket is not what was put there")
        locked = found.get("ObjectLockMode"), found.get("ObjectLockRetainUntilDate", _NEVER)
        if locked[0] != "COMPLIANCE" or locked[1] < until - _CLOCKS:
            raise AnchorAway(f"{key} is not locked: has the bucket no Object Lock?")
        return str(found.get("VersionId", ""))

    def _every(self) -> Iterator[tuple[str, bytes]]:
        where = {"Bucket": self._place.bucket, "Prefix": f"{self._place.prefix}miyabi/"}
        for page in self._s3().get_paginator("list_object_versions").paginate(**where):
            for each in page.get("Versions", ()):
                key, version = each["Key"], each["VersionId"]
                found = self._s3().get_object(Bucket=self._place.bucket, Key=key, VersionId=version)
                stem, dot, ending = key.removeprefix(self._place.prefix).rpartition(".")
                name = f"{stem}{dot}{ending}" if each["IsLatest"] else f"{stem}@{version}.{ending}"
                yield name, found["Body"].read()

    def _s3(self) -> Any:
        if self._client is None:
            import boto3
            from botocore.config import Config

            self._client = boto3.session.Session().client(
                "s3",
                region_name=self._place.region,
                endpoint_url=self._place.endpoint,
                aws_access_key_id=self._place.access_key,
                aws_secret_access_key=self._place.secret_key,
                config=Config(
                    connect_timeout=5,
                    read_timeout=10,
                    retries={"total_max_attempts": 1},
                    s3={"addressing_style": "path" if self._place.endpoint else "auto"},
                ),
            )
        return self._client


_NEVER = datetime.fromtimestamp(0, UTC)


def _told(work: Callable[[], _Result]) -> _Result:
    """What boto3 raises, in words of ours: by its code, as a message may repeat what was sent."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return work()
    except ClientError as error:
        raise AnchorAway(f"the bucket refused: {_code(error)}") from error
    except BotoCoreError as error:
        raise AnchorAway(f"the bucket can't be reached: {type(error).__name__}") from error


def _code(error: Any) -> str:
    return str(error.response.get("Error", {}).get("Code", "unknown"))
