import fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  type ClientEvent,
  type ClientState,
  defaultReconnect,
  initialState,
  type LinkState,
  step as stepWith
} from "../../src/client/ClientState.ts"
import type { ServerMessageOf } from "../../src/client/Events.ts"
import { closeCodes, shouldReconnect } from "../../src/wire/Codes.ts"

const welcome = (rooms: ReadonlyArray<string> = []): ServerMessageOf<"welcome"> => ({
  type: "welcome",
  connection: "c1",
  session: "s1",
  node: "n",
  resumed: rooms.length > 0,
  rooms,
  heartbeat: { interval: 30_000, timeout: 60_000 },
  limits: { message: 1_000, room_name: 128, rooms: 128, batch: 64, depth: 64, rate: 0 }
})
const bye = (reconnect: boolean, after?: number) =>
  ({ type: "bye", code: 1001, reason: "restart", reconnect, ...(after === undefined ? {} : { after }) }) as const

const lost = (code: number, random = 0.5): ClientEvent => ({ event: "lost", code, reason: "gone", random })
const step = (state: ClientState, event: ClientEvent) => stepWith(state, event, defaultReconnect)
const after = (...events: ReadonlyArray<ClientEvent>): ClientState => events.reduce((state, event) => step(state, event)[0], initialState)
const opened: ReadonlyArray<ClientEvent> = [{ event: "connect" }, { event: "welcomed", welcome: welcome() }]
const dialled: ReadonlyArray<ClientEvent> = [{ event: "connect" }]
const delayOf = (link: LinkState): number => (link.state === "waiting" ? link.delay : Number.NaN)

