import fc from "fast-check"
import { decodeProtectedHeader, jwtVerify } from "jose"
import { describe, expect, test } from "vitest"
import { payload } from "../../src/cli/token.ts"
import { configFile, foreignNode, weft } from "./weft.ts"

const secret = "0123456789abcdef0123456789abcdef"
const key = new TextEncoder().encode(secret)

test("the token is signed with the secret of the configuration, for an hour, and alone on standard output", async () => {
  const file = await configFile(`[auth.jwt]\nsecret = "${secret}"\nissuer = "me"\naudience = "chat"`)
  const { code, stderr, stdout } = await weft(["token", "--config", file, "--user", "ann"])
  expect([code, stderr]).toEqual([0, ""])
  expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/)
  const token = stdout.trim()
  const claims = (await jwtVerify(token, key, { issuer: "me", audience: "chat" })).payload
  expect(decodeProtectedHeader(token)).toEqual({ alg: "HS256", typ: "JWT" })
  expect(Object.keys(claims).toSorted()).toEqual(["aud", "exp", "iat", "iss", "sub"])
  expect(claims.sub).toBe("ann")
  expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(3600)
})

test("flags become claims", async () => {
  const args = [
    "--room-join",
    "team-*",
    "--room-join",
    "news",
    "--room-publish",
    "team-*",
    "--room-presence",
    "*",
    "--room-history",
    "news"
  ]
  const { stdout } = await weft([
    "token",
    "-u",
    "ann",
    "--ttl",
    "60",
    "--secret",
    secret,
    ...args,
    "--server",
    "broadcast",
    "--info",
    '{"name":"Ann"}'
  ])
  const claims = (await jwtVerify(stdout.trim(), key)).payload
  expect(claims).toMatchObject({
    sub: "ann",
    info: { name: "Ann" },
    rooms: { join: ["team-*", "news"], publish: ["team-*"], presence: ["*"], history: ["news"] },
    server: ["broadcast"]
  })
  expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(60)
})

test("the secret may come from the environment, and the algorithm is one that the configuration takes", async () => {
  const env = { WEFT_AUTH_JWT_SECRET: secret, WEFT_AUTH_JWT_ALGORITHMS: "HS512" }
  const { stdout } = await weft(["token", "--user", "ann"], { env })
  expect(decodeProtectedHeader(stdout.trim()).alg).toBe("HS512")
  expect((await jwtVerify(stdout.trim(), key, { algorithms: ["HS512"] })).payload.sub).toBe("ann")
})

describe("a mistake exits 1 and says what to do:", () => {
  const cases: ReadonlyArray<readonly [name: string, args: ReadonlyArray<string>, line: RegExp]> = [
    ["no user", ["--secret", secret], /^weft token: Missing required flag: --user\n/],
    ["an empty user", ["--secret", secret, "--user", ""], /--user.*must not be empty/],
    ["a time of nothing", ["--secret", secret, "--user", "a", "--ttl", "0"], /--ttl.*must be more than 0/],
    ["a time that is none", ["--secret", secret, "--user", "a", "--ttl", "soon"], /--ttl/],
    ["no secret", ["--user", "a"], /^weft: no secret to sign with: set auth\.jwt\.secret/],
    ["an empty secret", ["--user", "a", "--secret", ""], /--secret/],
    ["info that is no JSON", ["--user", "a", "--secret", secret, "--info", "{"], /^weft: --info must be JSON/],
    ["an unknown flag", ["--user", "a", "--secret", secret, "--romm-join", "a"], /unknown flag --romm-join; did you mean --room-join\?/]
  ]
  test.each(cases)("%s", async (_, args, line) => {
    const { code, stderr, stdout } = await weft(["token", ...args])
    expect(code).toBe(1)
    expect(stdout).toBe("")
    expect(stderr).toMatch(line)
    expect(stderr).not.toMatch(/^\s+at /m)
    expect(stderr).not.toContain(secret)
  })

  test("a configuration with mistakes", async () => {
    const file = await configFile(`[auth.jwt]\nsecret = "${secret}"\npublic_key = "x"`)
    const { code, stderr } = await weft(["token", "--user", "a", "-c", file])
    expect(code).toBe(1)
    expect(stderr).toContain(`${file}: auth.jwt: auth.jwt has secret and public_key, but only one of them can count\n`)
  })

  test("a configuration whose key is a public one", async () => {
    const file = await configFile('[auth.jwt]\njwks_url = "https://login.example.com/jwks"')
    const { code, stderr } = await weft(["token", "--user", "a", "-c", file])
    expect([code, stderr.split(":")[1]]).toEqual([1, " no secret to sign with"])
  })
})

test("it needs no native code", async () => {
  expect((await weft(["token", "--user", "a", "--secret", secret], { node: foreignNode })).code).toBe(0)
})

test("claims that are not asked for are left out", () => {
  const rooms = fc.record({
    join: fc.array(fc.string()),
    publish: fc.array(fc.string()),
    presence: fc.array(fc.string()),
    history: fc.array(fc.string())
  })
  fc.assert(
    fc.property(rooms, fc.array(fc.string()), fc.nat(), fc.integer({ min: 1 }), (rooms, server, now, ttl) => {
      const claims = payload({ user: "a", ttl, rooms, server }, {}, now)
      const granted = Object.fromEntries(Object.entries(rooms).filter(([, patterns]) => patterns.length > 0))
      expect(claims["rooms"]).toEqual(Object.keys(granted).length > 0 ? granted : undefined)
      expect("server" in claims).toBe(server.length > 0)
      expect("info" in claims || "iss" in claims || "aud" in claims).toBe(false)
      expect(claims["exp"]).toBe(Math.floor(now / 1000) + ttl)
    })
  )
})
