import { encode } from "@msgpack/msgpack"
import type { Browser } from "playwright-core"
import { beforeAll, describe, expect, it } from "vitest"
import { launchChromium } from "../support/chromium.ts"
import { eventually } from "../support/eventually.ts"
import { freePort } from "../support/ports.ts"
import { startWeft, type Weft } from "../support/weft.ts"
import { connect, type TestClient } from "../support/wsClient.ts"
import { type Client, enter, openClient } from "./pages.ts"

let browser: Browser
let weft: Weft
let port: number

const serve = () => startWeft({ env: { WEFT_SERVER_PORT: String(port), WEFT_DRAIN_PERIOD: "1" } })

beforeAll(async () => {
  port = await freePort()
  ;[browser, weft] = await Promise.all([launchChromium(), serve()])
})

const shownText = (message: { readonly [field: string]: unknown }) => (message["data"] as { readonly text?: string }).text

describe("a conversation of two pages and a MessagePack client", () => {
  let ada: Client
  let grace: Client
  let linus: TestClient

  beforeAll(async () => {
    ;[ada, grace] = await Promise.all([openClient(browser, weft.url), openClient(browser, weft.url)])
    await enter(ada, { name: "Ada", encoding: "JSON" })
    await enter(grace, { name: "Grace", encoding: "MessagePack" })
    await Promise.all([ada.state("Connected"), grace.state("Connected")])
    linus = await connect(weft.socketUrl, { encoding: "msgpack" })
    await linus.request({ type: "join_room", room: "lobby" })
  })

  it("reaches everyone in the room, each in their own encoding", async () => {
    await ada.says("Hello from JSON")
    await grace.sees("Ada: Hello from JSON")
    await grace.says("Hello from MessagePack")
    linus.send({ type: "broadcast", room: "lobby", data: { text: "Hello from a program", name: "Linus" } })
    await ada.sees("Linus: Hello from a program")
    await grace.sees("Linus: Hello from a program")
    expect([...(await ada.lines())].toSorted()).toEqual([
      "> Hello from JSON",
      "Grace: Hello from MessagePack",
      "Linus: Hello from a program"
    ])
    expect([...(await grace.lines())].toSorted()).toEqual([
      "> Hello from MessagePack",
      "Ada: Hello from JSON",
      "Linus: Hello from a program"
    ])
    const heard = [await linus.next("message"), await linus.next("message"), await linus.next("message")]
    expect(heard.map(shownText).toSorted()).toEqual(["Hello from JSON", "Hello from MessagePack", "Hello from a program"])
  })

  it("lists everyone in the room", async () => {
    await eventually(async () => (await ada.members()).length === 3)
    await eventually(async () => (await grace.members()).length === 3)
    expect(await ada.members()).toEqual(["Adayou", "Grace", "Linus"])
    expect(await grace.members()).toEqual(["Ada", "Graceyou", "Linus"])
    expect(await ada.page.locator("#talk-sub").textContent()).toBe("3 members")
  })

  it("shows markup as text and any other data as JSON", async () => {
    const markup = `<img src=x onerror="document.title='broken'"><script>document.title="broken"</script><b>bold</b>`
    linus.send({ type: "broadcast", room: "lobby", data: { text: markup, name: "<i>Linus</i>" } })
    await ada.sees(`<i>Linus</i>: ${markup}`)
    await grace.sees(`<i>Linus</i>: ${markup}`)
    expect(await ada.page.locator(".session :is(img, script, b, i)").count()).toBe(0)
    expect(await ada.page.title()).toBe("lobby – Weft")
    linus.send({ type: "broadcast", room: "lobby", data: [1, { bin: new Uint8Array([1, 2, 255]) }] })
    const shown = JSON.stringify([1, { bin: "AQL/" }], undefined, 2)
    await eventually(async () => (await ada.lines()).at(-1)?.endsWith(`: ${shown}`))
    await eventually(async () => (await grace.lines()).at(-1)?.endsWith(`: ${shown}`))
  })

  it("shows the frames of the encoding, with their size, and the latency", async () => {
    const sent = async ({ page }: Client) => {
      const frame = page.locator(".frame.out", { hasText: "broadcast" }).last()
      const fields: unknown = JSON.parse((await frame.locator(".frame-text").textContent()) ?? "")
      const size = Number(/^(\d+) B/.exec((await frame.locator(".frame-meta").textContent()) ?? "")?.[1])
      return { size, message: { type: "broadcast", ...(fields as object) } }
    }
    const [json, msgpack] = [await sent(ada), await sent(grace)]
    expect(json.message).toMatchObject({ room: "lobby", data: { text: "Hello from JSON", name: "Ada" } })
    expect(json.size).toBe(JSON.stringify(json.message).length)
    expect(msgpack.message).toMatchObject({ room: "lobby", data: { text: "Hello from MessagePack", name: "Grace" } })
    expect(msgpack.size).toBe(encode(msgpack.message).length)
    await eventually(async () => /^\d/.test((await ada.page.locator("#latency-last").textContent()) ?? ""))
  })

  it("goes on after the server was killed and started again", async () => {
    await weft.kill()
    await Promise.all([ada.state("Reconnecting"), grace.state("Reconnecting")])
    await ada.page.getByRole("button", { name: "Connect now" }).waitFor()
    await ada.page.getByLabel("Message to").fill("Said while away")
    await ada.page.keyboard.press("Enter")
    expect(await ada.page.getByLabel("Message to").inputValue()).toBe("Said while away")
    weft = await serve()
    await Promise.all([ada.state("Connected"), grace.state("Connected")])
    await Promise.all([ada, grace].map(({ page }) => page.locator("#log .note", { hasText: "Connected again" }).waitFor()))
    await ada.page.keyboard.press("Enter")
    await grace.sees("Ada: Said while away")
    await grace.says("Back, too")
    await ada.sees("Grace: Back, too")
    expect((await ada.lines()).filter((line) => line === "> Said while away")).toHaveLength(1)
    await eventually(async () => (await ada.members()).length === 2)
  })

  it("goes on after the server was drained and started again", async () => {
    await weft.stop()
    await Promise.all([ada.state("Reconnecting"), grace.state("Reconnecting")])
    weft = await serve()
    await Promise.all([ada.state("Connected"), grace.state("Connected")])
    await Promise.all([ada, grace].map(({ page }) => page.locator("#talk-sub", { hasText: "2 members" }).waitFor()))
    await grace.says("Still here")
    await ada.sees("Grace: Still here")
  })

  it("raises no complaint of the browser but the failed attempts to connect", () => {
    // A page that is away asks whether the server is ready: one that drains says 503, one that is gone says nothing.
    const expected =
      /WebSocket connection to .* failed|Failed to load resource: (?:net::ERR_CONNECTION_(?:REFUSED|RESET)|the server responded with a status of 503)/
    expect([...ada.complaints, ...grace.complaints].filter((text) => !expected.test(text))).toEqual([])
  })
})

