import { Redacted } from "effect"
import { expect, test } from "vitest"
import { builtInRoom } from "../../src/config/Settings.ts"
import { mistakesIn, settingsOf } from "./loading.ts"

test("without any source every key has its default", () => {
  const settings = settingsOf({})
  expect(settings).toEqual({
    node: { id: settings.node.id },
    server: { host: "127.0.0.1", port: 8080, origins: [], trusted_proxies: [], compression: false, allow_anonymous: false },
    auth: { timeout: 5, anonymous: true, anonymous_server: [] },
    api: { keys: [] },
    limits: {
      message: 524_288,
      room_name: 128,
      rooms: 128,
      depth: 64,
      connections: 0,
      connections_per_address: 0,
      connections_per_user: 0,
      rate: 0,
      rate_per_user: 0,
      rate_per_address: 0,
      burst: 2,
      buffer: 1_048_576,
      calls: 16,
      call_timeout: 10,
      mailbox: 1024,
      handshakes: 10_000
    },
    heartbeat: { interval: 30, timeout: 60 },
    session: { ttl: 120 },
    drain: { period: 10 },
    room: [],
    log: { level: "info", format: "auto" },
    nats: { servers: [] },
    cluster: { name: "weft" },
    store: {},
    gateway: {},
    proxy: []
  })
  expect(settings.node.id).toMatch(/^node-[0-9a-z]{6}$/)
})

test("a room block has the defaults of the built-in one", () => {
  expect(settingsOf({ toml: '[[room]]\npattern = "*"' }).room).toEqual([builtInRoom])
})

test("defaults < file < environment < flags, key by key", () => {
  const toml = '[server]\nhost = "::1"\nport = 1001\n[drain]\nperiod = 1\n[log]\nlevel = "warn"'
  const environment = { WEFT_SERVER_PORT: "1002", WEFT_DRAIN_PERIOD: "2" }
  const flags = [{ flag: "--port", key: "server.port", value: 1003 }]
  const port = (sources: Parameters<typeof settingsOf>[0]) => settingsOf(sources).server.port

  expect(port({})).toBe(8080)
  expect(port({ toml })).toBe(1001)
  expect(port({ toml, environment })).toBe(1002)
  expect(port({ toml, environment, flags })).toBe(1003)
  expect(port({ toml, flags })).toBe(1003)
  expect(settingsOf({ toml, environment, flags })).toMatchObject({
    server: { host: "::1", port: 1003, compression: false },
    drain: { period: 2 },
    log: { level: "warn", format: "auto" }
  })
})

test("values of a program stand where the file's would", () => {
  const settings = settingsOf({
    values: { server: { port: 0 }, room: [{ pattern: "a", publish: true }] },
    environment: { WEFT_LOG_LEVEL: "debug" }
  })
  expect(settings.server.port).toBe(0)
  expect(settings.room).toEqual([{ ...builtInRoom, pattern: "a" }])
  expect(settings.log.level).toBe("debug")
  expect(mistakesIn({ values: { server: { port: -1 } } })).toEqual([
    "configuration: server.port: expected a whole number from 0 to 65535, found -1"
  ])
})

test("a mistake is told to the source that made it", () => {
  const toml = "[server]\nport = -1\n[heartbeat]\ntimeout = 20"
  expect(mistakesIn({ toml })).toEqual([
    "weft.toml: server.port: expected a whole number from 0 to 65535, found -1",
    "weft.toml: heartbeat.timeout: heartbeat.timeout (20) must be more than heartbeat.interval (30)"
  ])
  expect(
    mistakesIn({ toml, environment: { WEFT_HEARTBEAT_TIMEOUT: "10" }, flags: [{ flag: "--port", key: "server.port", value: -2 }] })
  ).toEqual([
    "command line: --port: expected a whole number from 0 to 65535, found -2",
    "environment: WEFT_HEARTBEAT_TIMEOUT: heartbeat.timeout (10) must be more than heartbeat.interval (30)"
  ])
})

test("a section that is no table hides no other source's value, and is told", () => {
  expect(mistakesIn({ toml: "server = 1", environment: { WEFT_SERVER_PORT: "99999" } })).toEqual([
    "weft.toml: server: expected a table, found 1"
  ])
})

test("presence and publish may be written as booleans", () => {
  const toml = '[[room]]\npattern = "a"\npresence = true\npublish = true\n[[room]]\npattern = "b"\npresence = false\npublish = false'
  expect(settingsOf({ toml }).room).toMatchObject([
    { presence: "members", publish: "members" },
    { presence: "none", publish: "none" }
  ])
})

test("clients need no token exactly when nothing could check one, unless the file says so", () => {
  const jwt = '[auth.jwt]\nsecret = "0123456789abcdef0123456789abcdef"\n'
  expect(settingsOf({}).auth.anonymous).toBe(true)
  expect(settingsOf({ toml: jwt }).auth.anonymous).toBe(false)
  expect(settingsOf({ toml: '[auth.http]\nurl = "http://h/"' }).auth.anonymous).toBe(false)
  expect(settingsOf({ toml: `${jwt}[auth]\nanonymous = true` }).auth.anonymous).toBe(true)
})

test("a function that authenticates counts as configured", () => {
  const toml = '[server]\nhost = "0.0.0.0"'
  const settings = settingsOf({ toml, authenticated: true })
  expect(settings.auth.anonymous).toBe(false)
  expect(mistakesIn({ toml, authenticated: false })).toHaveLength(1)
})

test("secrets are redacted from the moment they are read", () => {
  const toml = '[[api.keys]]\nname = "ops"\nkey = "hush-hush-hush-hush"'
  const settings = settingsOf({ toml, environment: { WEFT_AUTH_JWT_SECRET: "0123456789abcdef0123456789abcdef" } })
  expect(JSON.stringify(settings)).not.toMatch(/hush|0123/)
  expect(settings.auth.jwt?.secret && Redacted.value(settings.auth.jwt.secret)).toBe("0123456789abcdef0123456789abcdef")
  expect(settings.api.keys.map(({ key }) => Redacted.value(key))).toEqual(["hush-hush-hush-hush"])
  expect(settings.api.keys[0]?.scopes).toEqual(["*"])
})
