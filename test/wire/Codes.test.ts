import { describe, expect, it } from "vitest"
import { closeCodes, errorCodes, isCloseCode, isErrorCode, shouldReconnect } from "../../src/wire/index.ts"
import { readProtocol } from "./vectors.ts"

describe("the table of codes", () => {
  it("has an HTTP status for every error", () => {
    for (const { status } of Object.values(errorCodes)) expect(status >= 400 && status < 600).toBe(true)
  })

  it("uses close codes that an application may use", () => {
    for (const code of Object.keys(closeCodes).map(Number))
      expect([1000, 1001, 1009].includes(code) || (code >= 4000 && code < 5000)).toBe(true)
  })

  it("fits the 123 bytes that a close frame has for its reason", () => {
    for (const { reason } of Object.values(closeCodes)) expect(new TextEncoder().encode(reason).length).toBeLessThanOrEqual(123)
  })

  it("knows its own codes and no names of Object.prototype", () => {
    expect(isErrorCode("invalid_message")).toBe(true)
    for (const name of ["constructor", "toString", "__proto__", ""]) expect(isErrorCode(name)).toBe(false)
    expect(isCloseCode(4408)).toBe(true)
    expect(isCloseCode(1006)).toBe(false)
  })

  it("sends a client back after a lost link and every close that says so", () => {
    expect(shouldReconnect(1006)).toBe(true)
    expect(shouldReconnect(4408)).toBe(true)
    expect(shouldReconnect(4401)).toBe(false)
  })
})

/** The rows of the table below a heading of the specification, cells without their backquotes. */
const rows = (heading: string): ReadonlyArray<ReadonlyArray<string>> => {
  const [, section = ""] = readProtocol("README.md").split(`\n## ${heading}\n`)
  const [table = ""] = section.split(/\n#+ /)
  return table
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll("`", ""))
    )
}

const yesNo = (value: boolean): string => (value ? "yes" : "no")

describe("the specification", () => {
  it("lists every error as the table of codes has it, and no other", () => {
    expect(rows("Errors").map(([code, status, retryable, meaning]) => [code, status, retryable, meaning])).toEqual(
      Object.entries(errorCodes).map(([code, { status, retryable, meaning }]) => [code, String(status), yesNo(retryable), meaning])
    )
  })

  it("lists every close code as the table of codes has it, and no other", () => {
    expect(rows("Close codes").map(([code, reason, reconnect]) => [code, reason, reconnect])).toEqual(
      Object.entries(closeCodes).map(([code, { reason, reconnect }]) => [code, reason, yesNo(reconnect)])
    )
  })
})
