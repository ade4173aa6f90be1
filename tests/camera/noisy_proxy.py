"""A proxy for tests, between a camera and its server: it spoils what passes when told to."""

from __future__ import annotations

import os
import select
import socket
import threading
from contextlib import suppress
from typing import Self


class NoisyProxy:
    """Passes every connection on to a port of this machine while it is used as a context.

    Attributes:
        port: where it listens.
        noise: what comes from the server is replaced by as much noise.
    """

    def __init__(self, server_port: int) -> None:
        self.noise = False
        self._server_port = server_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.05)
        self.port: int = self._listener.getsockname()[1]
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._accept, name="noisy proxy")]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while not self._stopped.is_set():
            with suppress(TimeoutError):
                client, _address = self._listener.accept()
                self._threads.append(threading.Thread(target=self._pass_on, args=(client,), name="noisy proxy"))
                self._threads[-1].start()

    def _pass_on(self, client: socket.socket) -> None:
        with client, suppress(OSError), socket.create_connection(("127.0.0.1", self._server_port)) as server:
            while not self._stopped.is_set():
                for source in select.select([client, server], [], [], 0.05)[0]:
                    data = source.recv(1 << 16)
                    if not data:
                        return
                    if source is client:
                        server.sendall(data)
                    else:
                        client.sendall(os.urandom(len(data)) if self.noise else data)
