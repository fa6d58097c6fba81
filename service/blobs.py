"""Bytes by their SHA-256: a folder or an S3-compatible store. Nothing else opens capture files."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

from service.errors import BadInput, NotFound


class BlobStore(Protocol):
    """Puts and gets bytes by content. Putting the same bytes twice stores them once."""

    def put(self, body: bytes) -> str:
        """Stores the bytes durably and returns their SHA-256 (64 hex digits)."""

    def get(self, sha256: str) -> bytes:
        """The bytes. Raises NotFound when absent, BadInput when what is stored no longer has this hash."""

    def has(self, sha256: str) -> bool:
        """True when the bytes are stored."""


def open_store(address: str) -> BlobStore:
    """The store for a folder path or `s3://BUCKET?endpoint=https://host`. Raises BadInput on any other address."""
    if address.startswith("s3://"):
        parts = urlsplit(address)
        if not parts.netloc:
            raise BadInput("YINJI_BLOBS_URL: s3:// needs a bucket name", "YINJI_BLOBS_URL")
        endpoint = parse_qs(parts.query).get("endpoint", [None])[0]
        return S3Store(parts.netloc, endpoint, parts.path.strip("/"))
    if "://" in address:
        raise BadInput(f"YINJI_BLOBS_URL: “{address}” is neither a folder nor s3://", "YINJI_BLOBS_URL")
    return FolderStore(Path(address))


class FolderStore:
    """Blobs as files `ab/cdef…`; written to a temporary name, synced, then renamed, so that no half blob is ever seen."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def _path(self, sha256: str) -> Path:
        _check_key(sha256)
        return self.root / sha256[:2] / sha256[2:]

    def put(self, body: bytes) -> str:
        """Stores the bytes durably and returns their SHA-256."""
        sha256 = hashlib.sha256(body).hexdigest()
        path = self._path(sha256)
        if path.exists():
            return sha256
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # the new name itself must survive a power cut
        finally:
            os.close(folder)
        return sha256

    def get(self, sha256: str) -> bytes:
        """The bytes, checked against their hash."""
        try:
            return _checked(self._path(sha256).read_bytes(), sha256)
        except FileNotFoundError:
            raise NotFound(f"blob {sha256[:12]}… is not stored") from None

    def has(self, sha256: str) -> bool:
        """True when the file is there."""
        return self._path(sha256).exists()


class S3Store:
    """Blobs as objects of one bucket; credentials come from the usual AWS_* environment."""

    def __init__(self, bucket: str, endpoint: str | None, prefix: str = "") -> None:
        import boto3  # noqa: PLC0415  only a centre that keeps blobs in S3 pays for the import (0.3 s)

        self.bucket, self.prefix = bucket, f"{prefix}/" if prefix else ""
        self.client = boto3.client("s3", endpoint_url=endpoint)

    def _key(self, sha256: str) -> str:
        _check_key(sha256)
        return f"{self.prefix}{sha256[:2]}/{sha256[2:]}"

    def put(self, body: bytes) -> str:
        """Stores the bytes and returns their SHA-256; the service checks the digest on arrival."""
        sha256 = hashlib.sha256(body).hexdigest()
        if not self.has(sha256):
            self.client.put_object(Bucket=self.bucket, Key=self._key(sha256), Body=body, ChecksumAlgorithm="SHA256")
        return sha256

    def get(self, sha256: str) -> bytes:
        """The bytes, checked against their hash."""
        try:
            body: bytes = self.client.get_object(Bucket=self.bucket, Key=self._key(sha256))["Body"].read()
        except self.client.exceptions.NoSuchKey:
            raise NotFound(f"blob {sha256[:12]}… is not stored") from None
        return _checked(body, sha256)

    def has(self, sha256: str) -> bool:
        """True when the object is there."""
        from botocore.exceptions import ClientError  # noqa: PLC0415  as above

        try:
            self.client.head_object(Bucket=self.bucket, Key=self._key(sha256))
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                return False
            raise
        return True


def _check_key(sha256: str) -> None:
    if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
        raise BadInput("a blob is named by 64 lowercase hex digits")


def _checked(body: bytes, sha256: str) -> bytes:
    if hashlib.sha256(body).hexdigest() != sha256:
        raise BadInput(f"blob {sha256[:12]}… was altered in the store")
    return body
