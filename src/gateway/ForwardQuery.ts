/** The query that goes on to a backend. Pure. */
import { withoutTokens } from "../auth/TokenSource.ts"

const escapes = /%([0-9a-fA-F]{2})/g

/** As the most lenient of backends would read it: valid escapes decoded, invalid ones left, one character per byte. */
const lenient = (text: string): string =>
  text.replaceAll("+", " ").replace(escapes, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))

/**
 * What a parameter name comes down to in the frameworks there are: letter case ignored, everything that is no letter or digit
 * one `_` and none at the ends (PHP reads `user.id` and ` user_id` as `user_id`, others cut at a NUL), and without the
 * brackets by which many merge parameters into one (`user_id[]`, `user_id[0]`, `[user_id]`).
 */
const essence = (name: string): string => {
  const open = /^[^0-9a-z]*/i.exec(name)?.[0].length ?? 0
  // oxlint-disable-next-line no-control-regex
  const end = name.slice(open).search(/[[\]\u0000]/)
  return (end === -1 ? name : name.slice(0, open + end))
    .toLowerCase()
    .replace(/[^0-9a-z]+/g, "_")
    .replace(/^_|_$/g, "")
}

/** Keeps the separators that it splits at: old parsers take `;` for `&`. */
const pieces = (query: string): ReadonlyArray<string> => query.match(/[&;]?[^&;]*/g)?.filter((piece) => piece !== "") ?? []

const nameOf = (piece: string): string => {
  const pair = /^[&;]/.test(piece) ? piece.slice(1) : piece
  const equals = pair.indexOf("=")
  return equals === -1 ? pair : pair.slice(0, equals)
}

/** What the parameter is compared by; undefined: it is not passed, so that no name is reserved. */
export const reservedParameter = (name: string): string | undefined => (name === "" ? undefined : essence(name))

/** `query` without every parameter that some backend might read as the reserved one. The rest stays byte for byte. */
export const withoutParameter = (query: string, reserved: string | undefined): string => {
  if (reserved === undefined || query === "") return query
  const parts = pieces(query)
  const kept = parts.filter((piece) => essence(lenient(nameOf(piece))) !== reserved)
  return kept.length === parts.length ? query : kept.join("").replace(/^[&;]/, "")
}

/** A value or name for a query. */
const encoded = (text: string): string => encodeURIComponent(text.toWellFormed())

export interface QueryOptions {
  /** The parameter that carries the user. Empty: none does. */
  readonly parameter: string
  /** Its `reservedParameter`. */
  readonly reserved: string | undefined
  /** The user that authentication found. */
  readonly user: string | undefined
  /** The client's token was for this server: it does not go on. */
  readonly withoutToken: boolean
}

/** The client's query (without `?`) as the backend gets it: the user's parameter says what authentication found, or is absent. */
export const forwardedQuery = (query: string, { parameter, reserved, user, withoutToken }: QueryOptions): string => {
  const own = withoutParameter(withoutToken && query !== "" ? withoutTokens(query) : query, reserved)
  if (user === undefined || parameter === "") return own
  return `${own}${own === "" ? "" : "&"}${encoded(parameter)}=${encoded(user)}`
}
