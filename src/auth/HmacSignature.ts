/** The signature of a JWT by a shared secret (RFC 7515 appendix A.1), checked where it stands. */
import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from "node:crypto"
import { decodeProtectedHeader, errors, type JWTPayload, type JWTVerifyOptions, UnsecuredJWT } from "jose"

/** The header of a token whose signature has been checked elsewhere. */
const unsecured = Buffer.from('{"alg":"none"}').toString("base64url")

export type HmacVerifier = (token: string, options: JWTVerifyOptions) => JWTPayload

/**
 * Verifies tokens by a secret, and throws the errors of `jose` that its own verification would.
 *
 * `jose` parses the token and judges its claims; only the hash is computed here. `jose` computes it in Web Crypto's thread
 * pool, which costs about five times as much processor time as the hash itself and delays every handshake by a round trip between threads.
 * Algorithms are those of `options`, and none but HS256, HS384 and HS512.
 */
export const hmacVerifier = (secret: Uint8Array): HmacVerifier => {
  const key: KeyObject = createSecretKey(secret)
  return (token, options) => {
    const header = decodeProtectedHeader(token)
    const [protectedHeader = "", payload = "", signature, ...more] = token.split(".")
    if (signature === undefined || more.length > 0) throw new errors.JWSInvalid("a compact JWS has three parts")
    const { alg } = header
    if (alg === undefined || options.algorithms?.includes(alg) !== true || !/^HS(?:256|384|512)$/.test(alg))
      throw new errors.JOSEAlgNotAllowed("the algorithm is not accepted")
    if (header.crit !== undefined) throw new errors.JOSENotSupported("critical header parameters are not supported")
    const expected = createHmac(alg.replace("HS", "sha"), key).update(`${protectedHeader}.${payload}`).digest()
    const given = Buffer.from(signature, "base64url")
    // Only the one spelling of a signature counts: the decoder is lenient.
    if (given.length !== expected.length || !timingSafeEqual(given, expected) || given.toString("base64url") !== signature)
      throw new errors.JWSSignatureVerificationFailed()
    return UnsecuredJWT.decode(`${unsecured}.${payload}.`, options).payload
  }
}
