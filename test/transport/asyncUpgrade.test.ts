import { Effect, Exit, Scope } from "effect"
import { expect, it } from "vitest"
import { LoadClient } from "../../src/bench/LoadClient.ts"
import type { Gate, Verdict } from "../../src/transport/Upgrade.ts"
import { makeUwsServer } from "../../src/transport/UwsServer.ts"
import { atEnd } from "../support/cleanup.ts"
import { eventually } from "../support/eventually.ts"

let released = 0

/** Decides after a turn of the event loop, as an authentication that asks somebody does. */
const gate: Gate<null> = {
  admit: () =>
    Effect.promise(() => new Promise((resolve) => setImmediate(resolve))).pipe(
      Effect.as<Verdict<null>>({ verdict: "accept", protocol: "", release: () => void released++, accepted: null })
    )
}

// uWebSockets until its pull request 1929 loses some of these: a WebSocket that took the place of its HTTP response is closed by what was
// written behind it before the cork ends.
it.each([
  { clients: "many, which stay", count: 3000, atOnce: 100, stay: true },
  { clients: "one after another, each alone", count: 1000, atOnce: 1, stay: false }
])("an upgrade that had to wait stays open, whatever is allocated when it opens: $clients", async ({ atOnce, count, stay }) => {
  released = 0
  const kept: Array<Uint8Array> = []
  const closed: Array<number> = []
  const scope = Scope.makeUnsafe()
  atEnd(() => Effect.runPromise(Scope.close(scope, Exit.void)))
  const server = await Effect.runPromise(
    makeUwsServer({
      host: "127.0.0.1",
      port: 0,
      tls: undefined,
      compression: false,
      fork: Effect.runFork,
      onRefused: () => {},
      onHttp: (res) => void res.end()
    })
  )
  server.serve<null, null>({
    path: "/ws",
    gate,
    maxMessage: 1024,
    maxBuffer: 1024,
    idleTimeout: 120,
    pings: false,
    handler: {
      onOpen: (socket) => {
        socket.subscribe("everyone")
        for (let size = 24; size <= 400; size += 8) kept.push(Buffer.allocUnsafeSlow(size).fill(0x10))
        if (kept.length > 20_000) kept.length = 0
        socket.send("welcome")
        return null
      },
      onFrame: () => {},
      onDropped: () => {},
      onAlive: () => {},
      onDrain: () => {},
      onClose: (_, code) => void closed.push(code)
    }
  })
  const port = await Effect.runPromise(server.listen().pipe(Effect.provideService(Scope.Scope, scope)))
  let started = 0
  let welcomed = 0
  let lost = 0
  const clients: Array<LoadClient> = []
  const open = (): void => {
    if (started++ >= count) return
    let told = false
    const address = { secure: false, hostname: "127.0.0.1", port, host: "127.0.0.1" }
    const client = new LoadClient(
      address,
      { path: "/ws" },
      () => {},
      () => {
        if (told) return
        lost++
        open()
      }
    )
    const onFlush = (): void => {
      if (!stay) client.destroy()
      open()
    }
    client.handler = {
      onMessage: () => {
        told = true
        welcomed++
      },
      onFlush
    }
    clients.push(client)
  }
  for (let i = 0; i < atOnce; i++) open()
  atEnd(() => {
    for (const client of clients) client.destroy()
  })
  await eventually(() => welcomed + lost >= count)
  expect([lost, released]).toEqual([0, 0])
  await eventually(() => closed.length === (stay ? 0 : count))
})
