import { describe, expect, it } from "vitest"
import { type BackendFailure, failureOf } from "../../src/gateway/BackendFailure.ts"
import { gatewayErrorTypes } from "../../src/gateway/GatewayError.ts"

const error = (code: string, message = "what the library says") => Object.assign(new Error(message), { code })

describe("failureOf", () => {
  it.each<readonly [string, BackendFailure["type"], string]>([
    ["ECONNREFUSED", "connect", "connection refused"],
    ["EHOSTUNREACH", "connect", "no route to the host"],
    ["ENETUNREACH", "connect", "the network is unreachable"],
    ["EACCES", "connect", "no connection (EACCES)"],
    ["ETIMEDOUT", "timeout", "the connection timed out"],
    ["UND_ERR_CONNECT_TIMEOUT", "timeout", "the connection timed out"],
    ["UND_ERR_HEADERS_TIMEOUT", "timeout", "no answer in time"],
    ["UND_ERR_BODY_TIMEOUT", "timeout", "the answer stopped half-way"],
    ["ENOTFOUND", "dns", "the host name does not resolve"],
    ["EAI_AGAIN", "dns", "the host name cannot be resolved now"],
    ["ECONNRESET", "lost", "the backend closed the connection"],
    ["EPIPE", "lost", "the backend closed the connection"],
    ["UND_ERR_SOCKET", "lost", "the backend closed the connection"],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", "tls", "the certificate does not verify: what the library says"],
    ["CERT_HAS_EXPIRED", "tls", "the certificate does not verify: what the library says"],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "tls", "the certificate does not verify: what the library says"],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "tls", "the certificate does not verify: what the library says"],
    ["ERR_SSL_WRONG_VERSION_NUMBER", "tls", "TLS failed (ERR_SSL_WRONG_VERSION_NUMBER)"],
    ["HPE_INVALID_CONSTANT", "protocol", "the answer is not HTTP (HPE_INVALID_CONSTANT)"],
    ["HPE_HEADER_OVERFLOW", "protocol", "the header of the answer is too long"],
    ["UND_ERR_HEADERS_OVERFLOW", "protocol", "the header of the answer is too long"],
    ["ERR_OF_ANOTHER_KIND", "protocol", "what the library says"]
  ])("%s is %s: %s", (code, type, message) => {
    expect(failureOf(error(code))).toEqual({ type, message })
    expect(gatewayErrorTypes).toContain(type)
  })

  it("knows that OpenSSL speaks of TLS with the code of a protocol error", () => {
    expect(failureOf(error("EPROTO", "SSL routines:ssl3_read_bytes:tlsv1 alert")).type).toBe("tls")
    expect(failureOf(error("EPROTO", "write EPROTO")).type).toBe("connect")
  })

  it("takes the code of several addresses that all failed", () => {
    const both = Object.assign(new AggregateError([error("ECONNREFUSED"), error("ECONNREFUSED")]), { code: "ECONNREFUSED" })
    expect(failureOf(both)).toEqual({ type: "connect", message: "connection refused" })
  })

  it("has words for what has none", () => {
    expect(failureOf("boom")).toEqual({ type: "protocol", message: "an unknown failure" })
    expect(failureOf(new Error(""))).toEqual({ type: "protocol", message: "an unknown failure" })
    expect(failureOf(new Error("Invalid Upgrade header"))).toEqual({ type: "protocol", message: "Invalid Upgrade header" })
  })
})
