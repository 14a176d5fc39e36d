import fc from "fast-check"
import { Equal, Redacted, Schema } from "effect"
import { parse, stringify } from "smol-toml"
import { describe, expect, test } from "vitest"
import { keys, SettingsFile } from "../../src/config/Settings.ts"
import { configuration } from "./arbitrary.ts"
import { mistakesIn, settingsOf, warningsIn } from "./loading.ts"

/** Settings with secrets in clear, for comparison. */
const plain = (value: unknown): unknown => {
  if (Redacted.isRedacted(value)) return Redacted.value(value)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]))
}

const meaning = (path: string, value: unknown): unknown => {
  if (/\.(publish|presence)$/.test(path) && typeof value === "boolean") return value ? "members" : "none"
  if (path.endsWith(".sticky_sessions")) return value === true ? { by: "cookie", cookie: "weft_backend", ttl: 86_400 } : undefined
  return /\.targets\.\d+$/.test(path) ? { url: value, weight: 1, enabled: true } : value
}

/** Every leaf of `written` with its path, and what it means. */
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
      const again = settingsOf({ toml: stringify(Schema.encodeSync(SettingsFile)(settings)) })
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
        fc.constantFrom(
          "server",
          "auth",
          "jwt",
          "port",
          "room",
          "pattern",
          "api",
          "keys",
          "__proto__",
          "constructor",
          "history",
          "limits",
          "proxy",
          "targets",
          "url",
          "sticky_sessions",
          "add",
          "request_headers"
        ),
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

/** A table with `value` at `path` (`api.keys[].key`), as TOML. */
const tomlWith = (path: string, value: unknown): string =>
  stringify(
    path.split(".").reduceRight<{ [name: string]: unknown }>(
      (inner, part) => {
        const name = part.replace("[]", "")
        const held = "" in inner ? inner[""] : inner
        return { [name]: part.endsWith("[]") ? [held] : held }
      },
      { "": value }
    )
  )

describe("a secret is not shown in the place of", () => {
  const places = keys.filter(({ hidden }) => hidden).map(({ path }) => path)
  const spoilt: ReadonlyArray<unknown> = [
    "hush",
    ["hush"],
    [["hush"]],
    { a: "hush" },
    ["hush", { a: "hush" }],
    "-----BEGIN hush",
    "http://hush@"
  ]
  test.each(places)("%s", (path) => {
    for (const value of spoilt) {
      const toml = tomlWith(path, value)
      expect([...mistakesIn({ toml }), ...warningsIn({ toml })].join("\n"), toml).not.toContain("hush")
    }
    expect(tomlWith(path, "hush")).toContain("hush")
  })
  test("a variable", () => {
    const hush = {
      WEFT_AUTH_JWT_SECRET: "hush",
      WEFT_AUTH_JWT_PUBLIC_KEY: "hush",
      WEFT_AUTH_HTTP_URL: "http://u:hush@h",
      NATS_URL: "hush,,"
    }
    expect(mistakesIn({ environment: hush }).join("\n")).toMatch(/^environment: /)
    expect(mistakesIn({ environment: hush }).join("\n")).not.toContain("hush")
  })
  test("broken TOML", () => {
    expect(mistakesIn({ toml: '[auth.jwt]\nsecret = "hush" "hush"' }).join()).not.toContain("hush")
  })
  test("all that the contract keeps secret is among these places", () => {
    expect(places).toEqual(
      expect.arrayContaining([
        "auth",
        "auth.jwt",
        "auth.jwt.secret",
        "auth.http.url",
        "api",
        "api.keys",
        "api.keys[].key",
        "nats.servers",
        "gateway.secret",
        "proxy",
        "proxy[].targets",
        "proxy[].sticky_sessions.secret",
        "proxy[].request_headers.add"
      ])
    )
  })
})

test("every mistake is told, however many there are", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.stringMatching(/^zz[a-z]{1,8}$/), { minLength: 1, maxLength: 40 }), (names) => {
      const toml = names.map((name) => `[${name}]\n[[room]]\nmembers = "${name}"`).join("\n")
      const lines = mistakesIn({ toml })
      for (const [index, name] of names.entries()) {
        expect(lines.filter((line) => line.startsWith(`weft.toml: ${name}: unknown key`))).toHaveLength(1)
        expect(lines).toContain(`weft.toml: room[${index}].members: expected a whole number, 0 or more, found "${name}"`)
        expect(lines).toContain(`weft.toml: room[${index}].pattern: is missing`)
      }
      expect(lines).toHaveLength(names.length * 3)
    })
  )
})
