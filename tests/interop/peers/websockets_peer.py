"""An end made with python3-websockets: see ../end.py."""
import asyncio
import contextlib

import lines
import websockets

OPTIONS = {"ssl": lines.context(), "max_size": 4 << 20, "ping_interval": None}


class End:
    def __init__(self):
        self.ws = None
        self.tasks = set()

    def begin(self, work):
        """For what waits for the peer."""
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def follow(self, ws):
        self.ws = ws
        lines.say("opened", ws.subprotocol or "-")
        try:
            async for message in ws:
                lines.say_message(message)
        except websockets.ConnectionClosed:
            pass  # with another code than 1000
        await ws.wait_closed()
        lines.say("closed", ws.close_code, lines.pack(ws.close_reason))

    async def connect(self, url, protocols):
        names = None if protocols == "-" else protocols.split(",")
        try:
            ws = await websockets.connect(url, subprotocols=names, **OPTIONS)
        except (OSError, websockets.WebSocketException) as error:
            lines.say("failed", error)
        else:
            await self.follow(ws)

    async def open(self, url, protocols):
        self.begin(self.connect(url, protocols))

    async def send(self, kind, data):
        with contextlib.suppress(websockets.ConnectionClosed):  # follow() tells
            await self.ws.send(lines.payload(kind, data))

    async def parts(self, kind, *parts):
        async def each():
            for part in parts:
                if part == "ping":
                    await self.ping(lines.pack("between"))
                else:
                    yield lines.payload(kind, part)

        await self.ws.send(each())

    async def ping(self, data):
        async def answered(pong):
            await pong
            lines.say("pong", data)

        self.begin(answered(await self.ws.ping(lines.unpack(data))))

    async def close(self, code, reason):
        self.begin(self.ws.close(int(code), lines.unpack(reason).decode()))


async def main():
    lines.say("version", websockets.__version__)
    end = End()
    if lines.ROLE == "client":
        return await lines.obey(end)
    async with websockets.serve(end.follow, "127.0.0.1", 0, subprotocols=["superchat"], **OPTIONS) as server:
        lines.say_listening(server.sockets)
        await lines.obey(end)


asyncio.run(main())
