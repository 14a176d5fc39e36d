import { expect, test } from "vitest"
import { configFile, foreignNode, weft } from "./weft.ts"

test("a configuration in order: exit 0 and one line of what it amounts to", async () => {
  const file = await configFile(
    [
      '[server]\nhost = "0.0.0.0"\nport = 9000',
      '[auth.jwt]\nsecret = "0123456789abcdef0123456789abcdef"',
      '[[room]]\npattern = "a"',
      '[[api.keys]]\nname = "ops"\nkey = "0123456789abcdef"'
    ].join("\n")
  )
  expect(await weft(["check", "--config", file])).toEqual({
    code: 0,
    signal: null,
    stdout: `${file}: in order; listens on 0.0.0.0:9000, authentication by JWT (secret), 1 room block, 1 API key\n`,
    stderr: ""
  })
})

test("without a file the environment alone is checked", async () => {
  const { code, stdout } = await weft(["check"], { env: { WEFT_SERVER_HOST: "::1", WEFT_AUTH_HTTP_URL: "http://127.0.0.1:1/" } })
  expect(code).toBe(0)
  expect(stdout).toBe("configuration: in order; listens on [::1]:8080, authentication by HTTP, 0 room blocks, 0 API keys\n")
})

test("every mistake is a line FILE: KEY: REASON on standard error, exit 1", async () => {
  const file = await configFile('[server]\nprot = 1\nhost = 5\n[[room]]\npattern = "a"\npublish = "me"')
  const { code, stderr, stdout } = await weft(["check", "-c", file], { env: { WEFT_SERVER_PORT: "-1", WEFT_NONSENSE: "1" } })
  expect(code).toBe(1)
  expect(stdout).toBe("")
  expect(stderr.trimEnd().split("\n")).toEqual([
    "environment: WEFT_NONSENSE: no such setting",
    `${file}: server.prot: unknown key; did you mean port?`,
    `${file}: server.host: expected a non-empty string, found 5`,
    "environment: WEFT_SERVER_PORT: expected a whole number from 0 to 65535, found -1",
    `${file}: room[0].publish: expected one of "members", "anyone", "users", "token", "none", or true ("members") or false ("none"), found "me"`
  ])
})

test("a warning is told and changes nothing", async () => {
  const file = await configFile('[[room]]\npattern = "a"\n[room.history]\nsize = 5')
  const { code, stderr, stdout } = await weft(["check", "-c", file])
  expect(code).toBe(0)
  expect(stdout).toMatch(/: in order; /)
  expect(stderr).toBe(
    `${file}: room[0].history: warning: is not served by this version: the rooms work, requests for their history get unavailable\n`
  )
})

test("broken TOML is told with line and column, and none of its text", async () => {
  const file = await configFile('[auth.jwt]\nsecret = "hush" hush\n')
  const { code, stderr } = await weft(["check", "-c", file])
  expect(code).toBe(1)
  expect(stderr).toBe(`${file}: line 2, column 17: each key-value declaration must be followed by an end-of-line\n`)
})

test.each([
  ["a file that is not there", "/no/such/weft.toml", "can not be read: no such file"],
  ["a folder", "/", "can not be read: is not a file"]
])("%s is told", async (_, path, reason) => {
  const { code, stderr } = await weft(["check", "-c", path])
  expect(code).toBe(1)
  expect(stderr).toBe(`${path}: ${reason}\n`)
})

test("it needs no native code", async () => {
  expect((await weft(["check"], { node: foreignNode })).code).toBe(0)
})
