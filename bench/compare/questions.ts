/** The questions of the comparison, each a scenario with its numbers, which flags may change. */
import type { Encoding } from "../../src/wire/Codec.ts"
import type { Scenario } from "../../src/bench/Spec.ts"
import type { Subject } from "../contenders/Contender.ts"

export interface Question {
  readonly name: string
  readonly asks: string
  readonly subject: Subject
  readonly scenario: Scenario
  readonly encodings: ReadonlyArray<Encoding>
  readonly batch: boolean
  /** What the server's CPU time is divided by. */
  readonly unit: "message" | "delivery" | "connection" | "round trip"
  /** Seconds before and in the window, unless told otherwise. */
  readonly warmup: number
  readonly seconds: number
}

const usual = { subject: "hub", encodings: ["json"], batch: false, unit: "message", warmup: 1.5, seconds: 3 } as const
/** A server that fans out sees a hundred messages a second: it takes some seconds until a process that is young has compiled what it runs. */
const fanout = { ...usual, unit: "delivery", warmup: 5 } as const
const gateway = { ...usual, subject: "gateway", unit: "round trip" } as const

export const questions: ReadonlyArray<Question> = [
  {
    ...usual,
    name: "echo",
    asks: "request and reply, few busy connections",
    scenario: { kind: "echo", connections: 64, inflight: 16, size: 64 }
  },
  {
    ...usual,
    name: "echo-wide",
    asks: "request and reply, many connections with one request each",
    scenario: { kind: "echo", connections: 1000, inflight: 1, size: 64 }
  },
  {
    ...usual,
    name: "echo-batch",
    asks: "as echo, with arrays of messages in one frame both ways",
    batch: true,
    scenario: { kind: "echo", connections: 64, inflight: 16, size: 64 }
  },
  {
    ...fanout,
    name: "fanout",
    asks: "one publisher to a thousand subscribers, the next publish when all have the last",
    scenario: { kind: "fanout", rooms: 1, subscribers: 1000, publishers: 1, outstanding: 1, size: 64 }
  },
  {
    ...fanout,
    name: "fanout-burst",
    asks: "the same with 16 publishes outstanding",
    scenario: { kind: "fanout", rooms: 1, subscribers: 1000, publishers: 1, outstanding: 16, size: 64 }
  },
  {
    ...fanout,
    name: "fanout-batch",
    asks: "as fanout-burst, for subscribers that take arrays of messages",
    batch: true,
    scenario: { kind: "fanout", rooms: 1, subscribers: 1000, publishers: 1, outstanding: 16, size: 64 }
  },
  {
    ...fanout,
    name: "rooms",
    asks: "100 rooms of 100 members, 200 publishes a second at set times: how late are the deliveries",
    encodings: ["json", "msgpack"],
    // Two hundred publishes a second, of two kinds: V8 compiles beside them, on the server's one core, for some ten seconds. And
    // what keeps connections alive comes evenly only when they are older than 30 s.
    warmup: 35,
    scenario: { kind: "fanout", rooms: 100, subscribers: 99, publishers: 1, outstanding: 1, rate: 200, size: 64 }
  },
  {
    ...usual,
    name: "connect",
    asks: "from nothing to 5,000 usable sessions",
    unit: "connection",
    scenario: { kind: "connect", connections: 5000, prime: 2000, members: 0, hold: 0 }
  },
  {
    ...usual,
    name: "memory",
    asks: "what an idle connection in a room of 100 costs in resident memory",
    unit: "connection",
    scenario: { kind: "connect", connections: 10_000, prime: 2000, members: 100, hold: 3 }
  },
  {
    ...gateway,
    name: "gateway-echo-1",
    asks: "there and back through a proxy, one message in flight on each connection",
    scenario: { kind: "gateway", connections: 64, idle: 0, inflight: 1, size: 64 }
  },
  {
    ...gateway,
    name: "gateway-echo",
    asks: "there and back through a proxy, 16 messages in flight on each connection",
    scenario: { kind: "gateway", connections: 64, idle: 0, inflight: 16, size: 64 }
  },
  {
    ...gateway,
    name: "gateway-idle",
    asks: "what an idle connection through a proxy costs in the proxy's resident memory, and what it cost to open",
    unit: "connection",
    scenario: { kind: "connect", connections: 7000, prime: 2000, members: 0, hold: 3 }
  },
  {
    ...gateway,
    name: "gateway-latency",
    asks: "100 busy connections among 1,000 idle ones, 2,000 messages a second at set times: what does the proxy add",
    // At this rate it takes some seconds until a process that is young has compiled what it runs.
    warmup: 8,
    seconds: 5,
    scenario: { kind: "gateway", connections: 100, idle: 1000, inflight: 1, rate: 2000, size: 64 }
  }
]

export const questionNamed = (name: string): Question => {
  const found = questions.find((question) => question.name === name)
  if (found === undefined) throw new Error(`no question ${name}; there are ${questions.map((question) => question.name).join(", ")}`)
  return found
}
