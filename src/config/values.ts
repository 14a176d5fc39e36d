/** The kinds of values that the configuration knows: each a schema with its unit, bounds and words. */
import { Schema } from "effect"
import { type KeyInfo, optional, required, withDefault } from "./Key.ts"

/** Says what is wrong with a value. */
export type Rule = (value: string) => string | undefined

interface Texts {
  readonly rule?: Rule
  readonly hidden?: boolean
}

const YEAR = 31_536_000
const GIB = 1_073_741_824

/** Text that is not empty and keeps to a rule, as a schema to build on. */
export const string = (rule?: Rule) => {
  const nonEmpty = Schema.String.check(Schema.isMinLength(1))
  return rule === undefined ? nonEmpty : nonEmpty.check(Schema.makeFilter(rule))
}

export const stringInfo = (doc: string, texts: Texts): KeyInfo => ({
  kind: "string",
  type: "string",
  expected: "a non-empty string",
  doc,
  hidden: texts.hidden === true
})

/** Text that is not empty; `rule` says what is wrong with a value. */
export const text = (fallback: string, doc: string, texts: Texts = {}) => withDefault(string(texts.rule), fallback, stringInfo(doc, texts))
export const optionalText = (doc: string, texts: Texts = {}) => optional(string(texts.rule), stringInfo(doc, texts))
export const requiredText = (doc: string, texts: Texts = {}) => required(string(texts.rule), stringInfo(doc, texts))

/** Text that may be empty, which has a meaning of its own; `rule` says what is wrong with any other. */
export const textOrEmpty = (fallback: string, doc: string, rule: Rule) =>
  withDefault(Schema.String.check(Schema.makeFilter((value: string) => (value === "" ? undefined : rule(value)))), fallback, {
    ...stringInfo(doc, {}),
    expected: "a string"
  })

/** A secret: `Redacted` from here on. */
export const optionalSecret = (doc: string, rule?: Rule) =>
  optional(Schema.RedactedFromValue(string(rule)), stringInfo(doc, { hidden: true }))
export const requiredSecret = (doc: string, rule?: Rule) =>
  required(Schema.RedactedFromValue(string(rule)), stringInfo(doc, { hidden: true }))

const listInfo = (doc: string, texts: Texts): KeyInfo => ({
  kind: "list",
  type: "list of strings",
  expected: "a list of non-empty strings",
  doc,
  hidden: texts.hidden === true
})

export const list = (fallback: ReadonlyArray<string>, doc: string, texts: Texts = {}) =>
  withDefault(Schema.Array(string(texts.rule)), fallback, listInfo(doc, texts))
export const optionalList = (doc: string, texts: Texts = {}) => optional(Schema.Array(string(texts.rule)), listInfo(doc, texts))

const oneOf = (choices: ReadonlyArray<string>) => choices.map((choice) => `"${choice}"`).join(", ")

/** One word of a few. */
export const choice = <const C extends readonly [string, ...Array<string>]>(choices: C, fallback: C[number], doc: string) =>
  withDefault(Schema.Literals(choices), fallback, {
    kind: "string",
    type: oneOf(choices),
    expected: `one of ${oneOf(choices)}`,
    doc
  })

export const toggle = (fallback: boolean, doc: string) =>
  withDefault(Schema.Boolean, fallback, { kind: "boolean", type: "boolean", expected: "true or false", doc })

export const optionalToggle = (doc: string, fallback: string) =>
  optional(Schema.Boolean, { kind: "boolean", type: "boolean", expected: "true or false", default: fallback, doc })

const number = (type: string, expected: string, doc: string): KeyInfo => ({ kind: "number", type, expected, doc })

/** A whole number of something that is counted, from `min` (default 0) to `max`. */
export const count = (fallback: number, doc: string, min = 0, max?: number) =>
  withDefault(
    max === undefined
      ? Schema.Int.check(Schema.isGreaterThanOrEqualTo(min))
      : Schema.Int.check(Schema.isGreaterThanOrEqualTo(min), Schema.isLessThanOrEqualTo(max)),
    fallback,
    number("integer", max === undefined ? `a whole number, ${min} or more` : `a whole number from ${min} to ${max}`, doc)
  )

/** A share of a whole, from 0 to 1. */
export const share = (fallback: number, doc: string) =>
  withDefault(
    Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0), Schema.isLessThanOrEqualTo(1)),
    fallback,
    number("number, 0 to 1", "a number from 0 to 1", doc)
  )

/** A whole number of bytes, 1 byte to 1 GiB. */
export const bytes = (fallback: number, doc: string) =>
  withDefault(
    Schema.Int.check(Schema.isGreaterThanOrEqualTo(1), Schema.isLessThanOrEqualTo(GIB)),
    fallback,
    number("integer, bytes", `a whole number of bytes from 1 to ${GIB}`, doc)
  )

const duration = Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0), Schema.isLessThanOrEqualTo(YEAR))
const positiveDuration = Schema.Finite.check(Schema.isGreaterThan(0), Schema.isLessThanOrEqualTo(YEAR))

/** Seconds, fractions allowed, more than 0 and at most a year. */
export const seconds = (fallback: number, doc: string) =>
  withDefault(positiveDuration, fallback, number("number, seconds", "a number of seconds, more than 0 and at most a year", doc))

/** As `seconds`, but 0 has a meaning too. */
export const secondsOrZero = (fallback: number, doc: string) =>
  withDefault(duration, fallback, number("number, seconds", "a number of seconds, from 0 to a year", doc))

/** A rate in events a second, 0 for none. */
export const rate = (fallback: number, doc: string) =>
  withDefault(
    Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0)),
    fallback,
    number("number, messages a second", "a number, 0 or more", doc)
  )
