import { Redacted } from "effect"
import { describe, expect, it } from "vitest"
import { cookieSecret } from "../../src/gateway/CookieSecret.ts"

const secret = (text: string) => Redacted.make(text)
const none = { route: undefined, gateway: undefined, jwt: undefined }

describe("cookieSecret", () => {
  it("takes that of the route before that of the gateway before that of the tokens", () => {
    const [route, gateway, jwt] = [secret("route secret"), secret("gateway secret"), secret("jwt secret")]
    expect(cookieSecret({ route, gateway, jwt })).toEqual(cookieSecret({ ...none, route }))
    expect(cookieSecret({ route: undefined, gateway, jwt })).toEqual(cookieSecret({ ...none, gateway }))
    expect(cookieSecret({ ...none, jwt })).not.toEqual(cookieSecret({ ...none, gateway }))
  })

  it("derives 32 bytes that are not the secret itself", () => {
    const text = "0123456789abcdef0123456789abcdef"
    const derived = cookieSecret({ ...none, jwt: secret(text) })
    expect(derived).toHaveLength(32)
    expect(Buffer.from(derived ?? []).toString("latin1")).not.toBe(text)
  })

  it("has none where no secret is configured", () => {
    expect(cookieSecret(none)).toBeUndefined()
  })
})
