/** The client against the real server: that both mean the same by the protocol. */
import { beforeAll, describe, expect, it } from "vitest"
import { type Client, type ClientEvents, type ClientOptions, createClient, WeftError } from "../../src/client/index.ts"
import { Bin } from "../../src/wire/Codec.ts"
import { atEnd } from "../support/cleanup.ts"
import { eventually } from "../support/eventually.ts"
import { freePort } from "../support/ports.ts"
import { startWeft, type Weft } from "../support/weft.ts"

let weft: Weft
beforeAll(async () => {
  weft = await startWeft({ config: '[[room]]\npattern = "*"\njoin_leave = true\n' })
})

const connected = async (options: Partial<ClientOptions> = {}): Promise<Client> => {
  const client = createClient({ url: weft.socketUrl, backoff: { base: 50, cap: 200 }, ...options })
  atEnd(() => client.close())
  await client.connect()
  return client
}

const next = <K extends keyof ClientEvents>(client: Client, name: K): Promise<ClientEvents[K]> =>
  new Promise((resolve) => {
    const stop = client.on(name, (event) => {
      stop()
      resolve(event)
    })
  })

describe.each(["json", "msgpack"] as const)("in %s", (encoding) => {
  it.each([false, true])("joins, talks and leaves (batching %s)", async (batch) => {
    const room = `talk-${encoding}-${batch}`
    const [ada, bob] = await Promise.all([connected({ encoding, batch }), connected({ encoding, batch })])
    expect(await ada.join(room)).toMatchObject({ type: "joined", room, members: 1 })
    const arrived = next(ada, "member_joined")
    expect(await bob.join(room)).toMatchObject({ members: 2 })
    expect((await arrived).member.connection).toBe(bob.welcome?.connection)
    expect((await ada.presence(room)).members).toHaveLength(2)

    const data = { text: "héllo 👋", deep: [{ n: [1, -2, 1.5, null, true] }] }
    const heard = next(bob, "message")
    expect(await ada.broadcast(room, data)).toMatchObject({ type: "ack", room })
    expect(await heard).toMatchObject({ room, data, from: { connection: ada.welcome?.connection } })

    const direct = next(bob, "direct")
    expect((await ada.send({ connection: bob.welcome?.connection ?? "" }, [1])).delivered).toBe(1)
    expect((await direct).data).toEqual([1])

    const gone = next(ada, "member_left")
    expect(await bob.leave(room)).toMatchObject({ type: "left", room })
    expect((await gone).member.connection).toBe(bob.welcome?.connection)
    expect((await ada.status()).rooms).toEqual([room])
  })

  it("keeps a thousand messages in order", async () => {
    const room = `order-${encoding}`
    const [ada, bob] = await Promise.all([connected({ encoding, batch: true }), connected({ encoding, batch: true })])
    await Promise.all([ada.join(room), bob.join(room)])
    const heard: Array<unknown> = []
    bob.on("message", ({ data }) => heard.push(data))
    await Promise.all(Array.from({ length: 1_000 }, (_, i) => ada.broadcast(room, i)))
    await eventually(() => heard.length === 1_000)
    expect(heard).toEqual(Array.from({ length: 1_000 }, (_, i) => i))
  })

  it("is told the server's codes", async () => {
    const client = await connected({ encoding })
    const codeOf = (attempt: Promise<unknown>) => attempt.catch((error: unknown) => error instanceof WeftError && error.code)
    expect(await codeOf(client.broadcast("not-joined", 1))).toBe("not_in_room")
    expect(await codeOf(client.broadcastAll(1))).toBe("forbidden")
    expect(await codeOf(client.call("no-such-method"))).toBe("not_found")
    expect(await codeOf(client.join("x".repeat(1_000)))).not.toBe(false)
    expect((await client.request({ type: "echo", data: "x".repeat(400_000) })).data).toHaveLength(400_000)
    expect(await codeOf(client.request({ type: "echo", data: "x".repeat(600_000) }))).toBe("too_large")
    expect(client.link.state).toBe("open")
  })
})

it("gives bytes from a MessagePack client to a MessagePack client as bytes, and to a JSON client as base64", async () => {
  const [ada, bob, eve] = await Promise.all([connected({ encoding: "msgpack" }), connected({ encoding: "msgpack" }), connected()])
  for (const client of [ada, bob, eve]) await client.join("bytes")
  const heard = Promise.all([next(bob, "message"), next(eve, "message")])
  await ada.broadcast("bytes", new Uint8Array([1, 2, 255]))
  const [binary, text] = await heard
  expect(binary.data).toBeInstanceOf(Bin)
  expect(binary.data).toEqual(Bin.from([1, 2, 255]))
  expect(text.data).toBe("AQL/")
})

it("is back in its rooms after the server drained and was started again, and after it was killed", async () => {
  const settings = { env: { WEFT_SERVER_PORT: String(await freePort()), WEFT_DRAIN_PERIOD: "0" } }
  const first = await startWeft(settings)
  const client = await connected({ url: first.socketUrl })
  await client.join("a")
  await client.join("b")
  const bye = next(client, "bye")
  await first.stop()
  expect(await bye).toMatchObject({ code: 1001, reconnect: true })
  const second = await startWeft(settings)
  await eventually(async () => client.link.state === "open" && (await client.status()).rooms.length === 2)
  await second.kill()
  await eventually(() => client.link.state !== "open")
  await startWeft(settings)
  await eventually(async () => client.link.state === "open" && (await client.status()).rooms.length === 2)
  expect(client.rooms).toEqual(["a", "b"])
})

it("notices a server that answers nothing any more", async () => {
  const frozen = await startWeft({ env: { WEFT_HEARTBEAT_INTERVAL: "1", WEFT_HEARTBEAT_TIMEOUT: "2" } })
  const client = await connected({ url: frozen.socketUrl, reconnect: false })
  frozen.freeze()
  await eventually(() => client.link.state === "closed")
  expect(client.link).toMatchObject({ code: 4408 })
  frozen.thaw()
})
