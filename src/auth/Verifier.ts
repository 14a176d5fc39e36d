import type { Effect, Redacted } from "effect"
import type { AuthError, AuthRequest, Identity } from "./Auth.ts"

/**
 * One way to tell who a token belongs to. `request` is absent when a token is refreshed inside a connection. A verifier
 * answers an identity that is valid now, or refuses; it has a time limit of its own on everything that it waits for.
 */
export interface Verifier {
  /** Whether it may have to ask others. One that does not needs no time limit, which is the dearest part of a quick check. */
  readonly asksOthers: boolean
  readonly verify: (
    token: Redacted.Redacted<string>,
    request: Pick<AuthRequest, "address" | "path"> | undefined
  ) => Effect.Effect<Identity, AuthError>
}
