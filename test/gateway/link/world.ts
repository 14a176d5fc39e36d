/** One link among fakes: backends, the client's socket, searches, the clock and the turns of the event loop are the test's. */
import { Effect } from "effect"
import { expect } from "vitest"
import { TimerWheel } from "../../../src/actor/TimerWheel.ts"
import type { ProxyRoute } from "../../../src/config/proxy.ts"
import { headerRules } from "../../../src/gateway/ForwardHeaders.ts"
import type { Backend, BackendEnd, BackendHandler } from "../../../src/gateway/link/Backend.ts"
import type { Connected } from "../../../src/gateway/link/connect.ts"
import type { Link } from "../../../src/gateway/link/Link.ts"
import type { LinkContext } from "../../../src/gateway/link/LinkContext.ts"
import type { Frame } from "../../../src/gateway/link/ReplayBuffer.ts"
import type { SeekOptions, SeekOutcome } from "../../../src/gateway/link/seek.ts"
import { Links } from "../../../src/gateway/Links.ts"
import type { Route } from "../../../src/gateway/Route.ts"
import { makeBucket, makeRate } from "../../../src/limits/TokenBucket.ts"
import type { ClientSocket, Seat, SendStatus } from "../../../src/transport/Transport.ts"
import { TurnEnd } from "../../../src/transport/TurnEnd.ts"
import { arrived } from "../asker.ts"
import { poolOf } from "../poolOf.ts"
import { proxyRoute, urls } from "../proxyRoute.ts"

export const textOf = (bytes: ArrayBuffer | Uint8Array): string =>
  Buffer.from(bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes)).toString()

type OnWire = { readonly frame: string; readonly binary: boolean } | { readonly ping: string }

/** A backend that reads what was sent to it when the test says so, and answers pings in their place, as TCP and RFC 6455 have it. */
export class FakeBackend implements Backend {
  readonly protocol = ""
  /** Sent and not read. */
  readonly wire: Array<OnWire> = []
  /** Messages that it has read. */
  readonly read: Array<{ readonly text: string; readonly binary: boolean }> = []
  pings = 0
  pongs = 0
  pauses = 0
  backlog = 0
  paused = false
  /** By the link. */
  closed: { readonly code: number; readonly reason: string } | "terminated" | undefined
  /** By itself. */
  ended = false
  handler: BackendHandler | undefined
  /** Thrown by the next `send`. */
  defect: Error | undefined

  get gone(): boolean {
    return this.ended || this.closed !== undefined
  }

  texts(): ReadonlyArray<string> {
    return this.read.map(({ text }) => text)
  }

  start(handler: BackendHandler): void {
    if (this.handler !== undefined) throw new Error("started twice")
    this.handler = handler
  }

  send(bytes: ArrayBuffer | Uint8Array, binary: boolean): void {
    if (this.defect !== undefined) throw this.defect
    if (this.closed !== undefined) throw new Error("sent to a backend that the link has closed")
    if (!this.ended) this.wire.push({ frame: textOf(bytes), binary })
  }

  ping(payload: string): void {
    if (this.closed !== undefined) throw new Error("pinged a backend that the link has closed")
    if (this.ended) return
    this.pings++
    this.wire.push({ ping: payload })
  }

  buffered(): number {
    return this.backlog
  }

  pause(): void {
    this.paused = true
    this.pauses++
  }

  resume(): void {
    this.paused = false
  }

  close(code: number, reason: string): void {
    if (this.closed !== undefined) throw new Error("closed twice")
    this.closed = { code, reason }
  }

  terminate(): void {
    if (this.closed !== undefined) throw new Error("closed twice")
    this.closed = "terminated"
  }

  /** Reads up to so many messages and pings. What has been sent is read to the end even when the link has closed. */
  reads(count = Infinity): void {
    for (let n = 0; n < count && !this.ended; n++) {
      const next = this.wire.shift()
      if (next === undefined) return
      if ("frame" in next) this.read.push({ text: next.frame, binary: next.binary })
      else this.answers(next.ping)
    }
  }

