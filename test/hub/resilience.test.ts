import { type Context, Effect, Exit, Metric, Scope } from "effect"
import { fileURLToPath } from "node:url"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { describe, expect, it } from "vitest"
import { startServer } from "../../src/app.ts"
import { eventually } from "../support/eventually.ts"
import { startProcess } from "../support/process.ts"
import { atEndOfTest, connect, settingsOf, start } from "./support.ts"

describe("a fault", () => {
  it("in one connection's actor closes that one with 4500 and nobody else", async () => {
    const handlers = new Proxy(
      {},
      {
        getOwnPropertyDescriptor: () => {
          throw new Error("a fault of the server")
        }
      }
    )
    const server = await start({}, { handlers })
    const [unlucky, other] = [await connect(server), await connect(server)]
    for (const client of [unlucky, other]) await client.request({ type: "join_room", room: "r" })
    unlucky.send({ type: "call", method: "anything" })
    expect(await unlucky.next("bye")).toMatchObject({ code: 4500, reconnect: true })
    expect(await unlucky.end()).toMatchObject({ code: 4500 })
    expect(await other.request({ type: "presence", room: "r" })).toMatchObject({ members: [{ connection: other.welcome["connection"] }] })
    expect(server.logs.join("\n")).toContain(String(unlucky.welcome["connection"]))
    expect(await (await fetch(`${server.url}/health`)).json()).toMatchObject({ connections: 1 })
  })
})

/** Counts the fibers that are alive under a context. */
class FiberCount {
  alive = 0
  recordFiberStart(_: Context.Context<never>): void {
    this.alive++
  }
  recordFiberEnd(_: Context.Context<never>): void {
    this.alive--
  }
}

setFlagsFromString("--expose-gc")
const collectGarbage: () => void = runInNewContext("gc")

const heap = (): number => {
  for (let n = 0; n < 3; n++) collectGarbage()
  return process.memoryUsage().heapUsed
}

describe("ten thousand connections", () => {
  it("come, each join a room, and go, and nothing is left of them", async () => {
    const fibers = new FiberCount()
    const scope = Scope.makeUnsafe()
    const server = await Effect.runPromise(
      startServer(settingsOf({})).pipe(Scope.provide(scope), Effect.provideService(Metric.FiberRuntimeMetrics, fibers))
    )
    atEndOfTest(() => Effect.runPromise(Scope.close(scope, Exit.void)))
    const health = async () => (await (await fetch(`${server.url}/health`)).json()) as { connections: number; rooms: number }
    const crowd = async (count: number) => {
      const child = await startProcess(process.execPath, [
        fileURLToPath(new URL("crowd.mjs", import.meta.url)),
        `${server.url.replace("http", "ws")}/ws`,
        String(count),
        "100"
      ])
      await child.output(/ready/, { timeout: 120_000 })
      return child
    }
    // The first few fill caches that stay.
    const first = await crowd(100)
    first.endInput()
    await eventually(async () => (await health()).connections === 0)
    const [heapBefore, fibersBefore] = [heap(), fibers.alive]

    const many = await crowd(10_000)
    expect(await health()).toMatchObject({ connections: 10_000, rooms: 100 })
    expect(fibers.alive - fibersBefore).toBe(10_100)
    many.endInput()
    await eventually(async () => (await health()).connections === 0, { timeout: 60_000 })
    expect(await health()).toMatchObject({ connections: 0, rooms: 0 })
    await eventually(() => fibers.alive === fibersBefore)
    // 10,000 connections take tens of megabytes while they are here.
    await eventually(() => heap() - heapBefore < 3_000_000)
  })
})
