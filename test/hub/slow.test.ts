import { describe, expect, it } from "vitest"
import { eventually } from "../support/eventually.ts"
import { connect, type Frame, start } from "./support.ts"

const big = "x".repeat(100_000)

/** What a client gets until it has had so many messages, or been told that it misses them. */
const everything = async (client: Awaited<ReturnType<typeof connect>>, count: number): Promise<ReadonlyArray<Frame>> => {
  const all: Array<Frame> = []
  await eventually(async () => {
    all.push(...(await client.settle()))
    return all.filter(({ type }) => type === "message").length + dropped(all) === count
  })
  return all
}

describe.each([
  ["json", []],
  ["msgpack", []],
  ["json", ["weft.batch"]],
  ["msgpack", ["weft.batch"]]
] as const)("a client that reads too slowly (%s, %j)", (encoding, batch) => {
  it("misses messages of a room without history, is told how many, and nobody else misses any", async () => {
    const server = await start({ limits: { buffer: 4_000_000 } })
    const slow = await connect(server, { encoding, protocols: [`weft.v1.${encoding}`, ...batch] })
    const [quick, writer] = [await connect(server, { encoding }), await connect(server)]
    for (const client of [slow, quick, writer]) await client.request({ type: "join_room", room: 'r"1' })
    slow.ws.pause()
    const count = 300
    // In groups that everyone else has read before the next one, so that only one client is slow.
    for (let n = 0; n < count; n++) {
      writer.send({ type: "broadcast", room: 'r"1', data: { n, big }, exclude_self: true })
      if (n % 20 === 19) for (let m = n - 19; m <= n; m++) expect((await quick.next("message"))["data"]).toMatchObject({ n: m })
    }
    slow.ws.resume()
    const all = await everything(slow, count)
    expect(dropped(all)).toBeGreaterThan(0)
    expect(all.find(({ type }) => type === "gap")).toMatchObject({ room: 'r"1' })
    // What came stands in order, and the gap where messages are missing.
    let expected = 0
    for (const message of all) {
      if (message["type"] === "gap") expected += Number(message["dropped"])
      else if (message["type"] === "message") expect((message["data"] as Frame)["n"]).toBe(expected++)
    }
    expect(await slow.request({ type: "ping" })).toMatchObject({ type: "pong" })
  })

  it("misses what it publishes itself in the same way, and gets every answer", async () => {
    const server = await start({ limits: { buffer: 4_000_000 } })
    const slow = await connect(server, { encoding, protocols: [`weft.v1.${encoding}`, ...batch] })
    const other = await connect(server, { encoding })
    for (const client of [slow, other]) await client.request({ type: "join_room", room: "r" })
    slow.ws.pause()
    const count = 300
    for (let n = 0; n < count; n++) {
      slow.send({ type: "broadcast", id: `p${n}`, room: "r", data: { n, big } })
      // Now and then one by itself, which does not wait for others.
      if (n % 20 === 19) for (let m = n - 19; m <= n; m++) expect((await other.next("message"))["data"]).toMatchObject({ n: m })
    }
    slow.ws.resume()
    const all = await everything(slow, count)
    expect(dropped(all)).toBeGreaterThan(0)
    const numbers = all.filter(({ type }) => type === "message").map(({ data }) => Number((data as Frame)["n"]))
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
    expect(new Set(numbers).size).toBe(numbers.length)
    expect(all.filter(({ type }) => type === "ack").map(({ id }) => id)).toEqual(Array.from({ length: count }, (_, n) => `p${n}`))
  })

  it("and does not read its own answers is closed 4413", async () => {
    const server = await start({ limits: { buffer: 65_536 } })
    const slow = await connect(server, { encoding, protocols: [`weft.v1.${encoding}`, ...batch] })
    const other = await connect(server)
    for (const client of [slow, other]) await client.request({ type: "join_room", room: "r" })
    slow.ws.pause()
    await eventually(async () => {
      slow.send({ type: "echo", data: big })
      // It leaves its rooms when it is sent away.
      return ((await other.request({ type: "presence", room: "r" }))["members"] as ReadonlyArray<unknown>).length === 1
    })
    slow.ws.resume()
    expect(await slow.end()).toMatchObject({ code: 4413 })
    expect(slow.messages.at(-1)).toMatchObject({ type: "bye", code: 4413, reconnect: true })
  })
})

it.each(["json", "msgpack"] as const)("pongs that do not fit are not counted as messages (%s)", async (encoding) => {
  const server = await start({ limits: { buffer: 65_536 } })
  const slow = await connect(server, { encoding })
  const other = await connect(server)
  for (const client of [slow, other]) await client.request({ type: "join_room", room: "r" })
  slow.ws.pause()
  const payload = Buffer.alloc(125, "p")
  for (let n = 0; n < 60_000; n++) slow.ws.ping(payload)
  // Skipped behind the pongs: so many of them did not fit.
  await eventually(async () => {
    await other.request({ type: "broadcast", room: "r", data: big, exclude_self: true })
    return /weft_dropped_messages_total [1-9]/.test(await (await fetch(`${server.url}/metrics`)).text())
  })
  const counted = /weft_dropped_messages_total (\d+)/.exec(await (await fetch(`${server.url}/metrics`)).text())?.[1]
  expect(Number(counted)).toBeLessThan(100)
})

it("heartbeats that do not fit are not counted as messages", async () => {
  const server = await start({ limits: { buffer: 65_536 }, heartbeat: { interval: 1, timeout: 30 } })
  const slow = [await connect(server), await connect(server, { encoding: "msgpack" })]
  const other = await connect(server)
  for (const client of [...slow, other]) await client.request({ type: "join_room", room: "r" })
  for (const client of slow) client.ws.pause()
  let sent = 0
  const publish = async (): Promise<void> => {
    await other.request({ type: "broadcast", room: "r", data: big, exclude_self: true })
    sent++
  }
  const droppedBy = async (): Promise<number> =>
    Number(/weft_slow_consumers_total (\d+)/.exec(await (await fetch(`${server.url}/metrics`)).text())?.[1])
  while ((await droppedBy()) < slow.length) await publish()
  // So that heartbeats find something to go along with, and no room.
  const heartbeats = (): number => other.messages.filter(({ type }) => type === "heartbeat").length
  for (const before = heartbeats(); heartbeats() < before + 3;) {
    await publish()
    await new Promise((resolve) => setTimeout(resolve, 40))
  }
  for (const client of slow) {
    client.ws.resume()
    const all: Array<Frame> = []
    await eventually(async () => {
      all.push(...(await client.settle()))
      return all.filter(({ type }) => type === "message").length + dropped(all) >= sent
    })
    expect(all.filter(({ type }) => type === "message").length + dropped(all)).toBe(sent)
  }
})

it("a client that never reads again does not stay", async () => {
  const server = await start({ limits: { buffer: 65_536 } })
  const slow = await connect(server)
  const other = await connect(server)
  slow.ws.pause()
  await eventually(async () => {
    if (slow.ws.bufferedAmount < 10_000_000) slow.send({ type: "echo", data: big })
    const reply = await other.request({ type: "send", to: { connection: slow.welcome["connection"] }, data: 1 })
    return reply["type"] === "error"
  })
})

const dropped = (messages: ReadonlyArray<Frame>): number =>
  messages.filter(({ type }) => type === "gap").reduce((sum, gap) => sum + Number(gap["dropped"]), 0)
