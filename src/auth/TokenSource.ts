/** Where in a handshake the token and the session stand (contract: header, subprotocol, query). Pure. */

/** Bytes of UTF-8. A longer token is refused before anything looks at it. */
export const MAX_TOKEN_BYTES = 8192
/** Characters. What this server gives out is far shorter. */
export const MAX_SESSION_LENGTH = 256

const TOKEN_PREFIX = "weft.token."
const SESSION_PREFIX = "weft.session."

/** The query parameter that carries the token. */
const TOKEN_PARAMETER = "token"

/** Where the two may stand. `query` has decoded values; of a repeated parameter the first. */
export interface Sources {
  readonly authorization: string | undefined
  readonly subprotocols: ReadonlyArray<string>
  readonly query: ReadonlyMap<string, string>
}

const nonEmpty = (text: string | undefined): string | undefined => (text === "" ? undefined : text)

/** The credentials of `Authorization: Bearer T` (RFC 6750 section 2.1); other schemes are not ours. */
const bearer = (authorization: string | undefined): string | undefined => {
  const match = /^bearer +(.*)$/i.exec(authorization?.trim() ?? "")
  return nonEmpty(match?.[1])
}

const suffix = (subprotocols: ReadonlyArray<string>, prefix: string): string | undefined =>
  subprotocols.find((name) => name.length > prefix.length && name.startsWith(prefix))?.slice(prefix.length)

/** The first token of: `Authorization: Bearer T`, subprotocol `weft.token.T`, `?token=T`. Empty ones count as absent. */
export const findToken = (sources: Sources): string | undefined =>
  bearer(sources.authorization) ?? suffix(sources.subprotocols, TOKEN_PREFIX) ?? nonEmpty(sources.query.get(TOKEN_PARAMETER))

/** The first session of: subprotocol `weft.session.S`, `?session=S`. */
export const findSession = (sources: Omit<Sources, "authorization">): string | undefined =>
  suffix(sources.subprotocols, SESSION_PREFIX) ?? nonEmpty(sources.query.get("session"))

/** Whether a subprotocol carries a token: where that is for this server, it is never logged, forwarded or answered. */
export const isTokenSubprotocol = (name: string): boolean => name.startsWith(TOKEN_PREFIX)

/** Whether a subprotocol carries a session. */
export const isSessionSubprotocol = (name: string): boolean => name.startsWith(SESSION_PREFIX)

/**
 * A query string (without `?`) less the parameters that carry a token: fit for backends that have no business with it. The
 * rest stays byte for byte. Names are compared decoded, so that `%74oken` does not slip through.
 */
export const withoutTokens = (query: string): string =>
  query
    .split("&")
    .filter((pair) => {
      const name = decodeFormText(pair.split("=", 1)[0] ?? "")
      return name !== undefined && name !== TOKEN_PARAMETER
    })
    .join("&")

/** Decodes one name or value of a form-encoded query; undefined if its escapes are malformed or no UTF-8. */
export const decodeFormText = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text.replaceAll("+", " "))
  } catch {
    return undefined
  }
}
