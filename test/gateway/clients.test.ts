/** Clients and backends that others have written, each with each, through the gateway. */
import { fileURLToPath } from "node:url"
import { beforeAll, describe, expect, it } from "vitest"
import WebSocketOfWs from "ws"
import { start } from "../hub/support.ts"
import { launchChromium } from "../support/chromium.ts"
import { eventually } from "../support/eventually.ts"
import { startProcess } from "../support/process.ts"
import { runPython, startPython } from "../support/python.ts"
import { pythonBackend, pythonClient } from "./backends/python.ts"
import { backend, type TestBackend } from "./support.ts"

interface Outcome {
  readonly protocol: string
  /** Messages that came back as they were, of so many. */
  readonly same: number
  readonly of: number
  /** A thousand messages came back in the order in which they were sent. */
  readonly order: boolean
  readonly close: readonly [code: number, reason: string]
}

/** What every client does. It runs in a browser as well, from its text: it uses nothing but its arguments. */
const conversation = async (Socket: typeof globalThis.WebSocket, url: string): Promise<Outcome> => {
  let planes = ""
  for (let code = 0; code < 0x10000; code++) if (code < 0xd800 || code > 0xdfff) planes += String.fromCodePoint(code)
  for (let plane = 1; plane <= 16; plane++) planes += String.fromCodePoint(plane * 0x10000 + 0xfffd)
  const sent: Array<string | Uint8Array<ArrayBuffer>> = [planes]
  for (const size of [0, 1, 125, 126, 127, 65_535, 65_536, 524_288])
    sent.push(
      Uint8Array.from({ length: size }, (_, index) => index & 0xff),
      "a".repeat(size)
    )
  const received: Array<string | ArrayBuffer> = []
  let wake = (): void => undefined
  const ws = new Socket(url, ["one", "two"])
  ws.binaryType = "arraybuffer"
  const ended = new Promise<readonly [number, string]>((resolve) =>
    ws.addEventListener("close", ({ code, reason }) => {
      resolve([code, reason])
      wake()
    })
  )
  ws.addEventListener("message", ({ data }) => {
    received.push(data)
    wake()
  })
  await new Promise((resolve, reject) => {
    ws.addEventListener("open", resolve)
    ws.addEventListener("error", () => reject(new Error("it did not open")))
  })
  const until = async (count: number): Promise<void> => {
    while (received.length < count && ws.readyState === 1) await new Promise<void>((resolve) => (wake = resolve))
  }
  const { protocol } = ws
  let same = 0
  for (const message of sent) {
    ws.send(message)
    await until(1)
    const answer = received.shift()
    if (typeof message === "string") same += answer === message ? 1 : 0
    else if (answer instanceof ArrayBuffer) {
      const bytes = new Uint8Array(answer)
      same += bytes.length === message.length && bytes.every((byte, index) => byte === message[index]) ? 1 : 0
    }
  }
  for (let index = 0; index < 1000; index++) ws.send(`${index}`)
  await until(1000)
  const order = received.length === 1000 && received.every((text, index) => text === `${index}`)
  ws.send("close 4002 as you wish")
  const close = await ended
  const last = new Socket(url)
  await new Promise((resolve) => last.addEventListener("open", resolve))
  last.send("bye")
  await new Promise((resolve) => last.addEventListener("message", resolve))
  last.close(4001, "leaving")
  await new Promise((resolve) => last.addEventListener("close", resolve))
  return { protocol, same, of: sent.length, order, close }
}

let browser: ReturnType<typeof launchChromium> | undefined

const clients: ReadonlyArray<readonly [name: string, run: (url: string) => Promise<Outcome>]> = [
  ["ws", (url) => conversation(WebSocketOfWs as unknown as typeof globalThis.WebSocket, url)],
  ["Node's WebSocket", (url) => conversation(globalThis.WebSocket, url)],
  [
    "Python's websockets",
    async (url) => {
      const { stderr, stdout } = await runPython(pythonClient, [url])
      if (stdout === "") throw new Error(stderr)
      return JSON.parse(stdout) as Outcome
    }
  ],
  [
    "Chromium",
    async (url) => {
      const page = await (await (browser ??= launchChromium())).newPage()
      return page.evaluate<Outcome>(`(${conversation.toString()})(WebSocket, ${JSON.stringify(url)})`)
    }
  ]
]

const portOf = async (child: ReturnType<typeof startProcess>): Promise<string> => {
  const [, port] = await (await child).output(/port (\d+)/)
  return `http://127.0.0.1:${port}`
}

const uwsBackend = (): Promise<string> =>
  portOf(startProcess(process.execPath, [fileURLToPath(new URL("backends/uws.ts", import.meta.url))]))

const wsBackend = (): Promise<TestBackend> =>
  backend({
    handleProtocols: (offered) => [...offered].at(-1) ?? false,
    onMessage: ({ ws }, data, binary) => {
      const [, code, reason] = binary || data.length > 200 ? [] : (/^close (\d+) (.*)$/.exec(data.toString()) ?? [])
      if (code === undefined) ws.send(data, { binary })
      else ws.close(Number(code), reason)
    }
  })

let urls: { readonly uws: string; readonly python: string }
beforeAll(async () => {
  const [uws, python] = await Promise.all([uwsBackend(), portOf(startPython(pythonBackend))])
  urls = { uws, python }
})

describe.each(clients)("%s as a client", (_, run) => {
  it("talks with backends by ws, by bare uWebSockets.js and by Python's websockets", async () => {
    const ws = await wsBackend()
    const server = await start({
      proxy: [
        { path: "/ws-lib", targets: [ws.url] },
        { path: "/uws", targets: [urls.uws] },
        { path: "/python", targets: [urls.python] }
      ]
    })
    const at = (path: string): string => `${server.url.replace(/^http/, "ws")}${path}`
    for (const path of ["/ws-lib", "/uws", "/python"])
      expect(await run(at(path)), path).toEqual({ protocol: "two", same: 17, of: 17, order: true, close: [4002, "as you wish"] })
    expect(await eventually(() => ws.links.at(-1)?.closed)).toEqual({ code: 4001, reason: "leaving" })
  })

  it("is not bothered by compression on its own leg", async () => {
    const ws = await wsBackend()
    const server = await start({ server: { compression: true }, proxy: [{ path: "/app", targets: [ws.url] }] })
    const outcome = await run(`${server.url.replace(/^http/, "ws")}/app`)
    expect(outcome).toEqual({ protocol: "two", same: 17, of: 17, order: true, close: [4002, "as you wish"] })
    expect(ws.links[0]?.request.headers["sec-websocket-extensions"]).toBeUndefined()
  })
})
