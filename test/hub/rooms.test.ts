import { SignJWT } from "jose"
import { describe, expect, it } from "vitest"
import { connect, type Frame, refusal, start } from "./support.ts"

const secret = "a-secret-that-is-long-enough-for-hs256"

const token = (claims: Frame, expires: number | string = "1h"): Promise<string> =>
  new SignJWT(claims).setProtectedHeader({ alg: "HS256" }).setExpirationTime(expires).sign(new TextEncoder().encode(secret))

const withJwt = { auth: { jwt: { secret } } } as const

const as = async (claims: Frame, expires?: number | string) => ({ headers: { Authorization: `Bearer ${await token(claims, expires)}` } })

describe("room blocks", () => {
  it("apply to the names that fit, the first one first", async () => {
    const server = await start({
      room: [
        { pattern: "closed:*", join: "none" },
        { pattern: "small:*", members: 1 },
        { pattern: "open:*", publish: "anyone" },
        { pattern: "quiet:*", publish: "none", presence: false },
        { pattern: "quiet:*", publish: "members" },
        { pattern: "users:*", join: "users" }
      ]
    })
    const [ada, bob] = await Promise.all([connect(server), connect(server)])
    expect(await ada.request({ type: "join_room", room: "closed:1" })).toMatchObject({ code: "forbidden" })
    expect(await ada.request({ type: "join_room", room: "users:1" })).toMatchObject({ code: "forbidden" })
    expect(await ada.request({ type: "join_room", room: "small:1" })).toMatchObject({ type: "joined" })
    expect(await bob.request({ type: "join_room", room: "small:1" })).toMatchObject({ code: "limit_reached", retryable: true })
    expect(await ada.request({ type: "leave_room", room: "small:1" })).toMatchObject({ type: "left", room: "small:1" })
    expect(await bob.request({ type: "join_room", room: "small:1" })).toMatchObject({ type: "joined", members: 1 })
    expect(await ada.request({ type: "broadcast", room: "open:1", data: "to nobody" })).toMatchObject({ type: "ack", room: "open:1" })
    await bob.request({ type: "join_room", room: "open:1" })
    expect(await ada.request({ type: "broadcast", room: "open:1", data: "from outside" })).toMatchObject({ type: "ack" })
    expect(await bob.next("message")).toMatchObject({ room: "open:1", data: "from outside" })
    await ada.request({ type: "join_room", room: "quiet:1" })
    expect(await ada.request({ type: "broadcast", room: "quiet:1", data: 1 })).toMatchObject({ code: "forbidden" })
    expect(await ada.request({ type: "presence", room: "quiet:1" })).toMatchObject({ code: "forbidden" })
  })

  it("tell members of others who come and go, where they say so", async () => {
    const server = await start({ room: [{ pattern: "*", join_leave: true }] })
    const ada = await connect(server)
    await ada.request({ type: "join_room", room: "r" })
    const bob = await connect(server, { encoding: "msgpack" })
    await bob.request({ type: "join_room", room: "r" })
    const connection = bob.welcome["connection"]
    expect(await ada.next("member_joined")).toEqual({ type: "member_joined", room: "r", member: { connection, since: expect.any(Number) } })
    expect(await bob.settle()).toEqual([])
    await bob.request({ type: "leave_room", room: "r" })
    expect(await ada.next("member_left")).toMatchObject({ member: { connection } })
    await bob.request({ type: "join_room", room: "r" })
    await ada.next("member_joined")
    bob.ws.terminate()
    expect(await ada.next("member_left")).toMatchObject({ room: "r", member: { connection } })
  })
})