describe("rooms", () => {
  it("several at once: unread is counted, leaving is real, a reload returns", async () => {
    const ada = await openClient(browser, `${weft.url}/#name=Ada&encoding=msgpack&room=spring&room=summer`)
    await ada.state("Connected")
    const linus = await connect(weft.socketUrl)
    for (const room of ["spring", "summer", "autumn"]) await linus.request({ type: "join_room", room })
    await ada.page.getByLabel("Join a room").fill("autumn")
    await ada.page.keyboard.press("Enter")
    await ada.page.getByText("You joined autumn.").waitFor()
    linus.send({ type: "broadcast", room: "summer", data: { text: "warm", name: "Linus" } })
    await ada.page.getByRole("button", { name: /summer.*1 unread message/ }).click()
    await ada.sees("Linus: warm")
    expect(await ada.page.locator("#rooms .badge").count()).toBe(0)
    await ada.page.getByRole("button", { name: "Leave" }).click()
    await eventually(async () => {
      const { members } = await linus.request({ type: "presence", room: "summer" })
      return (members as ReadonlyArray<unknown>).length === 1
    })
    await ada.page.getByRole("button", { name: "spring" }).click()
    await ada.page.reload()
    await ada.state("Connected")
    await ada.page.getByText("You joined spring.").waitFor()
    expect(await ada.page.locator("#rooms button").allTextContents()).toEqual(["spring", "autumn"])
    expect(await ada.page.locator("#rooms [aria-current]").textContent()).toBe("spring")
    expect(await ada.page.locator("#about").textContent()).toContain("MessagePack")
    await ada.page.getByRole("button", { name: "Disconnect" }).click()
    await ada.page.reload()
    expect(await ada.page.getByRole("textbox", { name: "Your name" }).inputValue()).toBe("Ada")
    expect(await ada.page.locator("#state-text").textContent()).toBe("Not connected")
    expect(ada.complaints).toEqual([])
  })

  it("in two tabs of one browser are independent", async () => {
    const ada = await openClient(browser, `${weft.url}/#name=Ada&encoding=json&room=one`)
    const second = await ada.page.context().newPage()
    await second.goto(`${weft.url}/#name=Babbage&encoding=msgpack&room=two`)
    await ada.page.getByText("You joined one.").waitFor()
    await second.getByText("You joined two.").waitFor()
    await Promise.all([ada.page.reload(), second.reload()])
    await ada.page.getByText("You joined one.").waitFor()
    await second.getByText("You joined two.").waitFor()
    expect(await second.locator("#about").textContent()).toContain("Babbage")
  })
})

