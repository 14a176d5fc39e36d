import { generateKeyPairSync } from "node:crypto"
import { describe, expect, test } from "vitest"
import { mistakesIn, settingsOf, warningsIn } from "./loading.ts"
import { certificate, privateKey } from "./pem.ts"

const secret = "0123456789abcdef0123456789abcdef"

/** A mistake in the file: what it holds, and the line that is printed, without the file's name. */
const inFile: ReadonlyArray<readonly [name: string, toml: string, ...lines: ReadonlyArray<string>]> = [
  // Keys
  ["an unknown section", "[servre]", "servre: unknown key; did you mean server?"],
  ["an unknown key", "[server]\nprot = 1", "server.prot: unknown key; did you mean port?"],
  ["a key outside of its section", "port = 8080", "port: unknown key; did you mean server.port?"],
  ["a key like nothing known", "[server]\nflux_capacitor = 1", "server.flux_capacitor: unknown key"],
  ["a key inside an array of tables", '[[room]]\npattern = "a"\npresense = true', "room[0].presense: unknown key; did you mean presence?"],
  ["a misspelt key that is required, told once", '[[room]]\npatern = "a"', "room[0].patern: unknown key; did you mean pattern?"],
  ["a key with odd characters", '"a b\\u0007" = 1', '"a b\\u0007": unknown key'],
  ["__proto__ as a section", "[__proto__]\nport = 1", "__proto__: unknown key"],
  ["__proto__ as a key", "[server]\n__proto__ = { port = 1 }", "server.__proto__: unknown key"],
  ["constructor as a section", "[constructor.prototype]\nport = 1", "constructor: unknown key"],
  ["toString as a key", "[limits]\ntoString = 1", "limits.toString: unknown key"],
  // Types
  ["a string for a number", '[server]\nport = "80"', 'server.port: expected a whole number from 0 to 65535, found "80"'],
  ["a fraction for a count", "[limits]\nrooms = 1.5", "limits.rooms: expected a whole number, 0 or more, found 1.5"],
  ["a number for a boolean", "[server]\ncompression = 1", "server.compression: expected true or false, found 1"],
  ["a date for a string", "[server]\nhost = 2020-01-01", "server.host: expected a non-empty string, found a date"],
  ["a string for a list", '[server]\norigins = "*"', 'server.origins: expected a list of non-empty strings, found "*"'],
  ["a number in a list", '[server]\norigins = ["*", 5]', "server.origins[1]: expected a non-empty string, found 5"],
  ["a value for a table", "server = 5", "server: expected a table, found 5"],
  ["a list for a table", "[auth]\njwt = []", "auth.jwt: expected a table, found a list"],
  ["a table for an array of tables", '[room]\npattern = "a"', "room: expected an array of tables, each headed [[room]], found a table"],
  ["something else in an array of tables", "room = [1]", "room[0]: expected a table, found 1"],
  ["an empty string", '[server]\nhost = ""', "server.host: expected a non-empty string, found an empty string"],
  // Ranges
  ["a port above 65535", "[server]\nport = 65536", "server.port: expected a whole number from 0 to 65535, found 65536"],
  ["a negative port", "[server]\nport = -1", "server.port: expected a whole number from 0 to 65535, found -1"],
  [
    "an infinite time",
    "[heartbeat]\ntimeout = inf",
    "heartbeat.timeout: expected a number of seconds, more than 0 and at most a year, found Infinity"
  ],
  ["no number", "[limits]\nrate = nan", "limits.rate: expected a number, 0 or more, found NaN"],
  ["a negative time", "[drain]\nperiod = -1", "drain.period: expected a number of seconds, from 0 to a year, found -1"],
  [
    "a time of nothing",
    "[heartbeat]\ninterval = 0",
    "heartbeat.interval: expected a number of seconds, more than 0 and at most a year, found 0"
  ],
  ["a message of no bytes", "[limits]\nmessage = 0", "limits.message: expected a whole number of bytes from 1 to 1073741824, found 0"],
  ["an unknown word", '[log]\nformat = "xml"', 'log.format: expected one of "auto", "pretty", "json", found "xml"'],
  [
    "an unknown rule",
    '[[room]]\npattern = "a"\npublish = "me"',
    'room[0].publish: expected one of "members", "anyone", "users", "token", "none", or true ("members") or false ("none"), found "me"'
  ],
  // Forms
  [
    "an origin with a path",
    '[server]\norigins = ["https://a.example/x"]',
    'server.origins[0]: "https://a.example/x" is not an origin: scheme://host[:port] without a path, such as "https://app.example.com", or "*"'
  ],
  [
    "a network with host bits",
    '[server]\ntrusted_proxies = ["10.0.0.1/8"]',
    'server.trusted_proxies[0]: "10.0.0.1/8" is not an IP network, such as "10.0.0.0/8": address has non-zero host bits'
  ],
  ["a node id with a dot", '[node]\nid = "a.b"', 'node.id: "a.b" may hold letters, digits, "-" and "_" only, 64 at most'],
  ["a JWKS address that is none", '[auth.jwt]\njwks_url = "keys.json"', "auth.jwt.jwks_url: is not an http or https URL"],
  ["an address with a password", '[auth.http]\nurl = "http://u:hush@h/"', "auth.http.url: must not hold a user or password"],
  [
    "an unknown algorithm",
    `[auth.jwt]\nsecret = "${secret}"\nalgorithms = ["none"]`,
    'auth.jwt.algorithms[0]: "none" is not one of HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA, Ed25519'
  ],
  // What a table needs
  ["a room block without pattern", "[[room]]\nmembers = 1", "room[0].pattern: is missing"],
  ["a key without name", `[[api.keys]]\nkey = "${secret}"`, "api.keys[0].name: is missing"],
  ["a validator without address", "[auth.http]\ntimeout = 1", "auth.http.url: is missing"],
  [
    "a certificate without key",
    '[server.tls]\ncert = "cert.pem"',
    "server.tls.key: is missing",
    'server.tls.cert: "cert.pem" can not be read: no such file'
  ],
  // Between keys
  [
    "a heartbeat that comes after its timeout",
    "[heartbeat]\ninterval = 60",
    "heartbeat.interval: heartbeat.timeout (60) must be more than heartbeat.interval (60)"
  ],
  ["JWT without a key", '[auth.jwt]\nissuer = "me"', "auth.jwt: auth.jwt needs one of secret, public_key and jwks_url"],
  [
    "JWT with two keys",
    `[auth.jwt]\nsecret = "${secret}"\njwks_url = "https://h/jwks"`,
    "auth.jwt: auth.jwt has secret and jwks_url, but only one of them can count"
  ],
  [
    "an algorithm that is not the secret's",
    `[auth.jwt]\nsecret = "${secret}"\nalgorithms = ["RS256"]`,
    "auth.jwt.algorithms: RS256 does not go with this key; possible: HS256, HS384, HS512"
  ],
  [
    "a shared-secret algorithm for public keys",
    '[auth.jwt]\njwks_url = "https://h/jwks"\nalgorithms = ["HS256"]',
    "auth.jwt.algorithms: HS256 does not go with this key; possible: RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA, Ed25519"
  ],
  ["no algorithm", `[auth.jwt]\nsecret = "${secret}"\nalgorithms = []`, "auth.jwt.algorithms: is empty: no token could ever be valid"],
  [
    "a public key as the secret",
    '[auth.jwt]\nsecret = """-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----"""',
    "auth.jwt.secret: is a key in PEM form; public keys go to auth.jwt.public_key"
  ],
  ["a short API key", '[[api.keys]]\nname = "a"\nkey = "0123456789abcde"', "api.keys[0].key: is shorter than 16 characters"],
  [
    "an API key that fits no header",
    '[[api.keys]]\nname = "a"\nkey = "0123456789 abcdef"',
    "api.keys[0].key: may hold printable ASCII without spaces only, since it travels in a header"
  ],
  [
    "two API keys of one name",
    '[[api.keys]]\nname = "a"\nkey = "0123456789abcdef"\n[[api.keys]]\nname = "a"\nkey = "0123456789abcdeF"',
    'api.keys[1].name: "a" is the name of api.keys[0] already'
  ],
  [
    "one API key under two names",
    '[[api.keys]]\nname = "a"\nkey = "0123456789abcdef"\n[[api.keys]]\nname = "b"\nkey = "0123456789abcdef"',
    "api.keys[1].key: is the key of api.keys[0] already"
  ],
  [
    "an unknown scope",
    '[[api.keys]]\nname = "a"\nkey = "0123456789abcdef"\nscopes = ["write"]',
    'api.keys[0].scopes[0]: "write" is not one of "read", "publish", "manage", "*"'
  ],
  ["no scope", '[[api.keys]]\nname = "a"\nkey = "0123456789abcdef"\nscopes = []', "api.keys[0].scopes: is empty: the key could do nothing"],
  [
    "a buffer that holds no message",
    "[limits]\nbuffer = 1000",
    "limits.buffer: limits.buffer (1000) must hold one message at least: limits.message is 524288"
  ],
  [
    "a rate that lets nothing pass",
    "[limits]\nrate = 0.1",
    "limits.rate: limits.rate and limits.burst (2) together allow less than one message at once: nothing could ever be sent"
  ],
  [
    "an open address without authentication",
    '[server]\nhost = "0.0.0.0"',
    'server.host: "0.0.0.0" is reachable from other machines and no authentication is configured: set [auth.jwt] or [auth.http], or allow it with --allow-anonymous'
  ],
  // What a later version serves
  ["NATS", '[nats]\nservers = ["nats://u:hush@h"]', "nats.servers: not served by this version: a node can not join a cluster"],
  ["a store", '[store]\ndata = "/var/lib/weft"', "store.data: not served by this version: everything is kept in memory"],
  // Syntax
  ["broken TOML", '[server]\nhost = "a"\nport = = 1', "line 3, column 8: invalid value"],
  ["a key given twice", "[server]\nport = 1\nport = 2", "line 3, column 1: trying to redefine an already defined table or value"],
  [
    "a number that is too large to keep",
    "[limits]\nrooms = 99999999999999999999",
    "line 2, column 9: integer value cannot be represented losslessly"
  ],
  // Together
  [
    "mistakes of every kind, all told",
    '[server]\nport = "x"\nhosts = "a"\norigins = ["a b"]\n[heartbeat]\ninterval = 90\n[[room]]\nmembers = -1\n[[room]]\npattern = ""\n[nats]\nservers = ["nats://h"]',
    "server.hosts: unknown key; did you mean host?",
    'server.port: expected a whole number from 0 to 65535, found "x"',
    'server.origins[0]: "a b" is not an origin: scheme://host[:port] without a path, such as "https://app.example.com", or "*"',
    "room[0].pattern: is missing",
    "room[0].members: expected a whole number, 0 or more, found -1",
    "room[1].pattern: expected a non-empty string, found an empty string",
    "heartbeat.interval: heartbeat.timeout (60) must be more than heartbeat.interval (90)",
    "nats.servers: not served by this version: a node can not join a cluster"
  ],
  [
    "no consequences of a mistake",
    '[server]\nhost = "0.0.0.0"\n[auth.jwt]\nsecrt = "x"',
    "auth.jwt.secrt: unknown key; did you mean secret?"
  ],
  [
    "no comparison with a value that is none",
    '[heartbeat]\ninterval = 90\ntimeout = "x"',
    'heartbeat.timeout: expected a number of seconds, more than 0 and at most a year, found "x"'
  ]
]

