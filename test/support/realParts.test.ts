import { connect } from "nats"
import { describe, expect, it } from "vitest"
import { launchChromium } from "./chromium.ts"
import { startNatsServer } from "./natsServer.ts"
import { runPython } from "./python.ts"

describe("a real nats-server", () => {
  it("keeps its port and its store over a restart after a kill", async () => {
    const server = await startNatsServer()
    const before = await connect({ servers: server.url, reconnect: false })
    await (await before.jetstreamManager()).streams.add({ name: "KEPT", subjects: ["kept.>"] })
    expect((await before.jetstream().publish("kept.a")).seq).toBe(1)
    const first = server.process().pid
    expect(await server.kill()).toMatchObject({ signal: "SIGKILL" })
    await before.closed()

    await server.restart()
    expect(server.process().pid).not.toBe(first)
    const after = await connect({ servers: server.url, reconnect: false })
    expect((await (await after.jetstreamManager()).streams.info("KEPT")).state.messages).toBe(1)
    await after.close()
  })

  it("answers nothing while it is frozen, and goes on when thawed", async () => {
    const server = await startNatsServer({ jetstream: false })
    const connection = await connect({ servers: server.url })
    await connection.flush()
    await server.freeze()
    let answered = false
    const pong = connection.flush().then(() => (answered = true))
    await expect(connect({ servers: server.url, timeout: 300, reconnect: false })).rejects.toThrow(/timeout/i)
    expect(answered).toBe(false)
    server.thaw()
    await pong
    await connection.close()
  })
})

describe("a real browser", () => {
  it("runs scripts of a page", async () => {
    const page = await (await launchChromium()).newPage()
    await page.setContent("<title>before</title><script>document.title = 'after'</script>")
    expect(await page.title()).toBe("after")
    await page.close()
  })
})

describe("a client in another language", () => {
  it("has a WebSocket library and MessagePack", async () => {
    const { stdout, code } = await runPython("import websockets, msgpack; print(msgpack.packb({'a': 1}).hex())")
    expect(stdout.trim()).toBe("81a16101")
    expect(code).toBe(0)
  })
})
