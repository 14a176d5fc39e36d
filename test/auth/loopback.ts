/** A real HTTP server on loopback whose answers a test chooses, and which remembers what it was asked. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { Effect, type Scope } from "effect"

export interface Received {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
}

export interface Loopback {
  readonly url: string
  readonly requests: ReadonlyArray<Received>
  /** How the next requests are answered. */
  answer: (request: Received, response: ServerResponse) => void
  /** Waits until that many requests have arrived. */
  readonly received: (count: number) => Effect.Effect<void>
  /** Waits until a client has given up on a request that was not answered. */
  readonly abandoned: (count: number) => Effect.Effect<void>
}

export const json =
  (body: unknown, status = 200): Loopback["answer"] =>
  (_, response) =>
    void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body))

export const text =
  (body: string, status = 200, headers: Readonly<Record<string, string>> = {}): Loopback["answer"] =>
  (_, response) =>
    void response.writeHead(status, headers).end(body)

/** Sends the client on to an address of the same server that would give what it wants. */
export const redirectTo =
  (answer: Loopback["answer"]): Loopback["answer"] =>
  (request, response) => {
    if (request.path === "/moved") answer(request, response)
    else response.writeHead(307, { location: "/moved" }).end()
  }

/** Keeps the request open. */
export const silence: Loopback["answer"] = () => {}

const readBody = async (request: IncomingMessage): Promise<string> => {
  const chunks: Array<Buffer> = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

/** Counts up and wakes whoever waits for a number. */
const counter = () => {
  let count = 0
  const waiting = new Set<() => void>()
  return {
    add: () => {
      count++
      for (const check of waiting) check()
    },
    reached: (goal: number): Effect.Effect<void> =>
      Effect.callback<void>((resume) => {
        const check = () => {
          if (count < goal) return
          waiting.delete(check)
          resume(Effect.void)
        }
        waiting.add(check)
        check()
      })
  }
}

export const loopback: Effect.Effect<Loopback, never, Scope.Scope> = Effect.gen(function* () {
  const requests: Array<Received> = []
  const arrivals = counter()
  const departures = counter()
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const received = { method: request.method ?? "", path: request.url ?? "", headers: request.headers, body: await readBody(request) }
    requests.push(received)
    self.answer(received, response)
    arrivals.add()
  }
  const server = createServer((request, response) => {
    response.on("close", () => {
      if (!response.writableFinished) departures.add()
    })
    void serve(request, response)
  })
  yield* Effect.callback<void>((resume) => {
    server.listen(0, "127.0.0.1", () => resume(Effect.void))
  })
  yield* Effect.addFinalizer(() =>
    Effect.callback<void>((resume) => {
      server.close(() => resume(Effect.void))
      server.closeAllConnections()
    })
  )
  const { port } = server.address() as AddressInfo
  const self: Loopback = {
    url: `http://127.0.0.1:${port}/`,
    requests,
    answer: silence,
    received: arrivals.reached,
    abandoned: departures.reached
  }
  return self
})