describe("a mistake in the file is named with its key and the reason:", () => {
  test.each(inFile)("%s", (_, toml, ...lines) => {
    expect(mistakesIn({ toml })).toEqual(lines.map((line) => `weft.toml: ${line}`))
  })
})

describe("files that keys name are looked at:", () => {
  test("one that is not there", () => {
    expect(mistakesIn({ toml: tls })).toEqual([
      'weft.toml: server.tls.cert: "c" can not be read: no such file',
      'weft.toml: server.tls.key: "k" can not be read: no such file'
    ])
  })
  const tls = '[server.tls]\ncert = "c"\nkey = "k"'
  const pair = generateKeyPairSync("ec", {
    namedCurve: "prime256v1",
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" }
  })
  const jwt = (key: string, more = "") => `[auth.jwt]\npublic_key = """${key}"""\n${more}`

  test("a certificate and its key are in order", () => {
    expect(mistakesIn({ toml: tls, files: { c: certificate, k: privateKey } })).toEqual([])
  })
  test("a file that is no certificate", () => {
    expect(mistakesIn({ toml: tls, files: { c: "hello", k: privateKey } })).toEqual([
      'weft.toml: server.tls.cert: "c" is not a certificate in PEM form'
    ])
  })
  test("a file that is no private key", () => {
    expect(mistakesIn({ toml: tls, files: { c: certificate, k: certificate } })).toEqual([
      'weft.toml: server.tls.key: "k" is not a private key in PEM form, without passphrase'
    ])
  })
  test("the key of another certificate", () => {
    expect(mistakesIn({ toml: tls, files: { c: certificate, k: pair.privateKey } })).toEqual([
      'weft.toml: server.tls.key: "k" is not the key of the certificate in "c"'
    ])
  })
  test("a public key, as text and as a file", () => {
    expect(mistakesIn({ toml: jwt(pair.publicKey) })).toEqual([])
    expect(mistakesIn({ toml: jwt("p"), files: { p: pair.publicKey } })).toEqual([])
    expect(mistakesIn({ toml: jwt("p") })).toEqual(["weft.toml: auth.jwt.public_key: the file that it names can not be read: no such file"])
    expect(mistakesIn({ toml: jwt("p"), files: { p: "hello" } })).toEqual([
      "weft.toml: auth.jwt.public_key: the file that it names is not a public key in PEM form"
    ])
  })
  test("an algorithm that is not the public key's", () => {
    expect(mistakesIn({ toml: jwt("p", 'algorithms = ["RS256"]'), files: { p: pair.publicKey } })).toEqual([
      "weft.toml: auth.jwt.algorithms: RS256 does not go with this key; possible: ES256"
    ])
  })
})

