import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { clientFrame, closeCode, closeFrame, runs } from "../../src/bench/Frame.ts"
import { Opcode } from "../../src/bench/FrameParser.ts"
import { addressOf, LoadClient } from "../../src/bench/LoadClient.ts"
import { eventually } from "../support/eventually.ts"
import { listen } from "./server.ts"

/** What a server makes of a client's bytes. */
const receive = async (bytes: Uint8Array): Promise<ReadonlyArray<string>> => {
  const seen: Array<string> = []
  let gone = false
  const url = await listen((socket) => {
    socket.on("message", (data: Buffer, binary) => seen.push(`${binary ? "binary" : "text"} ${data.toString("hex")}`))
    socket.on("close", (code, reason) => {
      seen.push(`close ${code} ${reason.toString()}`)
      gone = true
    })
  })
  const client = new LoadClient(
    addressOf(url),
    { path: "/" },
    () => {
      client.send(bytes)
      client.send(closeFrame(1000, "done"))
    },
    () => {}
  )
  await eventually(() => gone)
  return seen
}

const end = "close 1000 done"

describe("frames of the load client", () => {
  it("are read by a server as they were meant, at every size of the length field", async () => {
    for (const size of [0, 1, 125, 126, 127, 65_535, 65_536, 100_000]) {
      const payload = Buffer.alloc(size, 0xa5)
      expect(await receive(clientFrame(Opcode.binary, payload))).toEqual([`binary ${payload.toString("hex")}`, end])
    }
  })

  it("follow each other in one buffer", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ maxLength: 200 }), { maxLength: 6 }), async (texts) => {
        const table = runs(texts.map((text) => clientFrame(Opcode.text, Buffer.from(text))))
        expect(table).toHaveLength(texts.length + 1)
        for (const [n, bytes] of table.entries()) {
          expect(await receive(bytes)).toEqual(
            texts
              .slice(0, n)
              .map((text) => `text ${Buffer.from(text).toString("hex")}`)
              .concat(end)
          )
        }
      }),
      { numRuns: 15 }
    )
  })

  it("close with a code and a reason", async () => {
    expect(await receive(new Uint8Array(0))).toEqual([end])
  })

  it("tell the code of a server's close, and 1005 where there is none", () => {
    const payload = Buffer.from([0, 0x11, 0x31, 0x6f])
    expect(closeCode(payload, 1, 4)).toBe(4401)
    expect(closeCode(payload, 1, 1)).toBe(1005)
  })
})