  private answers(payload: string): void {
    this.pongs++
    this.pong(payload)
  }

  /** A pong that may be an answer to nothing. */
  pong(payload: string): void {
    this.handler?.onPong(Buffer.from(payload))
  }

  says(...texts: ReadonlyArray<string>): void {
    this.handler?.onFrames(texts.map((text): Frame => ({ bytes: Buffer.from(text), binary: false })))
  }

  /** It ends, and nothing that waits for it is ever read. */
  ends(code: number, reason = "", problem?: BackendEnd["problem"]): void {
    this.ended = true
    this.handler?.onEnd({ code, reason, problem })
  }
}

/** A client that reads nothing while `stuck`. `onClose`, called at the end, is what the transport tells its handler. */
export class FakeSocket implements ClientSocket {
  readonly received: Array<string> = []
  backlog = 0
  /** Sends are dropped. */
  full = false
  stuck = false
  ended: { readonly code: number; readonly reason: string } | "terminated" | undefined
  corks = 0
  onClose: (code: number, reason: string) => void = () => undefined
  /** Whether the end of the socket is told within the call that ends it, as uWebSockets.js does. */
  private readonly atOnce: boolean

  constructor(atOnce: boolean) {
    this.atOnce = atOnce
  }

  send(): SendStatus {
    throw new Error("a link sends bytes")
  }

  sendBytes(bytes: ArrayBuffer | Uint8Array): SendStatus {
    if (this.ended !== undefined) throw new Error("sent to a client that was closed")
    if (this.full) return "dropped"
    this.received.push(textOf(bytes))
    if (this.stuck) this.backlog += bytes.byteLength
    return this.stuck ? "buffered" : "sent"
  }

  cork(body: () => void): boolean {
    this.corks++
    body()
    return true
  }

  subscribe(): void {}
  unsubscribe(): void {}
  publish(): boolean {
    return true
  }

  buffered(): number {
    return this.backlog
  }

  end(code: number, reason: string): void {
    if (this.ended !== undefined) throw new Error("closed twice")
    this.ended = { code, reason }
    if (this.atOnce) this.onClose(code, reason)
  }

  terminate(): void {
    if (this.ended === "terminated" || (this.ended !== undefined && this.atOnce)) return
    this.ended = "terminated"
    if (this.atOnce) this.onClose(1006, "")
  }
}

/** A search of a link for another backend. */
export interface FakeSearch {
  readonly options: Omit<SeekOptions, "turnEnd">
  state: "searching" | "done" | "interrupted"
  /** Ends it in its first round, as long as it has not been interrupted. */
  readonly resolve: (found: Connected | undefined) => void
  /** Tells the link, as a search would whose last step came together with its interruption. */
  readonly force: (found: Connected | undefined) => void
}

class ManualTurnEnd extends TurnEnd {
  readonly waiting: Array<() => void> = []
  override readonly afterRooms = (flush: () => void): void => void this.waiting.push(flush)
  override readonly afterConnections = this.afterRooms
}

export interface WorldOptions {
  readonly failover?: Partial<ProxyRoute["failover"]>
  readonly route?: Partial<Omit<ProxyRoute, "failover" | "targets">>
  readonly targets?: number
  /** See `FakeSocket`. Default: at once. */
  readonly closesAtOnce?: boolean
}

export const pingInterval = 30_000
const granularity = 100
const seat: Seat = { address: { key: "192.0.2.1", connections: 1, bucket: makeBucket(0, makeRate(0, 0)) }, user: undefined }

