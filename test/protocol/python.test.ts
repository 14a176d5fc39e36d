/** The protocol as another language sees it: the specification's own client, and the vectors in Python's hands. */
import { describe, expect, it } from "vitest"
import { runPython, startPython } from "../support/python.ts"
import { connect } from "../support/wsClient.ts"
import { projectRoot, startWeft, type Weft } from "../support/weft.ts"
import { readProtocol } from "../wire/vectors.ts"

const program = /^```python\n([^]*?)^```$/m.exec(readProtocol("README.md"))?.[1] ?? ""

/**
 * A server on a port that it can have again after its end. A port that the system chose may meanwhile become the other end
 * of anybody's connection, even of the client's own attempt to come back; the ones below 32768 do not.
 */
const startOnLastingPort = async (attempts = 5): Promise<Weft> => {
  const port = 20_000 + Math.floor(Math.random() * 12_000)
  try {
    return await startWeft({ env: { WEFT_SERVER_PORT: String(port) } })
  } catch (error) {
    if (attempts === 1) throw error
    return startOnLastingPort(attempts - 1)
  }
}

describe("the Python client of the specification", () => {
  it("is short", () => {
    const lines = program.split("\n").filter((line) => line.trim() !== "")
    expect(lines.length).toBeGreaterThan(20)
    expect(lines.length).toBeLessThanOrEqual(50)
  })

  it("joins, speaks and hears, and comes back when the server does", async () => {
    const server = await startOnLastingPort()
    const listener = await connect(server.socketUrl)
    await listener.request({ type: "join_room", room: "лобби" })
    const python = await startPython(program, [server.socketUrl, "лобби", "hello from Python"])
    expect(await listener.next("message")).toMatchObject({ room: "лобби", data: "hello from Python" })
    await python.output(/^joined .*'members': 2/m)
    await python.output(/^лобби hello from Python$/m)

    await listener.request({ type: "broadcast", room: "лобби", data: { text: "hello from JSON", list: [1, null, true] } })
    await python.output(/^лобби \{'text': 'hello from JSON', 'list': \[1, None, True\]\}$/m)

    await server.kill()
    await python.output(/^lost /m)
    const again = await startWeft({ env: { WEFT_SERVER_PORT: String(server.port) } })
    const second = await connect(again.socketUrl)
    await second.request({ type: "join_room", room: "лобби" })
    await python.output(/^joined [^]*^joined /m, { timeout: 40_000 })
    await second.request({ type: "broadcast", room: "лобби", data: "welcome back" })
    await python.output(/^лобби welcome back$/m)
    await python.stop()
  })

  it("answers heartbeats, so that it stays", async () => {
    const server = await startWeft({ config: "[heartbeat]\ninterval = 1\ntimeout = 2\n" })
    const python = await startPython(program, [server.socketUrl, "lobby", "hello"])
    await python.output(/^lobby hello$/m)
    // One that came later and says nothing is sent away; by then the other one would have been.
    const silent = await connect(server.socketUrl)
    expect(await silent.next("bye")).toMatchObject({ code: 4408, reconnect: true })
    const listener = await connect(server.socketUrl)
    await listener.request({ type: "join_room", room: "lobby" })
    await listener.request({ type: "broadcast", room: "lobby", data: "still there?" })
    await python.output(/^lobby still there\?$/m)
    expect(python.stdout()).not.toContain("lost")
    await python.stop()
  })

  it("stays away when it is told so", async () => {
    const server = await startWeft({ config: "[limits]\nmessage = 200\n" })
    const python = await startPython(program, [server.socketUrl, "lobby", "x".repeat(300)])
    expect(await python.exited).toMatchObject({ code: 0 })
  })
})

describe("the vectors, read by Python's own json and msgpack", () => {
  const check = `
import base64, json, sys, msgpack

def value(marked, bin):
    if isinstance(marked, list):
        return [value(item, bin) for item in marked]
    if isinstance(marked, dict):
        if list(marked) == ["$bin"]:
            return bin(marked["$bin"])
        return {key: value(item, bin) for key, item in marked.items()}
    return marked

count = 0
for vector in json.load(open(sys.argv[1] + "/messages.json")):
    count += 1
    as_bin = value(vector["message"], base64.b64decode)
    as_text = value(vector["message"], lambda text: text)
    assert json.loads(vector["json"]) == as_text, vector["name"]
    assert msgpack.unpackb(bytes.fromhex(vector["msgpack"])) == as_bin, vector["name"]
    # What Python writes for the same values is what the server writes, byte for byte.
    assert msgpack.packb(msgpack.unpackb(bytes.fromhex(vector["msgpack"]))).hex() == vector["msgpack"], vector["name"]
for vector in json.load(open(sys.argv[1] + "/accepted.json")):
    count += 1
    if vector["encoding"] == "msgpack":
        assert msgpack.unpackb(bytes.fromhex(vector["hex"])) == value(vector["value"], base64.b64decode), vector["name"]
    elif "rounded" not in vector["name"]:
        assert json.loads(vector["text"]) == value(vector["value"], lambda text: text), vector["name"]
print(count)
`

  it("mean what the files say", async () => {
    const { code, stdout, stderr } = await runPython(check, [`${projectRoot}/protocol/vectors`])
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
    expect(Number(stdout)).toBeGreaterThan(120)
  })
})
