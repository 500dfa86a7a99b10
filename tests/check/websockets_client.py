"""An echo client made with python3-websockets: websockets_client.py [--driver] URL, as client.py."""
import asyncio
import ssl
import sys

import websockets


def connect(url):
    context = None
    if url.startswith("wss:"):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return websockets.connect(url, max_size=64 << 20, close_timeout=1, ssl=context)


async def echo(url):
    try:
        async with connect(url) as ws:
            async for message in ws:
                await ws.send(message)
    except (websockets.WebSocketException, OSError, EOFError, ValueError):
        pass  # what the server did wrong


async def ask(url):
    async with connect(url) as ws:
        return await ws.recv()


async def end(url):
    async with connect(url) as ws:
        await ws.wait_closed()


async def drive(url):
    for number in range(1, int(await ask(f"{url}/getCaseCount")) + 1):
        await echo(f"{url}/runCase?case={number}&agent=websockets")
        print(await ask(f"{url}/getCaseStatus?case={number}&agent=websockets"))
    await end(f"{url}/updateReports?agent=websockets")


asyncio.run((drive if "--driver" in sys.argv else echo)(sys.argv[-1].rstrip("/")))
