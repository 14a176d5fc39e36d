/** Which signature algorithms go with which kind of key (RFC 7518 section 3.1, RFC 8037). */
import { type KeyObject, X509Certificate, createPublicKey } from "node:crypto"
import { Result } from "effect"

const hmac = ["HS256", "HS384", "HS512"]
const rsa = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]
const edwards = ["EdDSA", "Ed25519"]
const curves: ReadonlyMap<string, string> = new Map([
  ["prime256v1", "ES256"],
  ["secp384r1", "ES384"],
  ["secp521r1", "ES512"]
])

/** Below this RSA keys are not accepted (RFC 7518 section 3.3). */
const MIN_RSA_BITS = 2048

export const secretAlgorithms: ReadonlyArray<string> = hmac
/** For keys from a JWKS: any that needs a public key, and never one that would take a public key for a shared secret. */
export const jwksAlgorithms: ReadonlyArray<string> = [...rsa, ...curves.values(), ...edwards]

const algorithmsOf = (key: KeyObject): Result.Result<ReadonlyArray<string>, string> => {
  const { modulusLength = 0, namedCurve = "" } = key.asymmetricKeyDetails ?? {}
  switch (key.asymmetricKeyType) {
    case "rsa":
      return modulusLength < MIN_RSA_BITS
        ? Result.fail(`is an RSA key of ${modulusLength} bits; at least ${MIN_RSA_BITS} are needed`)
        : Result.succeed(rsa)
    case "ec": {
      const algorithm = curves.get(namedCurve)
      return algorithm === undefined ? Result.fail(`is on the curve ${namedCurve}, which JWTs do not use`) : Result.succeed([algorithm])
    }
    case "ed25519":
      return Result.succeed(edwards)
    default:
      return Result.fail(`is of the kind ${String(key.asymmetricKeyType)}; RSA, EC and Ed25519 keys are supported`)
  }
}

export interface PublicKey {
  readonly key: KeyObject
  readonly algorithms: ReadonlyArray<string>
}

/**
 * Reads a public key: SubjectPublicKeyInfo, PKCS#1 or an X.509 certificate, as PEM. A private key is refused: it has no
 * business on a server that only verifies. Failures say what is wrong without repeating the text.
 */
export const publicKeyFromPem = (pem: string): Result.Result<PublicKey, string> => {
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem)) return Result.fail("is a private key; only its public half belongs here")
  const certificate = pem.includes("-----BEGIN CERTIFICATE-----")
  return Result.try({
    try: () => (certificate ? new X509Certificate(pem).publicKey : createPublicKey(pem)),
    catch: () => "is not a public key in PEM form"
  }).pipe(Result.flatMap((key) => algorithmsOf(key).pipe(Result.map((algorithms) => ({ key, algorithms })))))
}

/**
 * The algorithms to accept: those that the key can have, narrowed to `configured`. One that the key cannot have is a
 * mistake, not a silent exclusion.
 */
export const narrowAlgorithms = (
  possible: ReadonlyArray<string>,
  configured: ReadonlyArray<string> | undefined
): Result.Result<Array<string>, string> => {
  const foreign = configured?.find((algorithm) => !possible.includes(algorithm))
  if (foreign !== undefined) return Result.fail(`${foreign} does not go with this key; possible: ${possible.join(", ")}`)
  if (configured?.length === 0) return Result.fail("is empty: no token could ever be valid")
  return Result.succeed(possible.filter((name) => configured === undefined || configured.includes(name)))
}
