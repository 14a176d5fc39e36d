import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { expect, test } from "vitest"
import { startWeft, temporaryFolder } from "../support/weft.ts"
import { connect } from "../support/wsClient.ts"

const file = `
import { handler, HandlerError } from "weft"
import { errorCodes } from "weft/protocol"
import { Effect, Schema } from "effect"
import * as Duration from "effect/Duration"

const input = Schema.Struct({ a: Schema.Number, b: Schema.Number })

export default {
  add: handler({ input, handle: ({ a, b }) => Effect.delay(Effect.succeed(a + b), Duration.millis(1)) }),
  divide: handler({
    input,
    handle: async ({ a, b }): Promise<number> => {
      if (b === 0) throw new HandlerError({ code: "conflict", message: errorCodes.conflict.meaning })
      return a / b
    }
  })
}
`

test("a file of handlers may stand in a folder without packages: weft and effect are those of the server", async () => {
  const path = join(await temporaryFolder(), "handlers.ts")
  await writeFile(path, file)
  const server = await startWeft({ args: ["--handlers", path] })
  const client = await connect(server.socketUrl)
  const call = (method: string, data: unknown) => client.request({ type: "call", method, data })
  expect(await call("add", { a: 1, b: 2 })).toMatchObject({ type: "result", data: 3 })
  expect(await call("divide", { a: 6, b: 2 })).toMatchObject({ type: "result", data: 3 })
  expect(await call("divide", { a: 6, b: 0 })).toMatchObject({ type: "error", code: "conflict" })
  expect(await call("divide", { a: "6" })).toMatchObject({ type: "error", code: "invalid_message" })
})

const stray = `
import { handler } from "weft"
import { Schema } from "effect"

export default {
  reject: handler({ input: Schema.Unknown, handle: async () => { void Promise.reject(new Error("left alone")); return 1 } }),
  throw: handler({ input: Schema.Unknown, handle: async () => { setTimeout(() => { throw new Error("thrown later") }); return 2 } })
}
`

test("a rejection that a handler leaves alone harms nobody; an exception that it throws later ends the server in order", async () => {
  const path = join(await temporaryFolder(), "handlers.ts")
  await writeFile(path, stray)
  const server = await startWeft({ args: ["--handlers", path], env: { WEFT_DRAIN_PERIOD: "0" } })
  const client = await connect(server.socketUrl)
  expect(await client.request({ type: "call", method: "reject" })).toMatchObject({ type: "result", data: 1 })
  expect(await client.request({ type: "ping" })).toMatchObject({ type: "pong" })
  client.send({ type: "call", method: "throw" })
  expect(await client.next("bye")).toMatchObject({ code: 1001, reconnect: true })
  expect((await server.exited).code).toBe(1)
  expect(server.stderr()).toContain("left alone")
  expect(server.stderr()).toContain("thrown later")
})
