import fc from "fast-check"
import { expect, it } from "vitest"
import { goingAway } from "../../../src/gateway/link/LinkState.ts"
import { trialTime } from "../../../src/gateway/link/Recovery.ts"
import { expectOver, type FakeBackend, pingInterval, world, type World } from "./world.ts"

const limit = 3_000
const buffer = 1_000
const maxMessage = 1_000
/** Bytes that are kept at the most. */
const most = limit + buffer + maxMessage
const overhead = 64
const timeout = 600
const deadline = 30

/** What the test knows without the link. */
interface Model {
  readonly mode: "close" | "reconnect"
  readonly preamble: number
  /** Messages that the link has taken from the client. */
  sent: number
  /** Whether the socket tells of its end by itself, or is yet to tell. */
  readonly closesAtOnce: boolean
  gone: boolean
  /** What the client must have got. */
  readonly said: Array<string>
  /** When the present backend took the link from another one; cleared once it has proved itself. */
  tookOver: number | undefined
  /** When the first backend was lost since one had proved itself. */
  lostAt: number | undefined
  /** Bytes that were on their way to the last backend when it was lost. */
  keptAtLoss: number
}

const current = ({ backends }: World): FakeBackend | undefined => backends.findLast(({ gone }) => !gone)
const searching = ({ searches }: World): boolean => searches.at(-1)?.state === "searching"
const isOpen = (m: Model, w: World): boolean => !m.gone && w.socket.ended === undefined
const closedWith = ({ socket }: World): number | undefined => (typeof socket.ended === "object" ? socket.ended.code : undefined)

/** A backend that answers, or says more than the client reads, and keeps the link is trusted, and what was before is forgotten. */
const settle = (m: Model, w: World): void => {
  const { pauses = 0, pongs = 0 } = w.backends.at(-1) ?? {}
  if (m.tookOver === undefined || pauses + pongs === 0 || w.clock.now < m.tookOver + trialTime) return
  m.tookOver = undefined
  m.lostAt = undefined
}

/** What must become of the client when its backend is lost. `sought`: another one was being sought already. */
const expectSought = (m: Model, w: World, sought: boolean): void => {
  m.tookOver = undefined
  m.lostAt ??= w.clock.now
  m.keptAtLoss = w.link.keptBytes
  if (sought || w.clock.now < m.lostAt + deadline * 1000) expect(searching(w)).toBe(true)
  else expect(closedWith(w)).toBe(4503)
}

const textOf = (number: number, size: number): string => `${number}`.padEnd(size, " ")
const numbersOf = (backend: FakeBackend): ReadonlyArray<number> => backend.texts().map(Number)

/** The messages of a backend: the preamble as far as others have read it, then a run without gaps. */
const expectInOrder = (backend: FakeBackend, preamble: number): void => {
  const numbers = numbersOf(backend)
  const gaps = numbers.flatMap((number, index) => (index > 0 && number !== (numbers[index - 1] ?? 0) + 1 ? [index] : []))
  expect(gaps.length).toBeLessThanOrEqual(1)
  const [gap] = gaps
  if (gap !== undefined) {
    expect(gap).toBeLessThanOrEqual(preamble)
    expect(numbers[0]).toBe(1)
    expect(numbers[gap]).toBeGreaterThan(gap)
  }
  if (preamble > 0 && numbers.length > 0) expect(numbers[0]).toBe(1)
}

/** What holds at any time. */
const check = (m: Model, w: World): void => {
  const live = w.backends.filter(({ gone }) => !gone)
  expect(w.defects).toEqual([])
  expect(w.socket.received).toEqual(m.said)
  expect(w.link.keptBytes).toBeLessThanOrEqual(most)
  for (const backend of w.backends) {
    expectInOrder(backend, m.preamble)
    expect(backend.pings - backend.pongs).toBeLessThanOrEqual(1)
  }
  if (isOpen(m, w)) {
    expect(w.leases()).toBe(1)
    expect(w.seatsLeft).toHaveLength(0)
    expect(w.scheduled()).toBe(true)
    expect(live.length).toBeLessThanOrEqual(1)
    expect(w.searches.slice(0, -1).every(({ state }) => state === "done")).toBe(true)
    if (live.length === 0) expect(searching(w)).toBe(true)
    const read = new Set(w.backends.flatMap(numbersOf))
    const unread = m.sent - read.size
    // Nothing is forgotten before it has been read, and read by a backend that was heard.
    if (m.mode === "reconnect") expect(w.link.keptBytes).toBeGreaterThanOrEqual(unread * overhead)
  } else if (m.gone || m.closesAtOnce) expectOver(w)
  else {
    expect(w.leases()).toBe(0)
    expect(live).toEqual([])
    expect(searching(w)).toBe(false)
    expect(w.scheduled()).toBe(true)
  }
}

type Step = fc.Command<Model, World>