describe("joining", () => {
  it("twice is no mistake and changes nothing", async () => {
    const client = await connect(await start())
    for (let n = 0; n < 2; n++) expect(await client.request({ type: "join_room", room: "r" })).toMatchObject({ type: "joined", members: 1 })
    client.send({ type: "broadcast", room: "r", data: 1 })
    await client.next("message")
    expect((await client.settle()).filter(({ type }) => type === "message")).toEqual([])
  })

  it("stops at the limit of rooms, also for many requests at once", async () => {
    const client = await connect(await start({ limits: { rooms: 3 } }))
    client.send(Array.from({ length: 5 }, (_, n) => ({ type: "join_room", room: `r${n}`, id: n })))
    const replies = await Promise.all([0, 1, 2, 3, 4].map((n) => client.next(({ id }) => id === n)))
    expect(replies.map(({ type }) => type)).toEqual(["joined", "joined", "joined", "error", "error"])
    expect(replies[4]).toMatchObject({ code: "limit_reached" })
    await client.request({ type: "leave_room", room: "r0" })
    expect(await client.request({ type: "join_room", room: "r4" })).toMatchObject({ type: "joined" })
  })
})

describe("a token", () => {
  it("is taken from the header, the subprotocol or the query, in this order, and never answered", async () => {
    const server = await start(withJwt)
    const [ada, bob, eve] = await Promise.all([token({ sub: "ada" }), token({ sub: "bob" }), token({ sub: "eve" })])
    const byHeader = await connect(server, {
      headers: { Authorization: `Bearer ${ada}` },
      protocols: [`weft.token.${bob}`, "weft.v1.json"],
      query: `?token=${eve}`
    })
    expect(byHeader.welcome["user"]).toBe("ada")
    expect(byHeader.ws.protocol).toBe("weft.v1.json")
    const byProtocol = await connect(server, { protocols: [`weft.token.${bob}`, "weft.v1.json"], query: `?token=${eve}` })
    expect(byProtocol.welcome["user"]).toBe("bob")
    expect((await connect(server, { query: `?token=${eve}` })).welcome["user"]).toBe("eve")
    expect(server.logs.join("\n")).not.toContain(ada.slice(-20))
  })

  it("that is missing, wrong or expired is refused before the upgrade", async () => {
    const server = await start(withJwt)
    expect(await refusal(server)).toMatchObject({ status: 401, body: { code: "unauthorized", message: expect.any(String) } })
    expect(await refusal(server, { query: "?token=nonsense" })).toMatchObject({ status: 401 })
    const past = Math.floor(Date.now() / 1000) - 60
    expect(await refusal(server, await as({ sub: "ada" }, past))).toMatchObject({ status: 401, body: { code: "unauthorized" } })
  })

  it("names the user, and what rooms they may do what in", async () => {
    const server = await start({ ...withJwt, room: [{ pattern: "vip", join: "token" }] })
    const ada = await connect(server, await as({ sub: "ada", info: { name: "Ada" }, rooms: { join: ["vip", "r"], publish: ["r"] } }))
    const bob = await connect(server, await as({ sub: "bob" }))
    expect(await bob.request({ type: "join_room", room: "vip" })).toMatchObject({ code: "forbidden" })
    expect(await ada.request({ type: "join_room", room: "vip" })).toMatchObject({ type: "joined" })
    expect(await ada.request({ type: "join_room", room: "other" })).toMatchObject({ code: "forbidden" })
    expect(await ada.request({ type: "broadcast", room: "vip", data: 1 })).toMatchObject({ code: "forbidden" })
    for (const client of [ada, bob]) await client.request({ type: "join_room", room: "r" })
    await ada.request({ type: "broadcast", room: "r", data: 1 })
    expect(await bob.next("message")).toMatchObject({ from: { connection: ada.welcome["connection"], user: "ada" } })
    expect(await bob.request({ type: "presence", room: "r" })).toMatchObject({
      members: [{ user: "ada", info: { name: "Ada" } }, { user: "bob" }]
    })
  })

  it("gives the permission to reach everyone, or not", async () => {
    const server = await start(withJwt)
    const boss = await connect(server, await as({ sub: "boss", server: ["broadcast"] }))
    const others = [
      await connect(server, await as({ sub: "a" })),
      await connect(server, { ...(await as({ sub: "b" })), encoding: "msgpack" })
    ] as const
    expect(await others[0].request({ type: "broadcast", data: 1 })).toMatchObject({ code: "forbidden" })
    expect(await boss.request({ type: "broadcast", data: "all" })).toMatchObject({ type: "ack" })
    for (const client of [boss, ...others])
      expect(await client.next("message")).toEqual({
        type: "message",
        data: "all",
        time: expect.any(Number),
        from: { connection: boss.welcome["connection"], user: "boss" }
      })
    await boss.request({ type: "broadcast", data: "others", exclude_self: true })
    await others[1].next("message")
    expect(await boss.settle()).toEqual([])
  })

  it("reaches everyone who is there, whether they came before the first such message or after it", async () => {
    const server = await start(withJwt)
    const boss = await connect(server, await as({ sub: "boss", server: ["broadcast"] }))
    const [early, gone] = [await connect(server, await as({ sub: "early" })), await connect(server, await as({ sub: "gone" }))]
    gone.ws.close()
    await gone.end()
    for (const data of ["first", "second"]) {
      const late = await connect(server, { ...(await as({ sub: data })), encoding: "msgpack" })
      await boss.request({ type: "broadcast", data })
      for (const client of [boss, early, late]) {
        expect(await client.next("message")).toMatchObject({ data })
        expect(await client.settle()).toEqual([])
      }
    }
  })

  it("that expires closes 4401, unless it is refreshed in place", async () => {
    const server = await start(withJwt)
    const soon = Math.floor(Date.now() / 1000) + 2
    const ada = await connect(server, await as({ sub: "ada" }, soon))
    const bob = await connect(server, await as({ sub: "bob" }, soon))
    const eve = await connect(server, await as({ sub: "eve" }, soon))
    expect(await bob.request({ type: "auth", token: await token({ sub: "bob" }) })).toMatchObject({
      type: "ack",
      expires_at: expect.any(Number)
    })
    expect(await eve.request({ type: "auth", token: await token({ sub: "bob" }) })).toMatchObject({ code: "conflict" })
    expect(await eve.request({ type: "auth", token: "nonsense" })).toMatchObject({ code: "unauthorized" })
    expect(await ada.next("bye")).toMatchObject({ code: 4401, reconnect: false })
    expect(await ada.end()).toMatchObject({ code: 4401 })
    expect(await eve.end()).toMatchObject({ code: 4401 })
    expect(await bob.request({ type: "ping" })).toMatchObject({ type: "pong" })
  })
})