/** A link that has just been opened; `reconnect` unless told otherwise. */
export const world = (options: WorldOptions = {}) => {
  const targets = options.targets ?? 2
  const settings = proxyRoute(urls(targets), {
    ...options.route,
    failover: { mode: "reconnect", deadline: 30, buffer: 1_048_576, preamble: 0, ping_timeout: 5, ...options.failover }
  })
  const { clock, pool, target } = poolOf(settings)
  const route: Route = { path: settings.path, settings, pool, rules: headerRules(settings), users: new Map() }
  const turnEnd = new ManualTurnEnd()
  const backends: Array<FakeBackend> = []
  const searches: Array<FakeSearch> = []
  const changes: Array<string> = []
  const defects: Array<unknown> = []
  const seatsLeft: Array<Seat> = []
  const timers = new TimerWheel<Link>(granularity, clock.now, (link) => void link.offerReply({ type: "timer" }))
  const links = new Links({ fork: (life) => Effect.runFork(life), onDefect: (_, cause) => void defects.push(cause) })

  const connected = (index: number, onTrial = true): Connected & { readonly backend: FakeBackend } => {
    const lease = pool.acquire(target(index % targets))
    pool.accepted(lease, 1)
    if (!onTrial) pool.proved(lease)
    const backend = new FakeBackend()
    backends.push(backend)
    return { backend, headers: [], lease, choice: { target: lease.target, setCookie: undefined } }
  }

  const context: LinkContext = {
    time: clock,
    timers,
    turnEnd,
    pingInterval,
    seek: (_route, _arrived, sought, done) => {
      const search: { -readonly [K in keyof FakeSearch]: FakeSearch[K] } = {
        options: sought,
        state: "searching",
        resolve: () => undefined,
        force: (found) => done({ found, round: sought.round })
      }
      searches.push(search)
      return Effect.runFork(
        Effect.callback<SeekOutcome>((resume) => {
          search.resolve = (found) => {
            search.state = "done"
            resume(Effect.succeed({ found, round: sought.round }))
          }
          return Effect.sync(() => {
            search.state = "interrupted"
          })
        }).pipe(Effect.map(done))
      )
    },
    resumed: (id) => [["x-weft-connection", id]],
    onChange: (_, change) => void changes.push(change),
    onMoved: (link, from) => links.moved(link, from),
    onEnd: (link, left) => {
      if (links.remove(link)) seatsLeft.push(left)
    }
  }

  const socket = new FakeSocket(options.closesAtOnce ?? true)
  const link = links.open(context, socket, { id: "link", route, arrived: arrived(), seat, connected: connected(0, false) })
  socket.onClose = (code, reason) => void link.offerReply({ type: "client_closed", code, reason })

  const turn = (): void => {
    for (const flush of turnEnd.waiting.splice(0)) flush()
  }
  return {
    settings,
    clock,
    pool,
    target,
    links,
    link,
    socket,
    backends,
    searches,
    changes,
    defects,
    seatsLeft,
    connected,
    /** The backend of the beginning. */
    first: backends[0] as FakeBackend,
    /** Clients that count against the targets. */
    leases: () => pool.targets.reduce((sum, { connections }) => sum + connections, 0),
    scheduled: () => link.timerNext !== undefined,
    client: (text: string, binary = false): void => {
      const bytes = Buffer.from(text)
      const frame = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)
      if (!link.offer({ type: "frame", frame, binary })) return
      // The bytes were lent.
      new Uint8Array(frame).fill(0x3f)
    },
    /** The turn of the event loop ends. */
    turn,
    advance: (milliseconds: number): void => {
      clock.now += milliseconds
      timers.advance(clock.now)
      turn()
    },
    /** The newest search, which must be under way, ends: with a backend at this target, or without. */
    found: (index: number | undefined): FakeBackend | undefined => {
      const search = searches.at(-1)
      if (search?.state !== "searching") throw new Error(`there is no search: ${search?.state}`)
      if (index === undefined) {
        search.resolve(undefined)
        return undefined
      }
      const next = connected(index)
      search.resolve(next)
      return next.backend
    }
  }
}

export type World = ReturnType<typeof world>

/** Everything that the link held has been given back, once. */
export const expectOver = (w: World): void => {
  expect(w.leases()).toBe(0)
  expect(w.seatsLeft).toHaveLength(1)
  expect(w.links.size).toBe(0)
  for (const target of w.pool.targets) expect(w.links.of(target)).toEqual([])
  expect(w.backends.filter(({ gone }) => !gone)).toEqual([])
  expect(w.searches.filter(({ state }) => state === "searching")).toEqual([])
  expect(w.scheduled()).toBe(false)
}
