"""A server made with python3-websockets: the same as ws_server.js."""
import asyncio

import websockets


async def echo(ws):
    try:
        async for message in ws:
            await ws.send(message)
    except websockets.ConnectionClosed:
        pass  # with another code than 1000


async def fragments(ws):
    await ws.send(["a b\u00e9", "tw", "een"])
    await ws.send([bytes([0, 1]), bytes([2])])
    await ws.close(1000)


async def ping(ws):
    await (await ws.ping("from ws"))
    await ws.send("pong from ws")
    await ws.close(1000)


async def close(ws):
    await ws.close(4001, "bye \u2603")


async def head(ws):
    await ws.send(f"{ws.request_headers['X-Test']} {ws.request_headers['Origin']}")
    await ws.close(1000)


async def talk(ws):
    await {"/echo": echo, "/fragments": fragments, "/ping": ping, "/close": close, "/head": head}[ws.path](ws)
    await ws.wait_closed()
    print(f"closed {ws.close_code} {ws.close_reason}".strip(), flush=True)


async def main():
    async with websockets.serve(talk, "127.0.0.1", 0, subprotocols=["superchat"], max_size=4 << 20,
                                compression=None) as server:
        print(f"listening ws://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
        await asyncio.Future()


asyncio.run(main())
