/** The client as it stands, types stripped and nothing else, in a real browser against the real server. */
import { readFile } from "node:fs/promises"
import { createServer } from "node:http"
import { stripTypeScriptTypes } from "node:module"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import type { Page } from "playwright-core"
import { beforeAll, expect, it } from "vitest"
import { launchChromium } from "../support/chromium.ts"
import { atEnd } from "../support/cleanup.ts"
import { projectRoot, startWeft, type Weft } from "../support/weft.ts"

const html = `<!doctype html><script type="importmap">
{ "imports": { "@msgpack/msgpack": "/node_modules/@msgpack/msgpack/dist.esm/index.mjs" } }
</script>`

const moduleText = async (path: string): Promise<string> => {
  const source = await readFile(join(projectRoot, path), "utf8")
  return path.endsWith(".ts") ? stripTypeScriptTypes(source) : source
}

const serveModules = async (): Promise<string> => {
  const server = createServer((request, response) => {
    const path = request.url ?? "/"
    if (path === "/") return response.writeHead(200, { "content-type": "text/html" }).end(html)
    moduleText(path).then(
      (text) => response.writeHead(200, { "content-type": "text/javascript" }).end(text),
      () => response.writeHead(404).end()
    )
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  atEnd(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

let weft: Weft
let page: Page
beforeAll(async () => {
  const [server, browser, url] = await Promise.all([startWeft(), launchChromium(), serveModules()])
  weft = server
  page = await browser.newPage()
  await page.goto(url)
})

it.each(["json", "msgpack"])("talks in %s, and leaves nothing but errors of its own", async (encoding) => {
  const script = `(async () => {
    const { createClient, WeftError } = await import("/src/client/index.ts")
    const [ada, bob] = [1, 2].map(() => createClient({ url: ${JSON.stringify(weft.socketUrl)}, encoding: ${JSON.stringify(encoding)} }))
    await Promise.all([ada.connect(), bob.connect()])
    await Promise.all([ada.join("browser"), bob.join("browser")])
    const heard = new Promise((resolve) => bob.on("message", ({ data }) => resolve(data)))
    await ada.broadcast("browser", { text: "from a page", list: [1, null] })
    const refused = await ada.broadcast("elsewhere", 1).catch((error) => [error instanceof WeftError, error.code])
    const data = await heard
    const { encoding } = await ada.status()
    await Promise.all([ada.close(), bob.close()])
    return { data, refused, encoding, links: [ada.link.state, bob.link.state] }
  })()`
  expect(await page.evaluate(script)).toEqual({
    data: { text: "from a page", list: [1, null] },
    refused: [true, "not_in_room"],
    encoding,
    links: ["closed", "closed"]
  })
})

it("tries again after a handshake that failed", async () => {
  const script = `(async () => {
    const { createClient } = await import("/src/client/index.ts")
    const client = createClient({ url: ${JSON.stringify(`${weft.url}/nowhere`)}, backoff: { base: 5, cap: 10 } })
    const states = []
    const third = new Promise((resolve) => client.on("state", (link) => {
      states.push(link.state)
      if (link.state === "connecting" && link.attempt === 3) resolve()
    }))
    client.connect()
    await third
    await client.close()
    return states
  })()`
  expect(await page.evaluate(script)).toEqual(["connecting", "waiting", "connecting", "waiting", "connecting", "closed"])
})