const step = (name: string, run: (m: Model, w: World) => void, applies: (m: Model) => boolean = () => true): Step => ({
  check: applies,
  run: (m, w) => {
    run(m, w)
    check(m, w)
  },
  toString: () => name
})

const client = (size: number): Step =>
  step(`client(${size})`, (m, w) => {
    const open = isOpen(m, w)
    const text = textOf(m.sent + 1, size)
    const present = current(w) !== undefined
    const fits = w.link.keptBytes + text.length + overhead <= (present ? most : Math.min(most, m.keptAtLoss + limit))
    w.client(text)
    if (!open) return
    if (m.mode === "close" || fits) {
      expect(w.socket.ended).toBeUndefined()
      m.sent++
    } else expect(closedWith(w)).toBe(present ? 1013 : 4503)
  })

const says = (count: number): Step =>
  step(`says(${count})`, (m, w) => {
    const backend = current(w)
    if (backend === undefined) return
    const texts = Array.from({ length: count }, (_, index) => `${m.said.length + index}`)
    m.said.push(...texts)
    backend.says(...texts)
  })

const dropped = step("dropped", (m, w) => {
  const backend = current(w)
  if (backend === undefined) return
  w.socket.full = true
  backend.says("lost")
  expect(closedWith(w)).toBe(4413)
})

/** Whatever a backend tells that the link has left, or that has ended. */
const late = (what: "says" | "pong" | "ends" | "reads", which: number): Step =>
  step(`late ${what}(${which})`, (_, w) => {
    const old = w.backends.filter(({ gone }) => gone)
    const backend = old[which % Math.max(1, old.length)]
    if (backend === undefined) return
    if (what === "says") backend.says("late")
    else if (what === "pong") backend.pong(`weft:${which}`)
    else if (what === "reads") backend.reads()
    else backend.handler?.onEnd({ code: 1000 + which, reason: "late", problem: undefined })
  })

const ends = (code: number): Step =>
  step(`ends(${code})`, (m, w) => {
    const backend = current(w)
    if (backend === undefined) return
    const sought = searching(w)
    settle(m, w)
    backend.ends(code, "its words")
    if (m.mode === "reconnect" && [1001, 1006, 1012].includes(code)) expectSought(m, w, sought)
    else expect(closedWith(w)).toBe(code === 1006 ? 4503 : code)
  })

const found = (index: number | undefined): Step =>
  step(`found(${index})`, (m, w) => {
    if (!searching(w)) return
    const before = current(w)
    const searches = w.searches.length
    settle(m, w)
    w.found(index)
    if (index !== undefined) {
      m.tookOver = w.clock.now
      if (before !== undefined) expect(before.closed).toEqual({ code: 1001, reason: "moved" })
      expect(current(w)).toBe(w.backends.at(-1))
    }
    // Who is lost while no backend was found has another chance if it was not lost from the beginning.
    if (index !== undefined || before !== undefined || w.searches.length > searches) expect(isOpen(m, w)).toBe(true)
    else expect(closedWith(w)).toBe(4503)
  })

const advance = (milliseconds: number): Step =>
  step(`advance(${milliseconds})`, (m, w) => {
    const open = isOpen(m, w)
    const before = current(w)
    const sought = searching(w)
    w.advance(milliseconds)
    settle(m, w)
    if (!open) {
      // The client had its time to read the close frame.
      if (!m.gone && w.socket.ended === "terminated") {
        m.gone = true
        w.socket.onClose(1006, "")
      }
    } else if (before?.closed === "terminated") {
      expect(before.pings - before.pongs).toBe(1)
      if (m.mode === "close") expect(closedWith(w)).toBe(4503)
      else expectSought(m, w, sought)
    } else if (w.socket.ended !== undefined) expect(closedWith(w)).toBe(4408)
  })

const backlog = (bytes: number): Step =>
  step(`backlog(${bytes})`, (_, w) => {
    w.socket.backlog = bytes
    w.link.offerReply({ type: "drained" })
  })

const move = step("move", (m, w) => {
  const open = isOpen(m, w)
  w.link.offerReply({ type: "move", goodbye: goingAway })
  if (open && m.mode === "close") expect(closedWith(w)).toBe(1001)
  else if (open) expect(searching(w)).toBe(true)
})

const close = (abrupt: boolean): Step =>
  step(`close(${abrupt})`, (m, w) => {
    const open = isOpen(m, w)
    w.link.offerReply({ type: "close", goodbye: goingAway, abrupt })
    if (open) expect(w.socket.ended === "terminated" ? 1001 : closedWith(w)).toBe(1001)
  })

const clientCloses = (code: number): Step =>
  step(
    `client closes(${code})`,
    (m, w) => {
      if (w.socket.ended !== undefined && m.closesAtOnce) return
      m.gone = true
      w.socket.onClose(code, "")
      expectOver(w)
    },
    (m) => !m.gone
  )

/** A search whose last step came together with its interruption. */
const lateFound = step("late found", (_, w) => {
  const search = w.searches.findLast(({ state }) => state === "interrupted")
  search?.force(w.connected(1))
})

