/** A client that sends much at once, to backends that keep up and to some that do not. */
import { describe, expect, it } from "vitest"
import { start } from "../hub/support.ts"
import { eventually } from "../support/eventually.ts"
import { backend, type BackendLink, client, type RouteClient } from "./support.ts"
import { watchLinks } from "./watchLinks.ts"

const failover = { mode: "reconnect" as const, deadline: 60 }

/** Numbered messages of this size. */
const burst = ({ ws }: RouteClient, count: number, size: number): void => {
  for (let number = 0; number < count; number++) ws.send(`${number}`.padEnd(size, " "))
}

/** Which of them a backend has read, in order. */
const numbers = (link: BackendLink | undefined): ReadonlyArray<number> => link?.received.map(({ text }) => Number(text)) ?? []

const upTo = (count: number): ReadonlyArray<number> => Array.from({ length: count }, (_, number) => number)

const silent = { onMessage: () => undefined }

describe("a client that sends a burst", () => {
  it("is not closed while its backend keeps up, and what is kept is acknowledged to the last byte", async () => {
    const links = watchLinks()
    const first = await backend(silent)
    const server = await start({ proxy: [{ path: "/app", targets: [first.url], failover }] })
    const bursts: ReadonlyArray<readonly [count: number, size: number]> = [
      [2, 600_000],
      [8_000, 100],
      [5_000, 1_000]
    ]
    for (const [count, size] of bursts) {
      const ada = await client(server, "/app").opened()
      burst(ada, count, size)
      await eventually(() => ada.closed !== undefined || first.links.at(-1)?.received.length === count)
      expect(ada.closed).toBeUndefined()
      expect(numbers(first.links.at(-1))).toEqual(upTo(count))
      await eventually(() => links.at(-1)?.keptBytes === 0)
    }
  })

  it("loses nothing of it to a backend that dies with it unread", async () => {
    const [first, second] = await Promise.all([backend({ onConnection: ({ ws }) => ws.pause() }), backend(silent)])
    const links = watchLinks()
    const server = await start({ proxy: [{ path: "/app", targets: [first.url, second.url], failover }] })
    const ada = await client(server, "/app").opened()
    burst(ada, 3_000, 1_000)
    await eventually(() => (links[0]?.keptBytes ?? 0) >= 3_000_000)
    await first.kill()
    await eventually(() => ada.closed !== undefined || second.links[0]?.received.length === 3_000)
    expect(numbers(second.links[0])).toEqual(upTo(3_000))
    expect(ada.closed).toBeUndefined()
  })

  it("is told by a close when it is more than all buffers and one message hold", async () => {
    const links = watchLinks()
    const bounds = { buffer: 200_000, max_message: 100_000 }
    const first = await backend({ onConnection: ({ ws }) => ws.pause() })
    const server = await start({
      proxy: [{ path: "/app", targets: [first.url], ...bounds, failover: { ...failover, buffer: 300_000, ping_timeout: 60 } }]
    })
    const ada = await client(server, "/app").opened()
    burst(ada, 600, 900)
    // Each is kept with a little more than its bytes: 578,400 of 600,000.
    await eventually(() => links[0]?.keptBytes === 600 * 964)
    expect(ada.closed).toBeUndefined()
    burst(ada, 600, 900)
    expect(await ada.end()).toMatchObject({ code: 1013 })
  })
})