describe("a user", () => {
  it("gets direct messages on every connection, and has a room of their own that others do not enter", async () => {
    const server = await start(withJwt)
    const ada = [
      await connect(server, await as({ sub: "ada" })),
      await connect(server, { ...(await as({ sub: "ada" })), encoding: "msgpack" })
    ] as const
    const bob = await connect(server, await as({ sub: "bob" }))
    expect(await bob.request({ type: "send", to: { user: "ada" }, data: "hi" })).toMatchObject({ type: "ack", delivered: 2 })
    for (const client of ada)
      expect(await client.next("direct")).toEqual({
        type: "direct",
        data: "hi",
        time: expect.any(Number),
        from: { connection: bob.welcome["connection"], user: "bob" }
      })
    expect(await bob.settle()).toEqual([])
    expect((await ada[0].request({ type: "status" }))["rooms"]).toEqual(["@ada"])
    expect(await bob.request({ type: "join_room", room: "@ada" })).toMatchObject({ code: "forbidden" })
    expect(await bob.request({ type: "broadcast", room: "@ada", data: 1 })).toMatchObject({ code: "forbidden" })
    expect(await bob.request({ type: "presence", room: "@ada" })).toMatchObject({ code: "forbidden" })
    expect(await ada[0].request({ type: "join_room", room: "@ada" })).toMatchObject({ type: "joined", members: 2 })
    expect(await ada[0].request({ type: "leave_room", room: "@ada" })).toMatchObject({ code: "forbidden" })
    expect(await ada[0].request({ type: "presence", room: "@ada" })).toMatchObject({ members: [{ user: "ada" }, { user: "ada" }] })
    expect(await ada[0].request({ type: "broadcast", room: "@ada", data: "note to self", exclude_self: true })).toMatchObject({
      type: "ack"
    })
    expect(await ada[1].next("message")).toMatchObject({ room: "@ada", data: "note to self" })
  })
})