const steps = fc.commands<Model, World>(
  [
    fc.integer({ min: 1, max: 200 }).map(client),
    fc.integer({ min: 1, max: 200 }).map(client),
    fc.constant(step("turn", (_, w) => w.turn())),
    fc.integer({ min: 1, max: 6 }).map((count) => step(`reads(${count})`, (_, w) => current(w)?.reads(count))),
    fc.constant(
      step("settles", (_, w) => {
        w.turn()
        current(w)?.reads()
        w.turn()
        current(w)?.reads()
      })
    ),
    fc.integer({ min: 1, max: 3 }).map(says),
    fc.constantFrom("", "3", "weft:1000", "1700000000000").map((text) => step(`stray pong(${text})`, (_, w) => current(w)?.pong(text))),
    fc.constantFrom(1006, 1006, 1001, 1012).map(ends),
    fc.tuple(fc.constantFrom("says", "pong", "ends", "reads"), fc.nat(5)).map(([what, which]) => late(what, which)),
    fc.constantFrom(0, 1, 0, 1, 0, 1, undefined).map(found),
    fc.constantFrom(0, 1).map(found),
    fc.constantFrom(1, 100, 1_000, 5_100, pingInterval + 100, 600_000).map(advance),
    fc.constant(step("backend's ping", (_, w) => current(w)?.handler?.onPing())),
    fc.constant(step("client's ping", (_, w) => void w.link.offer({ type: "alive" }))),
    fc.constantFrom(0, 200, 400, 600_000).map(backlog),
    fc.constant(move),
    fc.constant(lateFound),
    // What ends the link comes seldom, or nothing would be old enough to break.
    fc.oneof(
      { weight: 10, arbitrary: fc.integer({ min: 100, max: 400 }).map(client) },
      { weight: 1, arbitrary: fc.constant(dropped) },
      { weight: 1, arbitrary: fc.boolean().map(close) },
      { weight: 1, arbitrary: fc.constantFrom(1000, 1006, 4000).map(clientCloses) },
      { weight: 1, arbitrary: fc.constantFrom(1000, 4001, 1005).map(ends) }
    )
  ],
  { maxCommands: 120, size: "max" }
)

/** All goes well from here on: everything that the client sent reaches somebody. */
const heal = (m: Model, w: World): void => {
  if (!isOpen(m, w)) return
  w.socket.backlog = 0
  w.link.offerReply({ type: "drained" })
  if (current(w) === undefined) w.found(1)
  for (let n = 0; n < 4; n++) {
    w.turn()
    current(w)?.reads()
  }
  check(m, w)
  if (m.mode === "reconnect") {
    const read = new Set(w.backends.flatMap(numbersOf))
    expect(Array.from({ length: m.sent }, (_, index) => index + 1).filter((number) => !read.has(number))).toEqual([])
    const own = m.preamble === 0 ? 0 : m.sent
    if (own === 0) expect(w.link.keptBytes).toBe(0)
  }
}

/** Nothing that comes after the end changes anything. */
const afterwards = (m: Model, w: World): void => {
  if (isOpen(m, w) || (!m.closesAtOnce && !m.gone)) {
    m.gone = true
    w.socket.onClose(1000, "")
  }
  expectOver(w)
  for (const backend of w.backends) {
    backend.says("late")
    backend.pong("weft:1")
    backend.handler?.onEnd({ code: 1006, reason: "", problem: undefined })
  }
  for (const search of w.searches) if (search.state === "interrupted") search.force(w.connected(0))
  w.client("late")
  w.link.offerReply({ type: "move", goodbye: goingAway })
  w.advance(1_000_000)
  expect(w.socket.received).toEqual(m.said)
  expectOver(w)
}

it("a link loses nothing that a client sent, keeps order and bounds, and gives everything back once, whatever happens when", () => {
  fc.assert(
    fc.property(
      fc.record({
        mode: fc.constantFrom("reconnect" as const, "reconnect" as const, "reconnect" as const, "close" as const),
        preamble: fc.constantFrom(0, 0, 1, 3),
        closesAtOnce: fc.boolean()
      }),
      steps,
      (setup, commands) => {
        const make = (): { model: Model; real: World } => ({
          model: {
            ...setup,
            preamble: setup.mode === "close" ? 0 : setup.preamble,
            sent: 0,
            gone: false,
            said: [],
            tookOver: undefined,
            lostAt: undefined,
            keptAtLoss: 0
          },
          real: world({
            failover: { mode: setup.mode, deadline, preamble: setup.preamble, buffer: limit },
            route: { timeout, buffer, max_message: maxMessage },
            closesAtOnce: setup.closesAtOnce
          })
        })
        const run = make()
        fc.modelRun(() => run, commands)
        heal(run.model, run.real)
        afterwards(run.model, run.real)
      }
    ),
    { numRuns: Number(process.env["LINK_RUNS"] ?? 400) }
  )
})
