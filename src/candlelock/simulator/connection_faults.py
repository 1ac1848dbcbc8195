"""Faults of the connection: what happens to bytes on their way."""

from __future__ import annotations

import asyncio
import socket
import struct
import zlib
from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from candlelock.simulator.dialect import Answer

    Sender = Callable[[web.Request, Answer, Any], Awaitable[web.StreamResponse]]

N_CHUNK_BYTES = 1 << 20
ABORT_AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER with no time: closing sends a reset


async def closed_early(request: web.Request, answer: Answer, argument: Any) -> web.StreamResponse:  # noqa: ANN401
    """The connection is closed before the first byte of the answer."""
    if request.transport:
        request.transport.close()
    return web.Response()


async def reset_midway(request: web.Request, answer: Answer, argument: Any) -> web.StreamResponse:  # noqa: ANN401
    """A TCP reset after half of the body."""
    response = await _half(request, answer)
    if request.transport:
        plug = request.transport.get_extra_info("socket")
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT_AT_ONCE)
        request.transport.abort()
    return response


async def cut_short(request: web.Request, answer: Answer, argument: Any) -> web.StreamResponse:  # noqa: ANN401
    """The connection is closed in order after half of the body that its length announced."""
    response = await _half(request, answer)
    if request.transport:
        request.transport.close()
    return response


async def hang(request: web.Request, answer: Answer, argument: Any) -> web.StreamResponse:  # noqa: ANN401
    """No answer for as long as the client waits."""
    await asyncio.Event().wait()
    return web.Response()


async def hang_midway(request: web.Request, answer: Answer, argument: Any) -> web.StreamResponse:  # noqa: ANN401
    """Half of the body, then nothing for as long as the client waits."""
    await _half(request, answer)
    return await hang(request, answer, argument)


async def slow_drip(request: web.Request, answer: Answer, argument: Any) -> web.StreamResponse:  # noqa: ANN401
    """The right body, a byte at a time, with `argument` seconds between two."""
    response = await _begin(request, answer)
    for at in range(len(answer.body)):
        await response.write(answer.body[at : at + 1])
        await asyncio.sleep(argument)
    await response.write_eof()
    return response


async def huge_body(request: web.Request, answer: Answer, argument: Any) -> web.StreamResponse:  # noqa: ANN401
    """An answer that begins as the right one and goes on for `argument` bytes, without an announced length."""
    response = web.StreamResponse(status=answer.status, headers={"Content-Type": answer.content_type, **answer.headers})
    response.enable_chunked_encoding()
    await response.prepare(request)
    row = b'[1700000000000,"1.0","1.0","1.0","1.0","1.0"],'
    chunk = row * (N_CHUNK_BYTES // len(row))
    await response.write(answer.body.rstrip(b"]}"))
    for _ in range(0, argument, len(chunk)):
        await response.write(chunk)
    await response.write_eof()
    return response


async def gzip_bomb(request: web.Request, answer: Answer, argument: Any) -> web.StreamResponse:  # noqa: ANN401
    """A valid empty list with `argument` spaces in it, compressed a thousandfold."""
    headers = {"Content-Type": answer.content_type, "Content-Encoding": "gzip", **answer.headers}
    response = web.StreamResponse(status=answer.status, headers=headers)
    response.enable_chunked_encoding()
    await response.prepare(request)
    packer = zlib.compressobj(9, wbits=31)
    spaces = b" " * N_CHUNK_BYTES
    await response.write(packer.compress(b"[") or b"")
    for _ in range(0, argument, N_CHUNK_BYTES):
        if part := packer.compress(spaces):
            await response.write(part)
        await asyncio.sleep(0)
    await response.write(packer.compress(b"]") + packer.flush())
    await response.write_eof()
    return response


async def _begin(request: web.Request, answer: Answer) -> web.StreamResponse:
    headers = {"Content-Type": answer.content_type, "Content-Length": str(len(answer.body)), **answer.headers}
    response = web.StreamResponse(status=answer.status, headers=headers)
    await response.prepare(request)
    return response


async def _half(request: web.Request, answer: Answer) -> web.StreamResponse:
    response = await _begin(request, answer)
    await response.write(answer.body[: len(answer.body) // 2])
    return response


# "refused" is the server's own: it needs the listening socket.
_PLAIN = (closed_early, reset_midway, cut_short, hang, hang_midway, slow_drip, huge_body, gzip_bomb)
SENDERS: dict[str, Sender] = {sender.__name__: sender for sender in _PLAIN}
