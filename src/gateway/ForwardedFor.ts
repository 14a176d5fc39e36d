/** What a backend is told of the client's side of the connection: `X-Forwarded-*` and `Forwarded` (RFC 7239). Pure. */

/** Who sent a request, as the transport found out. */
export interface Sender {
  /** The other end of the TCP connection: canonical text of its address. */
  readonly peer: string
  /** It is a trusted proxy, and what it tells of the client is believed. */
  readonly trusted: boolean
  /** The client came over TLS, to this server or to the trusted proxy. */
  readonly secure: boolean
}

/** What these headers are made from: the request's own ones, as they arrived. Absent: undefined. */
export interface ForwardingInput {
  readonly host: string | undefined
  readonly forwardedFor: string | undefined
  readonly forwarded: string | undefined
  readonly forwardedHost: string | undefined
  readonly forwardedPort: string | undefined
}

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const plainIpv4 = /^\d{1,3}(?:\.\d{1,3}){3}$/

const quoted = (value: string): string => (token.test(value) ? value : `"${value.replace(/["\\]/g, "\\$&")}"`)

/** A node of `Forwarded`: IPv6 stands in brackets and quotes; what is no address is `unknown`. */
const forwardedNode = (node: string): string => {
  if (plainIpv4.test(node)) return node
  if (/^[0-9a-fA-F:.]+:[0-9a-fA-F:.]*$/.test(node) && node.includes(":", node.indexOf(":") + 1)) return `"[${node}]"`
  return /^(?:\[[0-9a-fA-F:.]+\]|[0-9.]+)(?::\d{1,5})?$/.test(node) ? quoted(node) : "unknown"
}

/** The same chain as `Forwarded`, for a proxy in front that writes the other header only. */
const asForwarded = (list: string): string =>
  list
    .split(",")
    .map((node) => `for=${forwardedNode(node.trim())}`)
    .join(", ")

/** The same chain as `X-Forwarded-For`. */
const asForwardedFor = (forwarded: string): string =>
  forwarded
    .split(",")
    .map((element) => /(?:^|;)\s*for\s*=\s*(?:"\[?([0-9a-fA-F:.]+)\]?(?::\d{1,5})?"|([0-9.]+))\s*(?:;|$)/i.exec(element))
    .map((match) => match?.[1] ?? match?.[2] ?? "unknown")
    .join(", ")

/** Of a list that several proxies wrote, what the one next to the client said. */
const firstOf = (list: string | undefined): string | undefined => {
  const first = list?.split(",", 1)[0]?.trim()
  return first === "" ? undefined : first
}

const hostName = /^[\w.\-:[\]%]+$/
const portOf = (host: string | undefined): string | undefined => /:(\d{1,5})$/.exec(host ?? "")?.[1]

/**
 * Sets the five headers. A peer that is not trusted is the client, and what it says of others is dropped: the headers begin
 * with it. A trusted one is appended to what it said; of `X-Forwarded-For` and `Forwarded` the one that it did not write is
 * made from the other, so that both tell the same chain. `X-Forwarded-Proto`, `-Host` and `-Port` are single values and mean
 * the client's own request; without a port in the host the port is the scheme's.
 */
export const setForwarding = (headers: Map<string, string>, sender: Sender, input: ForwardingInput): void => {
  const proto = sender.secure ? "https" : "http"
  const told = sender.trusted ? firstOf(input.forwardedHost) : undefined
  const host = told !== undefined && hostName.test(told) ? told : input.host
  const toldPort = sender.trusted ? firstOf(input.forwardedPort) : undefined
  const port = toldPort !== undefined && /^\d{1,5}$/.test(toldPort) ? toldPort : (portOf(host) ?? (sender.secure ? "443" : "80"))
  const about = `;${host === undefined || host === "" ? "" : `host=${quoted(host)};`}proto=${proto}`
  const hop = `for=${forwardedNode(sender.peer)}${about}`
  if (sender.trusted) {
    const { forwardedFor, forwarded } = input
    const list = forwardedFor ?? (forwarded === undefined ? undefined : asForwardedFor(forwarded))
    const standard = forwarded ?? (forwardedFor === undefined ? undefined : asForwarded(forwardedFor))
    headers.set("x-forwarded-for", list === undefined ? sender.peer : `${list}, ${sender.peer}`)
    headers.set("forwarded", standard === undefined ? hop : `${standard}, ${hop}`)
  } else {
    headers.set("x-forwarded-for", sender.peer)
    headers.set("forwarded", hop)
  }
  headers.set("x-forwarded-proto", proto)
  if (host !== undefined && host !== "") headers.set("x-forwarded-host", host)
  headers.set("x-forwarded-port", port)
}
