import fc from "fast-check"
import { Equal, Redacted, Schema } from "effect"
import { parse, stringify } from "smol-toml"
import { expect, test } from "vitest"
import { SettingsFile } from "../../src/config/Settings.ts"
import { configuration } from "./arbitrary.ts"
import { mistakesIn, settingsOf, warningsIn } from "./loading.ts"

/** Settings with secrets in clear, for comparison. */
const plain = (value: unknown): unknown => {
  if (Redacted.isRedacted(value)) return Redacted.value(value)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]))
}

const meaning = (path: string, value: unknown): unknown =>
  /\.(publish|presence)$/.test(path) && typeof value === "boolean" ? (value ? "members" : "none") : value

/** Every leaf of `written` with its path. */
const leaves = (written: unknown, path = ""): ReadonlyArray<readonly [string, unknown]> =>
  Array.isArray(written)
    ? written.flatMap((item, index) => leaves(item, `${path}.${index}`))
    : typeof written === "object" && written !== null
      ? Object.entries(written).flatMap(([name, inner]) => leaves(inner, `${path}.${name}`))
      : [[path.slice(1), meaning(path, written)]]

const at = (root: unknown, path: string): unknown =>
  path
    .split(".")
    .reduce<unknown>((value, name) => (typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined), root)

test("whatever a file in order says is what the settings say", () => {
  fc.assert(
    fc.property(configuration, (written) => {
      const settings = plain(settingsOf({ toml: stringify(written) }))
      for (const [path, value] of leaves(written)) expect(at(settings, path), path).toEqual(value)
    }),
    { numRuns: 300 }
  )
})

test("settings written to a file and read again are the same settings", () => {
  fc.assert(
    fc.property(configuration, (written) => {
      const settings = settingsOf({ toml: stringify(written) })
      const again = settingsOf({ toml: stringify(Schema.encodeSync(SettingsFile)({ ...settings, proxy: [] })) })
      expect(plain(again)).toEqual(plain(settings))
      expect(Equal.equals(again, settings)).toBe(true)
    }),
    { numRuns: 300 }
  )
})

test("any TOML at all gives settings or mistakes, never a crash", () => {
  const table = fc.letrec<{ readonly value: unknown; readonly table: Record<string, unknown> }>((tie) => ({
    value: fc.oneof(
      { depthSize: "small" },
      fc.string({ unit: "grapheme" }).filter((text) => text.isWellFormed()),
      fc.integer(),
      fc.double(),
      fc.boolean(),
      fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) }),
      fc.array(fc.integer(), { maxLength: 3 }),
      tie("table")
    ),
    table: fc.dictionary(
      fc.oneof(
        fc.constantFrom("server", "auth", "jwt", "port", "room", "pattern", "api", "keys", "__proto__", "constructor", "history", "limits"),
        fc.string({ unit: "grapheme" }).filter((text) => text.isWellFormed())
      ),
      tie("value"),
      { maxKeys: 4, noNullPrototype: true }
    )
  })).table
  fc.assert(
    fc.property(table, (values) => {
      const toml = stringify(values)
      const lines = mistakesIn({ toml })
      for (const line of lines) expect(line).toMatch(/^weft\.toml: \S.*$/)
      if (lines.length === 0) expect(Object.keys(parse(toml)).every((name) => name in SettingsFile.fields)).toBe(true)
    }),
    { numRuns: 1000 }
  )
  expect(Object.prototype).not.toHaveProperty("port")
})

test("no mistake or warning shows a secret, whatever is wrong with it", () => {
  const wrong = fc.constantFrom<(secret: string) => unknown>(
    (secret) => secret,
    (secret) => [secret],
    (secret) => ({ value: secret }),
    (secret) => `-----BEGIN ${secret}`
  )
  const hidden = fc.stringMatching(/^hush[a-z0-9 ]{1,12}$/)
  fc.assert(
    fc.property(hidden, wrong, (secret, spoil) => {
      const value = spoil(secret)
      const toml = stringify({
        auth: { jwt: { secret: value, public_key: value, jwks_url: value }, http: { url: `ftp://${secret}@h` } },
        api: { keys: [{ name: "a", key: value }] },
        nats: { servers: [value] }
      })
      const environment = { WEFT_AUTH_JWT_SECRET: secret, WEFT_AUTH_HTTP_URL: `http://u:${secret}@h`, WEFT_NATS_URL: secret }
      for (const sources of [{ toml }, { environment }, { toml, environment }]) {
        const lines = [...mistakesIn(sources), ...warningsIn(sources)]
        expect(lines.length).toBeGreaterThan(0)
        expect(lines.join("\n")).not.toContain("hush")
      }
    })
  )
  expect(mistakesIn({ toml: '[auth.jwt]\nsecret = "hush" "hush"' }).join()).not.toContain("hush")
})
