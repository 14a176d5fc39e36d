import { generateKeyPairSync } from "node:crypto"
import { Result } from "effect"
import { describe, expect, it } from "vitest"
import { jwksAlgorithms, narrowAlgorithms, publicKeyFromPem } from "../../src/auth/JwtKeys.ts"

const pairs = {
  rsa: generateKeyPairSync("rsa", { modulusLength: 2048 }),
  weak: generateKeyPairSync("rsa", { modulusLength: 1024 }),
  p256: generateKeyPairSync("ec", { namedCurve: "P-256" }),
  p384: generateKeyPairSync("ec", { namedCurve: "P-384" }),
  p521: generateKeyPairSync("ec", { namedCurve: "P-521" }),
  bitcoin: generateKeyPairSync("ec", { namedCurve: "secp256k1" }),
  ed25519: generateKeyPairSync("ed25519"),
  x25519: generateKeyPairSync("x25519")
}

const pem = (name: keyof typeof pairs): string => pairs[name].publicKey.export({ type: "spki", format: "pem" }).toString()
const problem = (text: string): string => Result.match(publicKeyFromPem(text), { onFailure: (found) => found, onSuccess: () => "accepted" })

describe("publicKeyFromPem", () => {
  it.each([
    ["rsa", ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]],
    ["p256", ["ES256"]],
    ["p384", ["ES384"]],
    ["p521", ["ES512"]],
    ["ed25519", ["EdDSA", "Ed25519"]]
  ] as const)("a key of the kind %s goes with %j", (name, algorithms) => {
    expect(Result.getOrThrow(publicKeyFromPem(pem(name))).algorithms).toEqual(algorithms)
  })

  it("reads PKCS#1 too", () => {
    expect(problem(pairs.rsa.publicKey.export({ type: "pkcs1", format: "pem" }).toString())).toBe("accepted")
  })

  it.each([
    ["a weak RSA key", pem("weak"), "1024 bits"],
    ["a curve that JWTs do not use", pem("bitcoin"), "secp256k1"],
    ["a key that cannot sign", pem("x25519"), "x25519"],
    ["text", "-----BEGIN PUBLIC KEY-----\nsesame\n-----END PUBLIC KEY-----", "not a public key"],
    ["a broken certificate", "-----BEGIN CERTIFICATE-----\nsesame\n-----END CERTIFICATE-----", "not a public key"],
    ["a private key", pairs.rsa.privateKey.export({ type: "pkcs8", format: "pem" }).toString(), "private key"],
    ["a private key of another form", pairs.p256.privateKey.export({ type: "sec1", format: "pem" }).toString(), "private key"]
  ])("refuses %s, without repeating it", (_, text, expected) => {
    expect(problem(text)).toContain(expected)
    expect(problem(text)).not.toContain("sesame")
  })
})

describe("narrowAlgorithms", () => {
  const possible = ["ES256"]

  it.each<readonly [configured: ReadonlyArray<string> | undefined, accepted: ReadonlyArray<string> | string]>([
    [undefined, ["ES256"]],
    [["ES256"], ["ES256"]],
    [["HS256"], "HS256 does not go"],
    [["ES256", "none"], "none does not go"],
    [[], "is empty"]
  ])("%j: %s", (configured, accepted) => {
    const result = narrowAlgorithms(possible, configured)
    if (typeof accepted === "string") expect(Result.isFailure(result) && result.failure).toContain(accepted)
    else expect(Result.getOrThrow(result)).toEqual(accepted)
  })

  it("has nothing symmetric for a JWKS", () => {
    expect(jwksAlgorithms.filter((name) => name.startsWith("HS") || name === "none")).toEqual([])
  })
})
