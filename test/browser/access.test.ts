import { SignJWT } from "jose"
import type { Browser } from "playwright-core"
import { beforeAll, expect, it } from "vitest"
import { launchChromium } from "../support/chromium.ts"
import { startWeft, type Weft } from "../support/weft.ts"
import { enter, openClient } from "./pages.ts"

const secret = "a secret for tests that is long enough"

const config = `
[auth.jwt]
secret = "${secret}"

[[room]]
pattern = "closed"
join = "none"

[[room]]
pattern = "hidden"
presence = false
`

let browser: Browser
let weft: Weft

beforeAll(async () => {
  ;[browser, weft] = await Promise.all([launchChromium(), startWeft({ config })])
})

const tokenOf = (user: string) =>
  new SignJWT({}).setProtectedHeader({ alg: "HS256" }).setSubject(user).setExpirationTime("1h").sign(new TextEncoder().encode(secret))

it("a server that asks for a token says so on the page, and takes it from the form", async () => {
  const client = await openClient(browser, weft.url)
  await enter(client, { name: "Ada", encoding: "JSON" })
  await client.page.getByRole("alert").getByText("it may ask for a token").waitFor()
  await enter(client, { name: "Ada", encoding: "MessagePack", token: await tokenOf("ada") })
  await client.state("Connected")
  expect(await client.page.locator("#about").textContent()).toContain("Userada")
  expect(client.page.url()).not.toContain("token")
  await client.page.reload()
  await client.state("Connected")
  await client.page.getByRole("button", { name: "Disconnect" }).click()
  expect(await client.page.getByLabel("Token").inputValue()).toBe("")
})

it("a room that may not be joined, and one that hides its members, say so", async () => {
  const client = await openClient(browser, weft.url)
  await enter(client, { name: "Ada", encoding: "JSON", room: "closed", token: await tokenOf("ada") })
  await client.page.locator("#log .note.error", { hasText: "Could not join closed" }).waitFor()
  await client.page.getByLabel("Join a room").fill("hidden")
  await client.page.keyboard.press("Enter")
  await client.page.getByText("You joined hidden.").waitFor()
  await client.page.getByText("This room does not show who is in it").waitFor()
  await client.says("Anyone?")
  await client.sees("> Anyone?")
  expect(client.complaints).toEqual([])
})

it("a message to a user reaches all of their connections", async () => {
  const ada = await openClient(browser, weft.url)
  const [desk, phone] = [await openClient(browser, weft.url), await openClient(browser, weft.url)]
  await enter(ada, { name: "Ada", encoding: "JSON", token: await tokenOf("ada") })
  await enter(desk, { name: "Grace", encoding: "JSON", token: await tokenOf("grace") })
  await enter(phone, { name: "Grace", encoding: "MessagePack", token: await tokenOf("grace") })
  await Promise.all([ada, desk, phone].map((client) => client.state("Connected")))
  await ada.page.getByText("New direct message").click()
  await ada.page.getByLabel("Name or id").fill("grace")
  await ada.page.keyboard.press("Enter")
  await ada.says("To wherever you are")
  for (const client of [desk, phone]) {
    await client.page.locator("#directs button", { hasText: "ada" }).click()
    await client.sees("Ada ada: To wherever you are")
    expect(await client.lines()).toHaveLength(1)
  }
})
