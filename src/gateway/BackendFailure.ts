/** What an error of a connection to a backend means, in the gateway's words. */
import type { GatewayErrorType } from "./GatewayError.ts"

export interface BackendFailure {
  readonly type: Extract<GatewayErrorType, "connect" | "timeout" | "refused" | "protocol" | "lost" | "dns" | "tls">
  /** Short and in plain words, fit for a log line and the API. */
  readonly message: string
}

/** System errors (and undici's) that deserve better words than their own. */
const known: Readonly<Record<string, BackendFailure>> = {
  ECONNREFUSED: { type: "connect", message: "connection refused" },
  EHOSTUNREACH: { type: "connect", message: "no route to the host" },
  ENETUNREACH: { type: "connect", message: "the network is unreachable" },
  ETIMEDOUT: { type: "timeout", message: "the connection timed out" },
  ENOTFOUND: { type: "dns", message: "the host name does not resolve" },
  EAI_AGAIN: { type: "dns", message: "the host name cannot be resolved now" },
  ECONNRESET: { type: "lost", message: "the backend closed the connection" },
  EPIPE: { type: "lost", message: "the backend closed the connection" },
  UND_ERR_SOCKET: { type: "lost", message: "the backend closed the connection" },
  UND_ERR_CONNECT_TIMEOUT: { type: "timeout", message: "the connection timed out" },
  UND_ERR_HEADERS_TIMEOUT: { type: "timeout", message: "no answer in time" },
  UND_ERR_BODY_TIMEOUT: { type: "timeout", message: "the answer stopped half-way" },
  UND_ERR_HEADERS_OVERFLOW: { type: "protocol", message: "the header of the answer is too long" },
  HPE_HEADER_OVERFLOW: { type: "protocol", message: "the header of the answer is too long" }
}

/** How OpenSSL's verdicts on a certificate are named by Node. */
const CERTIFICATE =
  /^(?:CERT_|CRL_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|INVALID_(?:CA|PURPOSE)$|PATH_LENGTH_EXCEEDED|HOSTNAME_MISMATCH|ERR_TLS_CERT_)/

const codeOf = (error: Error): string => ("code" in error && typeof error.code === "string" ? error.code : "")

/** `error` as `undici`, Node or a socket of Node reports it. */
export const failureOf = (error: unknown): BackendFailure => {
  if (!(error instanceof Error)) return { type: "protocol", message: "an unknown failure" }
  const code = codeOf(error)
  const found = known[code]
  if (found !== undefined) return found
  if (CERTIFICATE.test(code)) return { type: "tls", message: `the certificate does not verify: ${error.message}` }
  if (/^ERR_(?:TLS|SSL)_/.test(code) || (code === "EPROTO" && /ssl|tls/i.test(error.message)))
    return { type: "tls", message: `TLS failed (${code})` }
  if (code.startsWith("HPE_") || error.name === "HTTPParserError")
    return { type: "protocol", message: `the answer is not HTTP${code === "" ? "" : ` (${code})`}` }
  // Node's other system errors, such as EACCES: their texts name the call and the address, never more than one line.
  if (/^E[A-Z0-9]+$/.test(code)) return { type: "connect", message: `no connection (${code})` }
  return { type: "protocol", message: error.message === "" ? "an unknown failure" : error.message }
}
