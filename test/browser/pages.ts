import type { Browser, BrowserContextOptions, Page } from "playwright-core"
import { eventually } from "../support/eventually.ts"

/** A page of the example client, and what its console complained about. */
export interface Client {
  readonly page: Page
  /** Errors and warnings of the console, and uncaught exceptions; a breach of the content security policy is one of them. */
  readonly complaints: ReadonlyArray<string>
  /** The messages in the log, a line each: `> mine` or `Name: theirs`. */
  readonly lines: () => Promise<ReadonlyArray<string>>
  readonly says: (text: string) => Promise<void>
  /** Resolves when the log shows that line. */
  readonly sees: (line: string) => Promise<void>
  readonly members: () => Promise<ReadonlyArray<string>>
  readonly state: (text: string) => Promise<void>
}

/** Runs in the page. */
const readLines = (): ReadonlyArray<string> =>
  [...document.querySelectorAll("#log .message")].map((message) => {
    const own = message.classList.contains("own")
    const sender = message.querySelector(".sender")?.textContent
    return `${own ? ">" : `${sender}:`} ${message.querySelector(".text, .data")?.textContent}`
  })

/** Opens the client in a browser context of its own, so that no two share storage. */
export const openClient = async (browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Client> => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })
  const page = await context.newPage()
  const complaints: Array<string> = []
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text())
  })
  page.on("pageerror", (error) => complaints.push(String(error)))
  await page.goto(url)
  const lines = () => page.evaluate(readLines)
  return {
    page,
    complaints,
    lines,
    says: async (text) => {
      await page.getByRole("textbox", { name: "Message to" }).fill(text)
      await page.keyboard.press("Enter")
    },
    sees: async (line) => {
      let last: ReadonlyArray<string> = []
      const message = () => `“${line}” did not come into the log ${JSON.stringify(last)}`
      await eventually(async () => (last = await lines()).includes(line), { message })
    },
    members: async () => (await page.locator("#members .person-name").allTextContents()).toSorted(),
    state: (text) => page.locator("#state-text").getByText(text, { exact: true }).waitFor()
  }
}

export interface Entry {
  readonly name: string
  readonly room?: string
  readonly encoding: "JSON" | "MessagePack"
  readonly token?: string
}

/** Fills in the form as a person does. */
export const enter = async ({ page }: Client, { name, room = "lobby", encoding, token }: Entry): Promise<void> => {
  await page.getByRole("textbox", { name: "Your name" }).fill(name)
  await page.getByRole("textbox", { name: "Room" }).fill(room)
  await page.getByRole("radio", { name: encoding }).check()
  if (token !== undefined) await page.getByLabel("Token").fill(token)
  await page.getByRole("button", { name: "Connect", exact: true }).click()
}
