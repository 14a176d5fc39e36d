import { parse } from "smol-toml"
import { describe, expect, test } from "vitest"
import { keys } from "../../src/config/Settings.ts"
import { loaded, mistakesIn, settingsOf, warningsIn } from "./loading.ts"
import { blocks, example, heading, keyRow, page } from "./page.ts"
import { certificate, privateKey } from "./pem.ts"

const files = { "/etc/weft/cert.pem": certificate, "/etc/weft/key.pem": privateKey }
const leaves = keys.filter((key) => key.fields === undefined)
const tables = keys.filter((key) => key.fields !== undefined)

describe("the page has every key with its type, default and meaning:", () => {
  test.each(leaves.map((key) => [key.path, key] as const))("%s", (_, key) => {
    const table = tables.findLast(({ path }) => key.path.replaceAll("[]", "").startsWith(`${path.replaceAll("[]", "")}.`))
    const start = table === undefined ? -1 : page.indexOf(`\n${heading(table)}\n`)
    expect(start, `the heading of ${key.path}`).toBeGreaterThan(0)
    const end = page.indexOf("\n### ", start + 1)
    expect(page.slice(start, end === -1 ? undefined : end).split("\n")).toContain(keyRow(key))
  })
})

test("the page has no key that the schema does not have", () => {
  const rows = page.slice(page.indexOf("\n## Keys\n")).match(/^\| `.*$/gm) ?? []
  expect(rows.toSorted()).toEqual(leaves.map(keyRow).toSorted())
})

test("the page says of every table what it is for", () => {
  for (const table of tables) expect(page).toContain(`\n${heading(table)}\n\n${table.doc}\n`)
})

describe("what the page shows is true:", () => {
  test.each(blocks("toml").map((text) => [text.split("\n")[0] ?? "", text] as const))(
    "the file that begins with %s is in order",
    (_, toml) => {
      expect(mistakesIn({ toml, files })).toEqual([])
      expect(warningsIn({ toml, files })).toEqual([])
    }
  )

  test("the variables are in order, and do what is said", () => {
    const [text = ""] = blocks("env")
    const environment = Object.fromEntries(
      text
        .trim()
        .split("\n")
        .map((line) => line.split(/=(.*)/s, 2))
    )
    const { settings, warnings } = loaded({ environment })
    expect(warnings).toEqual([])
    expect(settings.node.id).toBe("chat-1")
    expect(settings.server).toMatchObject({
      host: "0.0.0.0",
      origins: ["https://chat.example.com", "https://www.example.com"],
      trusted_proxies: ["10.0.0.0/8"]
    })
  })

  test("the mistakes read as shown", () => {
    const toml = '[server]\nprot = 1\n[[room]]\npattern = "a"\n[[room]]\npattern = "b"\npublish = "me"'
    const lines = mistakesIn({ toml, environment: { WEFT_HEARTBEAT_TIMEOUT: "10" } })
    expect(lines).toHaveLength(3)
    expect(page).toContain(`\n${lines.join("\n")}\n`)
  })
})

describe("the example file", () => {
  test("changes nothing as it is", () => {
    const node = { id: "same" }
    expect({ ...settingsOf({ toml: example }), node }).toEqual({ ...settingsOf({}), node })
  })

  const everything = example.replaceAll(/^#(?=\S)/gm, "")
  const paths = (value: unknown, path: string): ReadonlyArray<string> =>
    Array.isArray(value) && typeof value[0] === "object"
      ? value.flatMap((item) => paths(item, `${path}[]`))
      : typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length > 0
        ? Object.entries(value).flatMap(([name, inner]) => paths(inner, path === "" ? name : `${path}.${name}`))
        : [path]

  test("has every key", () => {
    const written = paths(parse(everything), "")
    expect(written.toSorted()).toEqual(leaves.map(({ path }) => path).toSorted())
  })

  test("has values that fit, with every line in force", () => {
    expect(mistakesIn({ toml: everything, files })).toEqual([
      "weft.toml: auth.jwt: auth.jwt has secret and public_key and jwks_url, but only one of them can count",
      "weft.toml: auth.jwt.public_key: the file that it names can not be read: no such file",
      "weft.toml: store.data: not served by this version: everything is kept in memory"
    ])
  })

  test("shows the defaults", () => {
    for (const { default: value, name } of leaves)
      if (value !== undefined && value !== "see text") expect(example).toContain(`\n#${name} = ${value}\n`)
  })
})
