import { Effect, Exit, Scope } from "effect"
import { expect, it } from "vitest"
import WebSocket from "ws"
import type { ClientSocket, SendStatus } from "../../src/transport/Transport.ts"
import type { Gate } from "../../src/transport/Upgrade.ts"
import { makeUwsServer } from "../../src/transport/UwsServer.ts"
import { atEnd } from "../support/cleanup.ts"
import { eventually } from "../support/eventually.ts"

const gate: Gate<null> = { admit: () => Effect.succeed({ verdict: "accept", protocol: "", release: () => undefined, accepted: null }) }

const limit = 30_000

/** A server that does `work` with a client's socket when that has sent something, and the client, which does not read. */
const serve = async (work: (socket: ClientSocket, publish: (text: string) => void) => void) => {
  const scope = Scope.makeUnsafe()
  atEnd(() => Effect.runPromise(Scope.close(scope, Exit.void)))
  const dropped: Array<string> = []
  const options = { host: "127.0.0.1", port: 0, tls: undefined, compression: false, fork: Effect.runFork, onRefused: () => undefined }
  const server = await Effect.runPromise(makeUwsServer({ ...options, onHttp: (res) => void res.end() }))
  server.serve<null, ClientSocket>({
    ...{ path: "/ws", gate, maxMessage: 1024, maxBuffer: limit, idleTimeout: 120, pings: false },
    handler: {
      onOpen: (socket) => {
        socket.subscribe("topic")
        return socket
      },
      onFrame: (socket) => work(socket, (text) => server.publish("topic", text, false)),
      onDropped: (_, frame) => void dropped.push(Buffer.from(frame).toString()),
      onAlive: () => undefined,
      onDrain: () => undefined,
      onClose: () => undefined
    }
  })
  const port = await Effect.runPromise(server.listen().pipe(Effect.provideService(Scope.Scope, scope)))
  const client = new WebSocket(`ws://127.0.0.1:${port}/ws`)
  atEnd(async () => client.terminate())
  await new Promise((resolve) => client.once("open", resolve))
  client.pause()
  client.send("now")
  return { dropped }
}

/** As much as the kernel takes, and half of what may wait. */
const fill = (socket: ClientSocket): void => {
  while (socket.buffered() === 0) socket.send("-".repeat(10_000))
  while (socket.buffered() < limit / 2) socket.send("-".repeat(1000))
}

it("published frames that a direct send finds no room for are reported, and its own is not", async () => {
  const published = Array.from({ length: 8 }, (_, n) => `${n}${"x".repeat(10_000)}`)
  const statuses: Array<SendStatus> = []
  const { dropped } = await serve((socket, publish) => {
    fill(socket)
    for (const text of published) publish(text)
    for (let n = 0; n < 5; n++) statuses.push(socket.send("direct"))
  })
  await eventually(() => statuses.length === 5)
  expect(dropped.length).toBeGreaterThan(0)
  expect(published).toEqual(expect.arrayContaining(dropped))
})