describe("what works, but hardly as meant, is a warning:", () => {
  const cases: ReadonlyArray<readonly [name: string, toml: string, line: string]> = [
    [
      "history",
      '[[room]]\npattern = "a"\n[room.history]\nsize = 10\nttl = 60',
      "room[0].history: warning: is not served by this version: the rooms work, requests for their history get unavailable"
    ],
    [
      "a block that is never reached",
      '[[room]]\npattern = "*"\n[[room]]\npattern = "a"',
      "room[1].pattern: warning: is never reached: room[0] fits the same names and stands before it"
    ],
    ["a short secret", '[auth.jwt]\nsecret = "short"', "auth.jwt.secret: warning: is shorter than the 32 bytes that RFC 7518 asks for"],
    [
      "an open door that stays closed",
      `[server]\nallow_anonymous = true\n[auth.jwt]\nsecret = "${secret}"`,
      "server.allow_anonymous: warning: has no effect, since authentication is configured; auth.anonymous lets in clients without a token"
    ],
    [
      "nobody can connect",
      "[auth]\nanonymous = false",
      "auth.anonymous: warning: auth.anonymous is false and neither auth.jwt nor auth.http is configured: no client can connect"
    ],
    [
      "a validator that is not waited for",
      '[auth.http]\nurl = "http://h/"\ntimeout = 9',
      "auth.http.timeout: warning: auth.http.timeout (9) is longer than auth.timeout (5), which ends the wait before"
    ]
  ]
  test.each(cases)("%s", (_, toml, line) => {
    expect(mistakesIn({ toml })).toEqual([])
    expect(warningsIn({ toml })).toEqual([`weft.toml: ${line}`])
  })
})

test.each(["localhost", "127.0.0.1", "127.9.9.9", "::1", "[::1]"])("%s needs no authentication", (host) => {
  expect(settingsOf({ toml: `[server]\nhost = "${host}"` }).server.host).toBe(host)
})

test.each(["0.0.0.0", "::", "10.0.0.1", "example.com", "localhost.example.com"])(
  "%s needs authentication or a word that it may do without",
  (host) => {
    expect(mistakesIn({ toml: `[server]\nhost = "${host}"` })).toHaveLength(1)
    expect(mistakesIn({ toml: `[server]\nhost = "${host}"\nallow_anonymous = true` })).toEqual([])
    expect(mistakesIn({ toml: `[server]\nhost = "${host}"\n[auth.jwt]\nsecret = "${secret}"` })).toEqual([])
  }
)
