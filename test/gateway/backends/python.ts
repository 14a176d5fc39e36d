/** Python's `websockets` as a backend and as a client. */

/** Prints its port, echoes messages, and closes when it is told `close CODE REASON`. Takes the last subprotocol that is offered. */
export const pythonBackend = `
import asyncio, re, websockets

async def handler(ws):
    async for message in ws:
        told = re.match(r"close (\\d+) (.*)$", message) if isinstance(message, str) and len(message) < 200 else None
        if told:
            await ws.close(int(told[1]), told[2])
        else:
            await ws.send(message)

class Protocol(websockets.WebSocketServerProtocol):
    def select_subprotocol(self, client, server):
        return client[-1] if client else None

async def main():
    async with websockets.serve(handler, "127.0.0.1", 0, max_size=2**24, create_protocol=Protocol, subprotocols=["any"]) as server:
        print("port", server.sockets[0].getsockname()[1], flush=True)
        await asyncio.Future()

asyncio.run(main())
`

/**
 * Talks to the backend at the address that it gets, and prints as JSON what became of it: see \`conversation\` in the tests of
 * clients, which says the same in JavaScript.
 */
export const pythonClient = `
import asyncio, json, sys, websockets

SIZES = [0, 1, 125, 126, 127, 65535, 65536, 524288]
PLANES = "".join(chr(c) for c in range(0x10000) if not 0xd800 <= c <= 0xdfff) + "".join(chr(p * 0x10000 + 0xfffd) for p in range(1, 17))

async def main(url):
    sent = [PLANES]
    for size in SIZES:
        sent.append(bytes(i & 0xff for i in range(size)))
        sent.append("abcdefghij"[:1] * size)
    async with websockets.connect(url, subprotocols=["one", "two"], max_size=2**24) as ws:
        protocol = ws.subprotocol
        await (await ws.ping("are you there"))
        same = 0
        for message in sent:
            await ws.send(message)
            same += (await ws.recv()) == message
        for i in range(1000):
            await ws.send(str(i))
        order = [await ws.recv() for _ in range(1000)] == [str(i) for i in range(1000)]
        await ws.send("close 4002 as you wish")
        await ws.wait_closed()
        print(json.dumps({"protocol": protocol, "same": same, "of": len(sent), "order": order, "close": [ws.close_code, ws.close_reason]}))
    async with websockets.connect(url) as ws:
        await ws.send("bye")
        await ws.recv()
        await ws.close(4001, "leaving")

asyncio.run(main(sys.argv[1]))
`
