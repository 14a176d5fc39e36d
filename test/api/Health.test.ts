import { describe, expect, it } from "vitest"
import { healthAnswer, livenessAnswer, readinessAnswer, webSocketHealthAnswer } from "../../src/api/Health.ts"

const health = {
  node: "node-1",
  version: "1.2.3",
  uptime: 12.5,
  draining: false,
  connections: 3,
  rooms: 2,
  users: 1,
  sessions: 4,
  workers: 1
}
const draining = { ...health, draining: true }

const service = {
  paths: ["/ws"],
  heartbeat: { interval: 30, timeout: 60 },
  compression: true,
  limits: { message: 1000, room_name: 128, rooms: 5 }
}

const answers = [
  ["healthAnswer", healthAnswer, 200, 503],
  ["livenessAnswer", livenessAnswer, 200, 200],
  ["readinessAnswer", readinessAnswer, 200, 503],
  ["webSocketHealthAnswer", (node: typeof health) => webSocketHealthAnswer(node, service), 200, 503]
] as const

describe.each(answers)("%s", (_, answer, running, whileDraining) => {
  it(`is ${running}, while draining ${whileDraining}`, () => {
    expect(answer(health).status).toBe(running)
    expect(answer(draining).status).toBe(whileDraining)
  })

  it("is JSON that is not to be cached, and carries the counts as headers", () => {
    expect(answer(health).headers).toEqual({
      "content-type": "application/json",
      "cache-control": "no-store",
      "x-websocket-local-connections": "3",
      "x-websocket-worker-id": "node-1",
      "x-websocket-total-sessions": "4",
      "x-websocket-total-workers": "1"
    })
    expect(JSON.parse(String(answer(health).body))).toMatchObject({ status: "ok", node: "node-1" })
  })
})

describe("what is told", () => {
  const body = (answer: { readonly body: string | Uint8Array }): unknown => JSON.parse(String(answer.body))

  it("of the node: version, uptime, counts, broker and store", () => {
    expect(body(healthAnswer(draining))).toEqual({
      status: "draining",
      node: "node-1",
      version: "1.2.3",
      uptime: 12.5,
      connections: 3,
      rooms: 2,
      users: 1,
      sessions: 4,
      workers: 1,
      broker: { kind: "memory", state: "up" },
      store: { kind: "memory", state: "up" }
    })
  })

  it("of the WebSocket service: whether, where and how to connect", () => {
    expect(body(webSocketHealthAnswer(health, service))).toEqual({
      status: "ok",
      available: true,
      node: "node-1",
      paths: ["/ws"],
      subprotocols: ["weft.v1.json", "weft.v1.msgpack"],
      features: { batch: true, compression: true, presence: true, calls: true, history: false, resume: false },
      heartbeat: { interval: 30_000, timeout: 60_000 },
      limits: { message: 1000, room_name: 128, rooms: 5 },
      connections: 3,
      rooms: 2,
      users: 1
    })
    expect(body(webSocketHealthAnswer(draining, service))).toMatchObject({ available: false })
  })
})
