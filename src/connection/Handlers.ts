/** Methods that clients `call`, registered in the process. */
import { Cause, Duration, Effect, Result, Schema } from "effect"
import { type ErrorCode, errorCodes } from "../wire/Codes.ts"

/** Who calls. */
export interface Caller {
  readonly connection: string
  readonly session: string
  readonly user: string | undefined
}

/** A failure that the caller is told in these words. Anything else that a handler fails with is `internal` to the caller. */
export class HandlerError extends Schema.TaggedError<HandlerError>()("HandlerError", {
  code: Schema.Literals(Object.keys(errorCodes) as [ErrorCode, ...Array<ErrorCode>]),
  message: Schema.String
}) {}

type Outcome = Effect.Effect<unknown, unknown> | PromiseLike<unknown>

/** A method: how its input is checked, and what it does. Built by `handler`. */
export interface Handler {
  readonly run: (data: unknown, caller: Caller) => Effect.Effect<unknown, HandlerError>
}

export type Handlers = Readonly<Record<string, Handler>>

const isEffect = (outcome: unknown): outcome is Effect.Effect<unknown, unknown> => Effect.isEffect(outcome)

const toHandlerError = (cause: Cause.Cause<unknown>): Effect.Effect<never, HandlerError> => {
  const failure = Cause.findError(cause)
  if (Result.isSuccess(failure) && failure.success instanceof HandlerError) return Effect.fail(failure.success)
  if (Cause.hasInterruptsOnly(cause)) return Effect.interrupt
  const defect = Cause.squash(cause)
  if (defect instanceof HandlerError) return Effect.fail(defect)
  return Effect.logError("a handler failed", cause).pipe(
    Effect.andThen(Effect.fail(new HandlerError({ code: "internal", message: "the handler failed" })))
  )
}

/**
 * Declares a method. `input` checks what the caller sent; `handle` may return a value's effect or promise. A `HandlerError`
 * reaches the caller as it is, also one that a promise rejects with.
 *
 * @example
 * export default { add: handler({ input: Schema.Struct({ a: Schema.Number, b: Schema.Number }), handle: ({ a, b }) => Effect.succeed(a + b) }) }
 */
export const handler = <A>(options: {
  readonly input: Schema.Codec<A, unknown>
  readonly handle: (input: A, caller: Caller) => Outcome
}): Handler => {
  const decode = Schema.decodeUnknownEffect(options.input)
  return {
    run: (data, caller) =>
      decode(data).pipe(
        Effect.mapError((error) => new HandlerError({ code: "invalid_message", message: `data: ${error.message}`.slice(0, 200) })),
        Effect.flatMap((input) =>
          Effect.suspend(() => {
            const outcome = options.handle(input, caller)
            return isEffect(outcome) ? outcome : Effect.promise(() => outcome)
          })
        ),
        Effect.catchCause(toHandlerError)
      )
  }
}

/** Runs a method within `timeout` seconds. */
export const runHandler = (
  handlers: Handlers,
  method: string,
  data: unknown,
  caller: Caller,
  timeout: number
): Effect.Effect<unknown, HandlerError> => {
  const found = Object.hasOwn(handlers, method) ? handlers[method] : undefined
  if (found === undefined) return Effect.fail(new HandlerError({ code: "not_found", message: "no such method" }))
  return found.run(data, caller).pipe(
    Effect.timeoutOrElse({
      duration: Duration.seconds(timeout),
      orElse: () => Effect.fail(new HandlerError({ code: "timeout", message: "the method took too long" }))
    })
  )
}

/** Whether a module's default export is a table of handlers. */
export const isHandlers = (value: unknown): value is Handlers =>
  typeof value === "object" &&
  value !== null &&
  Object.values(value).every(
    (entry: unknown) => typeof entry === "object" && entry !== null && "run" in entry && typeof entry.run === "function"
  )
