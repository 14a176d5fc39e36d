/** Who is at the other end when proxies stand between. Pure. */
import { Option, Result } from "effect"
import { IpNetwork, NetAddress } from "effect/net"

/** Tells whether an address is one of the proxies whose word counts. */
export type TrustedProxies = (address: NetAddress.IpAddress) => boolean

const MAPPED_PREFIX = 96

const parseNetwork = (entry: string): Option.Option<IpNetwork.IpNetwork> => {
  const [, text, prefix] = /^([^/]+)(?:\/([0-9]{1,3}))?$/.exec(entry) ?? []
  const written = Option.getSuccess(NetAddress.ipFromString(text ?? ""))
  if (Option.isNone(written)) return Option.none()
  const address = NetAddress.toCanonical(written.value)
  const mapped = NetAddress.isIpv6Address(written.value) && NetAddress.isIpv4Address(address)
  const bits = prefix === undefined ? NetAddress.width(address) : Number(prefix) - (mapped ? MAPPED_PREFIX : 0)
  return Option.getSuccess(IpNetwork.make(address, bits))
}

const trustsNobody: TrustedProxies = () => false

const plainIpv4 = /^\d{1,3}(?:\.\d{1,3}){3}$/

/**
 * From networks in CIDR notation or single addresses. An entry that is neither trusts nobody. An IPv4-mapped network
 * means the IPv4 one, as addresses are compared in that form.
 */
export const trustedProxies = (entries: ReadonlyArray<string>): TrustedProxies => {
  if (entries.length === 0) return trustsNobody
  const networks = entries.flatMap((entry) => Option.toArray(parseNetwork(entry)))
  return (address) => networks.some((network) => IpNetwork.contains(network, address))
}

/** The headers by which proxies tell whom they speak for, as they arrived; repeated lines joined with commas in order. */
export interface ForwardingHeaders {
  readonly forwardedFor: string | undefined
  readonly forwarded: string | undefined
  readonly forwardedProto: string | undefined
}

/** Those headers of a request, by whatever holds its headers; names in lower case. */
export const forwardingHeaders = (get: (name: string) => string | undefined): ForwardingHeaders => ({
  forwardedFor: get("x-forwarded-for"),
  forwarded: get("forwarded"),
  forwardedProto: get("x-forwarded-proto")
})

export interface Client {
  /** Canonical text: IPv4 where it is one, IPv6 compressed. The socket's own text if that is no IP address. */
  readonly address: string
  /** A trusted proxy says that the client came over TLS. */
  readonly secure: boolean
  /** The other end of the TCP connection, in the same form as the address. */
  readonly peer: string
  /** The peer is a trusted proxy, and what it says of the client does not contradict itself. */
  readonly trusted: boolean
}

/** `address`, `address:port`, `[address]:port`; anything else, such as `unknown` or `_hidden`, is nobody. */
const parseNode = (text: string): NetAddress.IpAddress | undefined => {
  const bracketed = /^\[([^\]]*)\](?::[0-9]{1,5})?$/.exec(text)
  const bare = bracketed?.[1] ?? text.replace(/^([0-9.]+):[0-9]{1,5}$/, "$1")
  const parsed = NetAddress.ipFromString(bare)
  return Result.isSuccess(parsed) ? NetAddress.toCanonical(parsed.success) : undefined
}

interface Hop {
  readonly address: NetAddress.IpAddress | undefined
  readonly proto: string | undefined
}

/** A header that is absent is no list, one without elements an empty one. */
const split = (header: string | undefined): ReadonlyArray<string> | undefined => header?.split(",").map((element) => element.trim())

const hopsOfForwardedFor = (header: string | undefined): ReadonlyArray<Hop> | undefined =>
  split(header)?.map((element) => ({ address: parseNode(element), proto: undefined }))

const unquote = (value: string): string => (/^".*"$/.test(value) ? value.slice(1, -1) : value)

/** RFC 7239. Commas inside quotes do not occur in what is read here; where they do, the pieces are nobody. */
const hopsOfForwarded = (header: string | undefined): ReadonlyArray<Hop> | undefined =>
  split(header)?.map((element) => {
    const parameters = new Map(
      element.split(";").map((pair) => {
        const [name = "", value = ""] = pair.split("=", 2)
        return [name.trim().toLowerCase(), unquote(value.trim())] as const
      })
    )
    return { address: parseNode(parameters.get("for") ?? ""), proto: parameters.get("proto")?.toLowerCase() }
  })

interface Walk {
  readonly address: NetAddress.IpAddress
  /** How many entries were taken, from the right. */
  readonly taken: number
}

/**
 * Each proxy appends whom it heard from. The last entry is the word of the peer, the one before it the word of the last
 * entry's address, and so on: an entry counts only while whoever wrote it is trusted. Nonsense ends the walk at the proxy
 * that passed it on.
 */
const walk = (peer: NetAddress.IpAddress, hops: ReadonlyArray<Hop>, trusted: TrustedProxies): Walk => {
  let address = peer
  let taken = 0
  while (taken < hops.length && trusted(address)) {
    const told = hops[hops.length - 1 - taken]?.address
    if (told === undefined) break
    address = told
    taken++
  }
  return { address, taken }
}

/** What is said of the client's own link: the entry at its place, or the only one that proxies left who overwrite it. */
const protoOf = (protos: ReadonlyArray<string | undefined>, taken: number): string | undefined =>
  protos[Math.max(0, protos.length - Math.max(1, taken))]

const nobodyBetween = (peer: string): Client => ({ address: peer, secure: false, peer, trusted: false })

/**
 * The client's address and whether it came over TLS. Without a trusted peer that is the peer itself, whatever the headers
 * say. `X-Forwarded-For` and `Forwarded` are both read: proxies write one of them and pass the other on as the client sent
 * it, so where the two disagree neither is believed and the client is the peer.
 */
export const clientAddress = (socketAddress: string, headers: ForwardingHeaders, trusted: TrustedProxies): Client => {
  // Where no proxy is trusted, which is the common case, a socket's IPv4 address is canonical as it is.
  if (trusted === trustsNobody && plainIpv4.test(socketAddress)) return nobodyBetween(socketAddress)
  const peer = parseNode(socketAddress)
  if (peer === undefined) return nobodyBetween(socketAddress)
  const own = NetAddress.formatIp(peer)
  if (!trusted(peer)) return nobodyBetween(own)
  const listed = hopsOfForwardedFor(headers.forwardedFor)
  const standard = hopsOfForwarded(headers.forwarded)
  const byList = walk(peer, listed ?? standard ?? [], trusted)
  const byStandard = walk(peer, standard ?? listed ?? [], trusted)
  const agreed = NetAddress.formatIp(byList.address) === NetAddress.formatIp(byStandard.address)
  const protos = split(headers.forwardedProto)?.map((proto) => proto.toLowerCase())
  const proto = agreed
    ? protos === undefined
      ? protoOf(standard?.map((hop) => hop.proto) ?? [], byStandard.taken)
      : protoOf(protos, byList.taken)
    : undefined
  return {
    address: agreed ? NetAddress.formatIp(byList.address) : own,
    secure: proto === "https" || proto === "wss",
    peer: own,
    trusted: agreed
  }
}
