import { describe, expect, it } from "vitest"
import { eventually } from "../support/eventually.ts"
import { startProcess } from "../support/process.ts"
import { startWeft } from "../support/weft.ts"
import { connect } from "./support.ts"

/** A process that sends the same frames for as long as it is let: masked with zeros, 2,000 at a time. */
const flooder = `
import { connect } from "node:net"
const [port, opcode, text] = process.argv.slice(1)
const payload = Buffer.from(text)
const frame = Buffer.concat([Buffer.from([0x80 | Number(opcode), 0x80 | payload.length, 0, 0, 0, 0]), payload])
const frames = Buffer.concat(Array.from({ length: 2000 }, () => frame))
const socket = connect(Number(port), "127.0.0.1", () => {
  socket.write("GET /ws HTTP/1.1\\r\\nHost: x\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Version: 13\\r\\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\\r\\n\\r\\n")
  const more = () => { while (socket.write(frames)); }
  socket.on("drain", more)
  more()
})
socket.on("data", () => undefined)
socket.on("error", () => undefined)
socket.on("close", () => { console.log("closed"); process.exit() })
`

describe.each([
  ["messages", "1", '{"type":"ping","id":1}'],
  ["pings", "9", "x".repeat(100)]
])("a client that sends %s without a pause", (_, opcode, text) => {
  it("is sent away, and nobody else is", async () => {
    const server = await startWeft({ config: "[heartbeat]\ninterval = 1\ntimeout = 3\n" })
    const other = await connect(server)
    await other.request({ type: "join_room", room: "r" })
    const flood = await startProcess(process.execPath, ["--input-type=module", "-e", flooder, String(server.port), opcode, text])
    await flood.output(/closed/)
    other.send({ type: "heartbeat" })
    expect(await other.request({ type: "broadcast", room: "r", data: 1 })).toMatchObject({ type: "ack" })
    expect(other.closed).toBeUndefined()
    await eventually(async () => ((await (await fetch(`${server.url}/health`)).json()) as { connections: number }).connections === 1)
  })
})
