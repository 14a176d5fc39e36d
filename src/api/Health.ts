/** The health endpoints, from what is known of the node to the answer. Pure. */
import { type Answer, jsonAnswer } from "../transport/HttpAnswer.ts"

export interface NodeHealth {
  readonly node: string
  readonly version: string
  /** Seconds since the start. */
  readonly uptime: number
  /** The node is about to go: it takes no new connections. */
  readonly draining: boolean
  readonly connections: number
  readonly rooms: number
  readonly users: number
  /** Sessions of the whole cluster. */
  readonly sessions: number
  /** Live nodes of the cluster, this one among them. */
  readonly workers: number
}

export interface WebSocketService {
  readonly paths: ReadonlyArray<string>
  /** Seconds. */
  readonly heartbeat: { readonly interval: number; readonly timeout: number }
  readonly compression: boolean
  /** Bytes, names and counts as `welcome` tells them. */
  readonly limits: { readonly message: number; readonly room_name: number; readonly rooms: number }
}

type Status = "ok" | "draining"

const statusOf = ({ draining }: NodeHealth): Status => (draining ? "draining" : "ok")

const answer = (status: number, health: NodeHealth, body: object): Answer =>
  jsonAnswer(status, body, {
    "cache-control": "no-store",
    "x-websocket-local-connections": String(health.connections),
    "x-websocket-worker-id": health.node,
    "x-websocket-total-sessions": String(health.sessions),
    "x-websocket-total-workers": String(health.workers)
  })

/** `/health`: the whole picture. 503 while draining. */
export const healthAnswer = (health: NodeHealth): Answer => {
  const { connections, draining, node, rooms, sessions, uptime, users, version, workers } = health
  return answer(draining ? 503 : 200, health, {
    status: statusOf(health),
    node,
    version,
    uptime,
    connections,
    rooms,
    users,
    sessions,
    workers,
    broker: { kind: "memory", state: "up" },
    store: { kind: "memory", state: "up" }
  })
}

/** `/health/live`: the process runs and answers. Draining is no reason to kill it. */
export const livenessAnswer = (health: NodeHealth): Answer =>
  answer(200, health, { status: "ok", node: health.node, uptime: health.uptime })

/** `/health/ready`: whether new connections should be sent here. */
export const readinessAnswer = (health: NodeHealth): Answer =>
  answer(health.draining ? 503 : 200, health, { status: statusOf(health), node: health.node })

/** `/health/websocket`: whether clients may connect, how, and to what. Times in milliseconds, as `welcome` has them. */
export const webSocketHealthAnswer = (health: NodeHealth, service: WebSocketService): Answer =>
  answer(health.draining ? 503 : 200, health, {
    status: statusOf(health),
    available: !health.draining,
    node: health.node,
    paths: service.paths,
    subprotocols: ["weft.v1.json", "weft.v1.msgpack"],
    features: { batch: true, compression: service.compression, presence: true, calls: true, history: false, resume: false },
    heartbeat: { interval: service.heartbeat.interval * 1000, timeout: service.heartbeat.timeout * 1000 },
    limits: service.limits,
    connections: health.connections,
    rooms: health.rooms,
    users: health.users
  })
