import { describe, expect, test } from "vitest"
import { variableOf } from "../../src/config/environment.ts"
import { keys } from "../../src/config/Settings.ts"
import { mistakesIn, settingsOf } from "./loading.ts"

const server = (environment: Record<string, string>) => settingsOf({ environment }).server

test("a variable sets the key that its name spells", () => {
  const environment = {
    WEFT_SERVER_HOST: "::1",
    WEFT_SERVER_PORT: "9000",
    WEFT_SERVER_COMPRESSION: "true",
    WEFT_SERVER_ORIGINS: "https://a.example, https://b.example",
    WEFT_AUTH_HTTP_URL: "http://127.0.0.1:1/",
    WEFT_HEARTBEAT_INTERVAL: "1.5",
    WEFT_LIMITS_CONNECTIONS_PER_ADDRESS: "7",
    WEFT_LOG_FORMAT: "json",
    WEFT_CLUSTER_NAME: "shop"
  }
  expect(settingsOf({ environment })).toMatchObject({
    server: { host: "::1", port: 9000, compression: true, origins: ["https://a.example", "https://b.example"] },
    auth: { http: { url: "http://127.0.0.1:1/", timeout: 3 }, anonymous: false },
    heartbeat: { interval: 1.5, timeout: 60 },
    limits: { connections_per_address: 7 },
    log: { format: "json" },
    cluster: { name: "shop" }
  })
})

test("no two keys share a variable", () => {
  const variables = keys.flatMap((key) => variableOf(key) ?? [])
  expect(new Set(variables).size).toBe(variables.length)
  expect(variables.length).toBeGreaterThan(40)
})

test.each([
  ["true", true],
  ["1", true],
  ["Yes", true],
  ["on", true],
  ["false", false],
  ["0", false],
  ["no", false],
  ["OFF", false]
])("%s is a boolean", (text, value) => {
  expect(server({ WEFT_SERVER_COMPRESSION: text }).compression).toBe(value)
})

test("an empty list variable empties the list of the file", () => {
  expect(settingsOf({ toml: '[server]\norigins = ["*"]', environment: { WEFT_SERVER_ORIGINS: "" } }).server.origins).toEqual([])
})

describe("names without the prefix", () => {
  test("NODE_ID names the node, WEFT_NODE_ID before it", () => {
    expect(settingsOf({ environment: { NODE_ID: "a" } }).node.id).toBe("a")
    expect(settingsOf({ environment: { NODE_ID: "a", WEFT_NODE_ID: "b" } }).node.id).toBe("b")
  })
  test("an empty NODE_ID or NATS_URL is not set", () => {
    expect(settingsOf({ environment: { NODE_ID: "", NATS_URL: "" } }).node.id).toMatch(/^node-[0-9a-z]{6}$/)
  })
  test.each(["NATS_URL", "WEFT_NATS_URL", "WEFT_NATS_SERVERS"])("%s names the NATS servers", (name) => {
    expect(mistakesIn({ environment: { [name]: "nats://a,nats://b" } })).toEqual([
      `environment: ${name}: not served by this version: a node can not join a cluster`
    ])
  })
})

describe("a mistake names the variable:", () => {
  const cases: ReadonlyArray<readonly [name: string, environment: Record<string, string>, lines: string]> = [
    ["an unknown one", { WEFT_SERVER_PROT: "1" }, "WEFT_SERVER_PROT: no such setting; did you mean WEFT_SERVER_PORT?"],
    ["one like nothing known", { WEFT_FLUX: "1" }, "WEFT_FLUX: no such setting"],
    ["one for a table", { WEFT_AUTH_JWT: "x" }, "WEFT_AUTH_JWT: no such setting"],
    ["text for a number", { WEFT_SERVER_PORT: "http" }, 'WEFT_SERVER_PORT: expected a whole number from 0 to 65535, found "http"'],
    ["hexadecimal", { WEFT_SERVER_PORT: "0x50" }, 'WEFT_SERVER_PORT: expected a whole number from 0 to 65535, found "0x50"'],
    ["a number out of range", { WEFT_SERVER_PORT: "70000" }, "WEFT_SERVER_PORT: expected a whole number from 0 to 65535, found 70000"],
    ["text for a boolean", { WEFT_SERVER_COMPRESSION: "maybe" }, 'WEFT_SERVER_COMPRESSION: expected true or false, found "maybe"'],
    ["nothing", { WEFT_SERVER_HOST: "" }, "WEFT_SERVER_HOST: is empty; leave it unset to keep the file's value or the default"],
    [
      "an item of a list",
      { WEFT_SERVER_TRUSTED_PROXIES: "10.0.0.0/8,nonsense" },
      'WEFT_SERVER_TRUSTED_PROXIES: "nonsense" is not an IP network, such as "10.0.0.0/8": expected exactly four decimal octets'
    ],
    ["an empty item of a list", { WEFT_SERVER_ORIGINS: "*, ," }, "WEFT_SERVER_ORIGINS: expected a non-empty string, found an empty string"],
    ["a key between keys", { WEFT_AUTH_JWT_ISSUER: "me" }, "WEFT_AUTH_JWT_ISSUER: auth.jwt needs one of secret, public_key and jwks_url"],
    ["several", { WEFT_A: "1", WEFT_B: "2" }, "WEFT_A: no such setting\nWEFT_B: no such setting"]
  ]
  test.each(cases)("%s", (_, environment, lines) => {
    expect(mistakesIn({ environment })).toEqual(lines.split("\n").map((line) => `environment: ${line}`))
  })
})

test("what Kubernetes sets for a Service named weft or weft-server is no setting", () => {
  const environment = {
    WEFT_SERVICE_HOST: "10.0.0.7",
    WEFT_SERVICE_PORT: "8080",
    WEFT_SERVICE_PORT_HTTP: "8080",
    WEFT_PORT: "tcp://10.0.0.7:8080",
    WEFT_PORT_8080_TCP: "tcp://10.0.0.7:8080",
    WEFT_PORT_8080_TCP_PROTO: "tcp",
    WEFT_PORT_8080_TCP_PORT: "8080",
    WEFT_PORT_8080_TCP_ADDR: "10.0.0.7",
    WEFT_SERVER_SERVICE_HOST: "10.0.0.8",
    WEFT_SERVER_PORT: "tcp://10.0.0.8:8080"
  }
  expect(mistakesIn({ environment })).toEqual([])
  expect(server(environment).port).toBe(8080)
})

test("variables of others are left alone", () => {
  expect(mistakesIn({ environment: { WEFTY: "1", SERVER_PORT: "x", weft_server_port: "x" } })).toEqual([])
})