it("a flood leaves the last 200 frames and the last 500 messages", async () => {
  const ada = await openClient(browser, `${weft.url}/#name=Ada&encoding=json&room=flood`)
  await ada.page.getByText("You joined flood.").waitFor()
  const linus = await connect(weft.socketUrl, { encoding: "msgpack" })
  await linus.request({ type: "join_room", room: "flood" })
  for (let i = 1; i <= 600; i++) linus.send({ type: "broadcast", room: "flood", data: { text: `number ${i}`, name: "Linus" } })
  await ada.sees("Linus: number 600")
  expect(await ada.page.locator(".frame").count()).toBe(200)
  expect(await ada.page.locator("#log li").count()).toBe(500)
  const lines = await ada.lines()
  expect([lines[0], lines.at(-1)]).toEqual(["Linus: number 101", "Linus: number 600"])
  const [bottom, end] = await ada.page.locator("#log").evaluate((log) => [log.scrollTop + log.clientHeight, log.scrollHeight])
  expect(bottom).toBeGreaterThan((end ?? 0) - 2)
})

it("direct messages go from the list of members to one connection and back", async () => {
  const ada = await openClient(browser, `${weft.url}/#name=Ada&encoding=json&room=nook`)
  const grace = await openClient(browser, `${weft.url}/#name=Grace&encoding=msgpack&room=nook`)
  await Promise.all([ada.state("Connected"), grace.state("Connected")])
  await grace.page.getByText("You joined nook.").waitFor()
  await grace.says("I am here")
  await ada.sees("Grace: I am here")
  await ada.page.getByRole("button", { name: "Message Grace" }).click()
  await ada.says("Only you read this")
  await ada.sees("> Only you read this")
  await grace.page.getByRole("button", { name: /Ada.*1 unread message/ }).click()
  await grace.sees("Ada: Only you read this")
  await grace.says("And only you this")
  await ada.sees("Grace: And only you this")
  expect([...ada.complaints, ...grace.complaints]).toEqual([])
})

it("a server that is away at first is tried until it is there, by one connection, however often one asks", async () => {
  const ada = await openClient(browser, weft.url)
  await ada.page.clock.install()
  await ada.page.reload()
  await weft.kill()
  await enter(ada, { name: "Ada", room: "late", encoding: "JSON" })
  await ada.page.getByRole("alert").getByText("The server can not be reached").waitFor()
  await ada.page.getByRole("button", { name: "Connect", exact: true }).click()
  await ada.page.getByRole("alert").getByText("The server can not be reached").waitFor()
  weft = await serve()
  await ada.page.getByText("You joined late.").waitFor()
  let attempts = 0
  ada.page.on("websocket", () => attempts++)
  await ada.page.clock.fastForward(30_000)
  expect(attempts).toBe(0)
  const linus = await connect(weft.socketUrl)
  expect(await linus.request({ type: "join_room", room: "late" })).toMatchObject({ members: 2 })
})
