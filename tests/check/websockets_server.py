"""An echo server made with python3-websockets, which compresses."""
import asyncio

import websockets


async def echo(ws):
    try:
        async for message in ws:
            await ws.send(message)
    except websockets.ConnectionClosed:
        pass  # with another code than 1000


async def main():
    async with websockets.serve(echo, "127.0.0.1", 0, max_size=64 << 20, backlog=512) as server:
        print(f"listening ws://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
        await asyncio.Future()


asyncio.run(main())
