/** What can go wrong between the gateway and a backend. The label `type` of `gateway_websocket_errors_total`. */

/** Each with whether it speaks against the target, unless whoever reports it knows better. */
const faults = {
  /** No TCP connection: refused, reset, unreachable. */
  connect: true,
  /** The connection, the handshake or the answer took too long. */
  timeout: true,
  /** It answered the upgrade with a status other than 101, or a request with one that `isDown`. Its good right, unless `isDown`. */
  refused: false,
  /** It sent what is no HTTP or no WebSocket, or accepted with the wrong key. */
  protocol: true,
  /** It was there and went away without a word: a close without a close frame, a ping without a pong. */
  lost: true,
  /** One side did not read as fast as the other sent. */
  slow: false,
  /** Its name does not resolve. */
  dns: true,
  /** Its certificate does not verify, or TLS failed otherwise. */
  tls: true,
  /** A message or a body was larger than the route allows. */
  too_large: false,
  /** No target could take the client. */
  unavailable: false
} as const

/**
 * Whether a status speaks against the target: it says itself that it can not serve now. A 500 does not, whoever sends it: it may
 * be about this request alone, and one client that knows how to cause it would close the target to all others.
 */
export const isDown = (status: number): boolean => status === 502 || status === 503 || status === 504

export type GatewayErrorType = keyof typeof faults

export const gatewayErrorTypes = Object.keys(faults) as ReadonlyArray<GatewayErrorType>

/** Whether an error of this type counts as a failure of the target, for its circuit breaker and its failure rate. */
export const isFault = (type: GatewayErrorType): boolean => faults[type]
