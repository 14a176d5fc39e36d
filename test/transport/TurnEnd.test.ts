import { describe, expect, it } from "vitest"
import { TurnEnd } from "../../src/transport/TurnEnd.ts"

/** What a turn end does, up to the next one; what it throws would end the process. */
const turn = async (prepare: (turnEnd: TurnEnd) => void): Promise<unknown> => {
  const turnEnd = new TurnEnd()
  const earlier = process.listeners("uncaughtException")
  process.removeAllListeners("uncaughtException")
  const thrown = new Promise<unknown>((resolve) => {
    process.once("uncaughtException", resolve)
    prepare(turnEnd)
    setImmediate(() => setImmediate(() => resolve(undefined)))
  })
  const outcome = await thrown
  process.removeAllListeners("uncaughtException")
  for (const listener of earlier) process.on("uncaughtException", listener)
  return outcome
}

describe("the end of a turn", () => {
  it("comes to rooms before connections, whatever came first", async () => {
    const order: Array<string> = []
    await turn((turnEnd) => {
      turnEnd.afterConnections(() => order.push("connection"))
      turnEnd.afterRooms(() => order.push("room"))
    })
    expect(order).toEqual(["room", "connection"])
  })

  it("comes to all of them when one throws, and the failure is not swallowed", async () => {
    const order: Array<string> = []
    const outcome = await turn((turnEnd) => {
      turnEnd.afterRooms(() => {
        throw new Error("a room failed")
      })
      turnEnd.afterRooms(() => order.push("room"))
      turnEnd.afterConnections(() => order.push("connection"))
    })
    expect(order).toEqual(["room", "connection"])
    expect(outcome).toMatchObject({ message: "a room failed" })
  })
})
