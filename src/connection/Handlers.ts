/** Methods that clients `call`, registered in the process. */
import { Cause, Duration, Effect, Result, Schema } from "effect"
import { defaultMaxDepth } from "../wire/Codec.ts"
import { type ErrorCode, errorCodes } from "../wire/Codes.ts"
import { toWireValue } from "../wire/Value.ts"

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

/** A method: how its input is checked, and what it does. Built by `handler`. */
export interface Handler {
  readonly run: (data: unknown, caller: Caller) => Effect.Effect<unknown, HandlerError>
}

export type Handlers = Readonly<Record<string, Handler>>

/** What `handle` may return: anything but an effect that needs services, which nobody would provide here. */
type Outcome<Out> = Out extends Effect.Effect<unknown, unknown, infer R> ? ([R] extends [never] ? Out : never) : Out

const isEffect = (outcome: unknown): outcome is Effect.Effect<unknown, unknown> => Effect.isEffect(outcome)

const isPromise = (outcome: unknown): outcome is PromiseLike<unknown> =>
  typeof outcome === "object" && outcome !== null && "then" in outcome && typeof outcome.then === "function"

const toEffect = (outcome: unknown): Effect.Effect<unknown, unknown> => {
  if (isEffect(outcome)) return outcome
  return isPromise(outcome) ? Effect.promise(() => outcome) : Effect.succeed(outcome)
}

/** A text that was cut may end in half of a surrogate pair, which no message can hold. */
const readable = (error: HandlerError): HandlerError =>
  error.message.isWellFormed() ? error : new HandlerError({ code: error.code, message: error.message.toWellFormed() })

const toHandlerError = (cause: Cause.Cause<unknown>): Effect.Effect<never, HandlerError> => {
  const failure = Cause.findError(cause)
  if (Result.isSuccess(failure) && failure.success instanceof HandlerError) return Effect.fail(readable(failure.success))
  if (Cause.hasInterruptsOnly(cause)) return Effect.interrupt
  const defect = Cause.squash(cause)
  if (defect instanceof HandlerError) return Effect.fail(readable(defect))
  return Effect.logError("a handler failed", cause).pipe(
    Effect.andThen(Effect.fail(new HandlerError({ code: "internal", message: "the handler failed" })))
  )
}

/**
 * Declares a method. `input` checks what the caller sent; `handle` may return a value, or its effect or promise. What a
 * message can hold becomes the `result` as `toWireValue` says: bytes as bytes, a `Date` as ISO text, `undefined` as null.
 *
 * A `HandlerError` reaches the caller as it is, thrown, failed or rejected with. Every other error, and a value that no
 * message can hold, is `internal` to the caller and a line in the log.
 *
 * @example
 * export default { add: handler({ input: Schema.Struct({ a: Schema.Number, b: Schema.Number }), handle: ({ a, b }) => Effect.succeed(a + b) }) }
 */
export const handler = <A, Out>(options: {
  readonly input: Schema.Codec<A, unknown>
  readonly handle: (input: A, caller: Caller) => Out & Outcome<Out>
}): Handler => {
  const decode = Schema.decodeUnknownEffect(options.input)
  return {
    run: (data, caller) =>
      decode(data).pipe(
        Effect.mapError((error) => new HandlerError({ code: "invalid_message", message: `data: ${error.message}`.slice(0, 200) })),
        Effect.flatMap((input) => toEffect(options.handle(input, caller))),
        Effect.catchCause(toHandlerError)
      )
  }
}

/** Runs a method within `timeout` seconds. Its result fits in a message of at most `maxDepth` levels, the message being the first. */
export const runHandler = (
  handlers: Handlers,
  method: string,
  data: unknown,
  caller: Caller,
  timeout: number,
  maxDepth: number = defaultMaxDepth
): Effect.Effect<unknown, HandlerError> => {
  const found = Object.hasOwn(handlers, method) ? handlers[method] : undefined
  if (found === undefined) return Effect.fail(new HandlerError({ code: "not_found", message: "no such method" }))
  return found.run(data, caller).pipe(
    Effect.map((result) => toWireValue(result, maxDepth - 1)),
    Effect.catchCause(toHandlerError),
    Effect.annotateLogs("method", method),
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
