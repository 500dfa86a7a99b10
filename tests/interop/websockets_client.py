"""A client made with python3-websockets: the same as ws_client.js."""
import asyncio
import sys

import websockets

ECHO, HELPER = sys.argv[1:]


def connect(url, **options):
    return websockets.connect(url, max_size=4 << 20, **options)


def same(got, wanted):
    if got != wanted:
        raise AssertionError(f"{str(got)[:200]!r} is not {str(wanted)[:200]!r}")


async def ask(ws, data):
    await ws.send(data)
    return await ws.recv()


async def closed(ws):
    await ws.wait_closed()
    return f"{ws.close_code} {ws.close_reason}"


async def text():
    async with connect(ECHO) as ws:
        for words in ["hello", "w\u00f6rld \u2603 \U0001f41f", "", "a\0b"]:
            same(await ask(ws, words), words)


async def binary():
    async with connect(ECHO) as ws:
        for data in [bytes([0, 255, 10, 13]), b""]:
            same(await ask(ws, data), data)


async def megabyte():
    async with connect(ECHO) as ws:
        for data in ["\u00e9" * (1 << 19), b"salmon45" * (1 << 17)]:
            same(await ask(ws, data), data)


async def too_large():
    async with connect(ECHO) as ws:
        await ws.send(bytes((1 << 20) + 1))
        same((await closed(ws))[:5], "1009 ")


async def fragments_to_coho():
    async with connect(ECHO) as ws:
        parts = [f"part {i} \u2603 " for i in range(100)]
        same(await ask(ws, parts), "".join(parts))


async def fragments_from_coho():
    async with connect(HELPER) as ws:
        same(await ask(ws, "fragments"), "one message in parts")


async def ping_to_coho():
    async with connect(ECHO) as ws:
        await (await ws.ping("payload"))


async def ping_from_coho():
    async with connect(HELPER) as ws:
        same(await ask(ws, "ping"), "pong are you there")


async def close_by_the_client():
    async with connect(HELPER) as ws:
        await ws.close(4002, "enough \u2603")
        same(await closed(ws), "4002 enough \u2603")


async def close_by_coho():
    async with connect(HELPER) as ws:
        await ws.send("close")
        same(await closed(ws), "4001 bye \u2603")


async def subprotocol():
    async with connect(HELPER, subprotocols=["mqtt", "chat", "superchat"]) as ws:
        same(ws.subprotocol, "superchat")
    try:
        await connect(HELPER, subprotocols=["mqtt"])
    except websockets.InvalidStatusCode as refusal:
        same(refusal.status_code, 400)
    else:
        raise AssertionError("not refused")


async def main():
    failed = False
    for test in (text, binary, megabyte, too_large, fragments_to_coho, fragments_from_coho, ping_to_coho,
                 ping_from_coho, close_by_the_client, close_by_coho, subprotocol):
        name = test.__name__.replace("_", " ")
        try:
            await asyncio.wait_for(test(), 60)
            print(f"ok {name}")
        except Exception as error:  # whatever went wrong is the result of the test
            failed = True
            print(f"not ok {name}: {type(error).__name__} {error}"[:500])
    sys.exit(failed)


asyncio.run(main())
