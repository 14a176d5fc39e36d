/** Tokens for tests, good and forged. */
import { createHmac, type KeyObject } from "node:crypto"
import { SignJWT, type JWTPayload } from "jose"

export const secret = "a secret of more than thirty-two bytes"

const base64url = (value: unknown): string => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url")

export const sign = (
  payload: JWTPayload,
  key: KeyObject | Uint8Array = Buffer.from(secret),
  header: { readonly alg: string; readonly kid?: string } = { alg: "HS256" }
): Promise<string> => new SignJWT(payload).setProtectedHeader({ ...header }).sign(key)

/** A token as no library would make it: any header, signed with an HMAC over any bytes as key. */
export const forge = (header: Record<string, unknown>, payload: unknown, key: string | Buffer): string => {
  const input = `${base64url(header)}.${base64url(payload)}`
  return `${input}.${createHmac("sha256", key).update(input).digest("base64url")}`
}

/** `alg: none` and no signature. */
export const unsigned = (payload: unknown, alg = "none"): string => `${base64url({ alg, typ: "JWT" })}.${base64url(payload)}.`
