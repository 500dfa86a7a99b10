"""An end made with python3-aiohttp: see ../end.py."""
import asyncio
import contextlib

import aiohttp
import lines
from aiohttp import web


class End:
    def __init__(self, session=None):
        self.session = session
        self.ws = None
        self.talking = self.closing = None  # tasks

    async def follow(self, ws):
        self.ws = ws
        lines.say("opened", getattr(ws, "protocol", None) or getattr(ws, "ws_protocol", None) or "-")
        reason = "-"
        while True:
            message = await ws.receive()
            if message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                lines.say_message(message.data)
                continue
            if message.type == aiohttp.WSMsgType.CLOSE:
                reason = lines.pack(message.extra or "")
            if message.type == aiohttp.WSMsgType.CLOSING:
                await self.closing
            break
        # 0 stands for a Close without a code, and None comes when the answer was not waited for.
        lines.say("closed", {None: "?", 0: 1005}.get(ws.close_code, ws.close_code), reason)

    async def connect(self, url, protocols):
        names = () if protocols == "-" else protocols.split(",")
        try:
            ws = await self.session.ws_connect(url, protocols=names, ssl=lines.context(), compress=15)
        except aiohttp.ClientError as error:
            lines.say("failed", error)
        else:
            await self.follow(ws)

    async def accept(self, request):
        ws = web.WebSocketResponse(protocols=["superchat"])
        await ws.prepare(request)
        await self.follow(ws)
        return ws

    async def open(self, url, protocols):
        self.talking = asyncio.create_task(self.connect(url, protocols))

    async def send(self, kind, data):
        with contextlib.suppress(ConnectionError):  # follow() tells
            if kind == "text":
                await self.ws.send_str(lines.payload(kind, data))
            else:
                await self.ws.send_bytes(lines.payload(kind, data))

    async def ping(self, data):
        await self.ws.ping(lines.unpack(data))

    async def close(self, code, reason):
        self.closing = asyncio.create_task(self.ws.close(code=int(code), message=lines.unpack(reason)))


async def serve():
    end = End()
    app = web.Application()
    app.router.add_get("/{path:.*}", end.accept)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=lines.context())
    await site.start()
    lines.say("listening", f"{'wss' if lines.FOLDER else 'ws'}://127.0.0.1:{runner.addresses[0][1]}")
    await lines.obey(end)


async def main():
    lines.say("version", aiohttp.__version__)
    if lines.ROLE == "server":
        return await serve()
    async with aiohttp.ClientSession() as session:
        await lines.obey(End(session))


asyncio.run(main())
