"""A small HTTP/1.1 server on loopback: what every stand-in of this sandbox is made of."""

from __future__ import annotations

import socketserver
import threading
import traceback
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Literal, Self

from .faults import FaultQueue
from .messages import Exchange, Request, Response

Moment = Literal["before", "after"]
Hook = Callable[[Moment, Request], None]


class LoopbackServer:
    """Serves one stand-in on 127.0.0.1 at a free port, with a request log, faults and a hook.

    Subclasses implement `answer`. It runs inside the world's lock, so that what one request changes is atomic;
    the hook runs outside of it, so that a test may change the world at that instant.
    """

    def __init__(self, lock: threading.RLock | None = None) -> None:
        self.faults = FaultQueue()
        self.on_request: Hook | None = None
        self.crashes: list[str] = []
        self._world_lock = lock or threading.RLock()
        self._log: list[Exchange] = []
        self._log_lock = threading.Lock()
        self._take(0)

    def move(self, port: int) -> None:
        """Take that port instead of a free one. For who has not begun to serve. Raises OSError."""
        self._listener.server_close()
        self._take(port)

    def _take(self, port: int) -> None:
        self._listener = _Listener(self, port)
        self._thread = threading.Thread(
            target=self._listener.serve_forever, kwargs={"poll_interval": 0.02}, name=type(self).__name__, daemon=True
        )

    def answer(self, request: Request) -> Response:
        """Perform one request against the world."""
        raise NotImplementedError

    @property
    def url(self) -> str:
        """`http://127.0.0.1:<port>`, without a slash at the end."""
        return f"http://127.0.0.1:{self._listener.server_address[1]}"

    @property
    def log(self) -> tuple[Exchange, ...]:
        """Everything asked so far, in order of arrival of the answers."""
        with self._log_lock:
            return tuple(self._log)

    @property
    def requests(self) -> int:
        """How many requests arrived so far, answered or not."""
        with self._log_lock:
            return len(self._log)

    def forget_requests(self) -> None:
        """Empty the request log (not the faults, not the world)."""
        with self._log_lock:
            self._log.clear()

    def exchange(self, request: Request) -> Response:
        """Perform one request under the faults and the hook, and log it."""
        fault = self.faults.take(request)
        self._tell("before", request)
        response = fault.effect(lambda: self._perform(request)) if fault else self._perform(request)
        self._tell("after", request)
        with self._log_lock:
            status = 0 if response.closed else response.status
            self._log.append(Exchange(request.method, request.path, request.query, status))
        return response

    def _perform(self, request: Request) -> Response:
        with self._world_lock:
            return self.answer(request)

    def _tell(self, moment: Moment, request: Request) -> None:
        if self.on_request is not None:
            self.on_request(moment, request)

    def start(self) -> Self:
        """Begin to serve; the port was taken at construction already."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop serving and hang up on every client."""
        if self._thread.is_alive():
            self._listener.shutdown()
            self._thread.join()
        self._listener.server_close()
        self._listener.hang_up()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, face: LoopbackServer, port: int) -> None:
        self.face = face
        self.connections: set[_Connection] = set()
        super().__init__(("127.0.0.1", port), _Connection)

    def server_bind(self) -> None:
        # HTTPServer's own version asks the resolver for a host name, which may leave the machine.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", int(self.server_address[1])

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no news."""

    def hang_up(self) -> None:
        for connection in tuple(self.connections):
            connection.hang_up()


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Listener

    def setup(self) -> None:
        super().setup()
        self.server.connections.add(self)

    def finish(self) -> None:
        self.server.connections.discard(self)
        super().finish()

    def hang_up(self) -> None:
        try:
            self.connection.shutdown(2)
        except OSError:
            return  # it had gone already

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class names it so)
        """Stay quiet: the request log is the record."""

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = Request.from_target(self.command, self.path, dict(self.headers.items()), body)
        self._send(self._answer(request))

    def _answer(self, request: Request) -> Response:
        try:
            return self.server.face.exchange(request)
        except Exception:  # noqa: BLE001 (a bug of the sandbox must reach the test, not die in a thread)
            self.server.face.crashes.append(traceback.format_exc())
            return Response(500, traceback.format_exc().encode(), "text/plain; charset=utf-8")

    def _send(self, response: Response) -> None:
        if response.closed or response.cut:
            self.close_connection = True
        if not response.closed:
            body = response.body[: len(response.body) // 2] if response.cut else response.body
            # One send: a second segment would wait for the client's delayed acknowledgement (40 ms).
            self.wfile.write(response.head() + body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 (the base class looks them up by name)
