import { describe, expect, it } from "vitest"
import { eventually, within } from "./eventually.ts"
import { run, startProcess } from "./process.ts"

const node = (program: string): Promise<Awaited<ReturnType<typeof startProcess>>> => startProcess(process.execPath, ["-e", program])

describe("eventually", () => {
  it("gives the first value that holds, however often the condition failed before", async () => {
    let asked = 0
    const value = await eventually(() => {
      asked += 1
      if (asked === 1) throw new Error("not yet")
      return asked < 3 ? false : { asked }
    })
    expect(value).toEqual({ asked: 3 })
  })

  it("takes 0 and the empty string for values", async () => {
    expect(await eventually(() => 0)).toBe(0)
    expect(await eventually(() => "")).toBe("")
  })

  it("tells what it waited for and what went wrong last", async () => {
    const failing = (): never => {
      throw new Error("port closed")
    }
    await expect(eventually(failing, { timeout: 30, message: "the server did not start" })).rejects.toThrow(
      /the server did not start within 30 ms: port closed/
    )
    await expect(within(new Promise(() => undefined), "no answer", 10)).rejects.toThrow("no answer within 10 ms")
  })
})

describe("a child process", () => {
  it("is waited for by what it writes, and ends when told", async () => {
    const child = await node('process.on("SIGTERM", () => process.exit(7)); console.log("port 123"); setInterval(() => {}, 1000)')
    expect((await child.output(/port (\d+)/))[1]).toBe("123")
    expect(child.running()).toBe(true)
    expect(await child.stop()).toEqual({ code: 7, signal: null })
    expect(child.running()).toBe(false)
  })

  it("is killed when it does not end in time, even frozen", async () => {
    const child = await node('process.on("SIGTERM", () => {}); console.log("deaf"); setInterval(() => {}, 1000)')
    await child.output(/deaf/)
    await child.freeze()
    expect(await child.stop(50)).toEqual({ code: null, signal: "SIGKILL" })
  })

  it("that ends before it wrote what was waited for fails with its output", async () => {
    const child = await node('console.error("no such file"); process.exit(3)')
    await expect(child.output(/ready/)).rejects.toThrow(/ended \(3\) before[^]*no such file/)
  })

  it("does not inherit what would configure a server", async () => {
    const names = ["WEFT_SERVER_PORT", "NATS_URL", "NODE_ID"]
    for (const name of names) process.env[name] = "left over"
    try {
      const { stdout } = await run(process.execPath, ["-p", "JSON.stringify(process.env)"], { env: { WEFT_NATS_URL: "given" } })
      const seen = JSON.parse(stdout)
      for (const name of names) expect(seen).not.toHaveProperty(name)
      expect(seen).toHaveProperty("WEFT_NATS_URL", "given")
    } finally {
      for (const name of names) delete process.env[name]
    }
  })

  it("gets its input and gives its output and code", async () => {
    const program = 'process.stdin.on("data", (d) => process.stdout.write(String(d).toUpperCase())).on("end", () => process.exit(4))'
    expect(await run(process.execPath, ["-e", program], { input: "abc" })).toEqual({ code: 4, signal: null, stdout: "ABC", stderr: "" })
  })
})
