import { Effect, Exit, Scope } from "effect"
import { App, type HttpResponse, us_listen_socket_close, us_socket_local_port } from "uWebSockets.js"
import { expect, it } from "vitest"
import { LoadClient } from "../../src/bench/LoadClient.ts"
import { UwsAnchor } from "../../src/transport/UwsAnchor.ts"
import { atEnd } from "../support/cleanup.ts"
import { eventually } from "../support/eventually.ts"

const kept: Array<Uint8Array> = []

/** Fills what the allocator gives out next with what stands, in a response, for "close this connection". */
const disturb = (): void => {
  for (let size = 24; size <= 400; size += 8) kept.push(Buffer.allocUnsafeSlow(size).fill(0x10))
  if (kept.length > 20_000) kept.length = 0
}

const startAnchor = async (): Promise<UwsAnchor> => {
  const scope = Scope.makeUnsafe()
  atEnd(() => Effect.runPromise(Scope.close(scope, Exit.void)))
  const anchor = new UwsAnchor()
  await Effect.runPromise(anchor.drop.pipe(Effect.provideService(Scope.Scope, scope)))
  return anchor
}

/** How many of `count` clients, one after another, are closed as soon as they are upgraded. */
const lostOf = async (count: number, within: (upgrade: () => void, res: HttpResponse) => void): Promise<number> => {
  const app = App()
  app.ws<object>("/*", {
    idleTimeout: 0,
    upgrade: (res, req, context) => {
      const key = req.getHeader("sec-websocket-key")
      res.onAborted(() => {})
      setImmediate(() => within(() => res.upgrade({}, key, "", "", context), res))
    },
    open: disturb,
    message: (ws, message) => void ws.send(message)
  })
  const listening = await new Promise<Parameters<typeof us_socket_local_port>[0]>((resolve) =>
    app.listen("127.0.0.1", 0, (socket) => resolve(socket as Parameters<typeof us_socket_local_port>[0]))
  )
  const port = us_socket_local_port(listening)
  let lost = 0
  for (let turn = 0; turn < count; turn++) {
    let answered = false
    await new Promise<void>((resolve) => {
      const client: LoadClient = new LoadClient(
        { secure: false, hostname: "127.0.0.1", port, host: "127.0.0.1" },
        { path: "/" },
        // One letter, masked with zeros.
        () => client.send(Uint8Array.of(0x81, 0x81, 0, 0, 0, 0, 0x61)),
        () => {
          if (!answered) lost++
          resolve()
        }
      )
      client.handler = { onMessage: () => void (answered = true), onFlush: () => client.destroy() }
    })
  }
  us_listen_socket_close(listening as unknown as Parameters<typeof us_listen_socket_close>[0])
  app.close()
  return lost
}

it("keeps what is upgraded after a wait from being closed at once, as uWebSockets does under the response's own cork", async () => {
  const anchor = await startAnchor()
  const alone = await lostOf(300, (upgrade, res) => res.cork(upgrade))
  const anchored = await lostOf(300, (upgrade, res) => anchor.within(() => res.cork(upgrade)))
  // Once the first is 0, uWebSockets has been mended and needs no anchor any more.
  expect(alone).toBeGreaterThan(0)
  expect(anchored).toBe(0)
})

it("stands by itself: nobody else can connect to it, and it goes with its scope", async () => {
  const scope = Scope.makeUnsafe()
  const anchor = new UwsAnchor()
  let corked = 0
  await Effect.runPromise(anchor.drop.pipe(Effect.provideService(Scope.Scope, scope)))
  anchor.within(() => corked++)
  await Effect.runPromise(Scope.close(scope, Exit.void))
  await eventually(() => !anchor.holds)
  anchor.within(() => corked++)
  expect(corked).toBe(2)
})