describe("ClientState", () => {
  it("dials when told to connect, once", () => {
    const [state, commands] = step(initialState, { event: "connect" })
    expect(state.link).toEqual({ state: "connecting", attempt: 1 })
    expect(commands).toEqual([{ do: "dial" }])
    expect(step(state, { event: "connect" })).toEqual([state, []])
  })

  it.each(Object.keys(closeCodes).map(Number))("does after close %i what the table of codes says", (code) => {
    const [state, commands] = step(after(...opened), lost(code))
    expect(state.link.state).toBe(shouldReconnect(code) ? "waiting" : "closed")
    expect(commands.map((command) => command.do)).toEqual(shouldReconnect(code) ? ["release", "retry_in"] : ["release"])
  })

  it.each([1005, 1006, 1012, 4999])("comes back after close %i, which is none of ours", (code) => {
    expect(after(...opened, lost(code)).link.state).toBe("waiting")
  })

  it("stays away when it is not to reconnect", () => {
    const [state] = stepWith(after(...opened), lost(1006), { ...defaultReconnect, reconnect: false })
    expect(state.link).toEqual({ state: "closed", code: 1006, reason: "gone" })
  })

  it("waits longer with every failure and dials again when the wait is over", () => {
    let state = after(...dialled)
    const waits: Array<number> = []
    for (let i = 0; i < 8; i++) {
      state = step(state, lost(1006))[0]
      waits.push(delayOf(state.link))
      const [next, commands] = step(state, { event: "retry" })
      expect(commands).toEqual([{ do: "dial" }])
      expect(next.link).toEqual({ state: "connecting", attempt: i + 2 })
      state = next
    }
    expect(waits).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000])
  })

  it("starts from the shortest wait only after a connection that held", () => {
    const failedTwice = [...dialled, lost(1006), { event: "retry" }, lost(1006), { event: "retry" }] as const
    const welcomed = { event: "welcomed", welcome: welcome() } as const
    expect(delayOf(after(...failedTwice, welcomed, lost(4500)).link)).toBe(1_000)
    expect(delayOf(after(...failedTwice, welcomed, { event: "held" }, lost(4500)).link)).toBe(250)
  })

  it("does not come back before the time of a bye, whatever the draw", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 100_000 }), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (time, random) => {
        const wait = delayOf(after(...opened, { event: "byed", bye: bye(true, time) }, lost(1001, random)).link)
        expect(wait).toBeGreaterThanOrEqual(time)
        expect(wait).toBeLessThan(time + 500)
      })
    )
  })

  it("believes a bye more than the close code", () => {
    expect(after(...opened, { event: "byed", bye: bye(false) }, lost(1006)).link).toEqual({
      state: "closed",
      code: 1001,
      reason: "restart"
    })
    expect(after(...opened, { event: "byed", bye: bye(true) }, lost(1000)).link.state).toBe("waiting")
  })

  it("forgets a bye with the link it was for", () => {
    const second = after(
      ...opened,
      { event: "byed", bye: bye(true, 60_000) },
      lost(1001),
      { event: "retry" },
      ...opened.slice(1),
      lost(1006)
    )
    expect(delayOf(second.link)).toBeLessThan(60_000)
  })

  it("comes back later when there were too many", () => {
    expect(delayOf(after(...opened, lost(4429, 0)).link)).toBe(5_000)
    expect(delayOf(after(...opened, { event: "byed", bye: { ...bye(true, 20), code: 4429 } }, lost(4429, 0)).link)).toBe(20)
  })

  it("joins its rooms again, except those that the server restored", () => {
    const state = after(...opened, { event: "joined", room: "a" }, { event: "joined", room: "b" }, lost(1006), { event: "retry" })
    const [, commands] = step(state, { event: "welcomed", welcome: welcome(["b"]) })
    expect(commands.filter((command) => command.do === "join")).toEqual([{ do: "join", room: "a" }])
  })

  it("does not go back to a room that was left, also when the leave was never answered", () => {
    const joined = [...opened, { event: "joined", room: "a" }, { event: "joined", room: "b" }] as const
    expect([...after(...joined, { event: "left", room: "a" }).rooms.keys()]).toEqual(["b"])
    expect([...after(...joined, { event: "leaving", room: "a" }, lost(1006)).rooms.keys()]).toEqual(["b"])
  })

  it("takes no notice of a join that is answered after the leave was sent, and of one after it was answered it does", () => {
    const leaving = [...opened, { event: "leaving", room: "a" }, { event: "joined", room: "a" }] as const
    expect(after(...leaving).rooms.size).toBe(0)
    expect([...after(...leaving, { event: "left", room: "a" }, { event: "joined", room: "a" }).rooms.keys()]).toEqual(["a"])
  })

  it("tries a refused room again if that can help, each time later, and else gives it up", () => {
    const state = after(...opened, { event: "joined", room: "a" }, lost(1006), { event: "retry" }, ...opened.slice(1))
    const refused = { event: "refused", room: "a", retryable: true, random: 0.5 } as const
    const [once, first] = step(state, refused)
    const [twice, second] = step(once, refused)
    expect([...first, ...second]).toEqual([
      { do: "rejoin_in", room: "a", delay: 250 },
      { do: "rejoin_in", room: "a", delay: 500 }
    ])
    expect(step(twice, { event: "rejoin", room: "a" })[1]).toEqual([{ do: "join", room: "a" }])
    const [given, none] = step(twice, { ...refused, retryable: false })
    expect(none).toEqual([])
    expect(step(given, { event: "rejoin", room: "a" })[1]).toEqual([])
  })

  it("forgets its rooms when it is closed, and keeps them when the server closes for good", () => {
    const joined = [...opened, { event: "joined", room: "a" }] as const
    expect(after(...joined, { event: "close" }).rooms.size).toBe(0)
    const [, commands] = step(after(...joined, lost(4401), { event: "connect" }), { event: "welcomed", welcome: welcome() })
    expect(commands).toContainEqual({ do: "join", room: "a" })
  })

  it("connects at once when told to during a wait", () => {
    const [state, commands] = step(after(...opened, lost(1006)), { event: "connect" })
    expect(state.link.state).toBe("connecting")
    expect(commands.map((command) => command.do)).toEqual(["release", "dial"])
  })

  it("holds its promises whatever happens in whatever order", () => {
    const room = fc.constantFrom("a", "b", "c")
    const draw = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
    const code = fc.oneof(fc.constantFrom(...Object.keys(closeCodes).map(Number)), fc.integer({ min: 1000, max: 4999 }))
    const event: fc.Arbitrary<ClientEvent> = fc.oneof(
      fc.constant({ event: "connect" } as const),
      fc.constant({ event: "retry" } as const),
      fc.constant({ event: "close" } as const),
      fc.constant({ event: "held" } as const),
      fc.subarray(["a", "b", "c"]).map((rooms) => ({ event: "welcomed", welcome: welcome(rooms) }) as const),
      fc
        .record({ reconnect: fc.boolean(), time: fc.nat() })
        .map(({ reconnect, time }) => ({ event: "byed", bye: bye(reconnect, time) }) as const),
      fc.record({ event: fc.constant("lost" as const), code, reason: fc.string(), random: draw }),
      fc.record({ event: fc.constantFrom("joined", "left", "leaving", "rejoin"), room }) as fc.Arbitrary<ClientEvent>,
      fc.record({ event: fc.constant("refused" as const), room, retryable: fc.boolean(), random: draw })
    )
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        let state = initialState
        let links = 0
        let retries = 0
        for (const one of events) {
          const before = state
          const [next, commands] = step(state, one)
          for (const command of commands) {
            if (command.do === "release") links = retries = 0
            if (command.do === "dial") links++
            if (command.do === "retry_in") retries++
            if (command.do === "join") expect(next.link.state === "open" && next.rooms.has(command.room)).toBe(true)
            if ("delay" in command) expect(command.delay).toBeGreaterThanOrEqual(0)
          }
          if (one.event === "retry" && before.link.state === "waiting") retries = 0
          state = next
          const name = state.link.state
          expect(links).toBe(name === "connecting" || name === "open" ? 1 : 0)
          expect(retries).toBe(name === "waiting" ? 1 : 0)
          expect([...state.leaving].filter((left) => state.rooms.has(left))).toEqual([])
        }
      }),
      { numRuns: 2_000 }
    )
  })
})
