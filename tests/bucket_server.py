"""An S3-compatible server on loopback for tests, as a process of its own: moto, which keeps objects in memory."""

import os
import socket
import subprocess
import sys
import time

import httpx
from pyarrow.fs import FileSelector, FileType, S3FileSystem

ACCESS = {"access_key": "made-up-access", "secret_key": "made-up-secret"}
START_SECONDS = 60


def free_port():
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return bound.getsockname()[1]


class BucketServer:
    """Starts on entering and is gone on leaving; `closed` refuses every request, as for a wrong key."""

    def __init__(self, *, port=None, closed=False):
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._closed = {"INITIAL_NO_AUTH_ACTION_COUNT": "0"} if closed else {}

    def __enter__(self):
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
        self._process = subprocess.Popen(
            command, env=os.environ | self._closed, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + START_SECONDS
        while not self._answers():
            if time.monotonic() > until:
                self.__exit__()
                raise TimeoutError("the bucket's server did not start")
            time.sleep(0.1)
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait()

    def make_bucket(self, name):
        self._files().create_dir(name)

    def address(self, bucket):
        return f"s3://{bucket}/hub?endpoint={self.url}"

    def objects(self, bucket):
        """By key the bytes of every object, read without the hub's code."""
        files = self._files()
        found = files.get_file_info(FileSelector(bucket, recursive=True))
        paths = sorted(one.path for one in found if one.type is FileType.File)
        return {path.removeprefix(f"{bucket}/"): files.open_input_stream(path).read() for path in paths}

    def overwrite(self, bucket, key, content):
        with self._files().open_output_stream(f"{bucket}/{key}") as stream:
            stream.write(content)

    def _files(self):
        return S3FileSystem(
            **ACCESS, endpoint_override=self.url.removeprefix("http://"), scheme="http", region="us-east-1",
            allow_bucket_creation=True,
        )  # fmt: skip

    def _answers(self):
        try:
            return httpx.get(f"{self.url}/", timeout=5) is not None
        except httpx.TransportError:
            return False
