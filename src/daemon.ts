/** The life of the process that serves: from its start to a signal, through hang-ups and failures that nobody caught. */
import { Deferred, Effect, type Scope } from "effect"
import { type RunningServer, StartError, startServer } from "./app.ts"
import type { Settings } from "./config/Settings.ts"
import { loadHandlers } from "./connection/loadHandlers.ts"

/**
 * What code outside of every actor, such as that of handlers, fails with. A rejection that nobody awaits is logged, for it
 * breaks nothing by itself. After an exception that nobody caught nothing is certain: the server drains and ends.
 */
const strayFailures: Effect.Effect<never, StartError, Scope.Scope> = Effect.gen(function* () {
  const fork = Effect.runForkWith(yield* Effect.context<never>())
  const fatal = yield* Deferred.make<never, StartError>()
  const onRejection = (reason: unknown): void => {
    fork(Effect.logError("a promise was rejected and nobody awaited it", reason))
  }
  const onException = (error: unknown): void => {
    fork(
      Effect.andThen(
        Effect.logError("an exception that nobody caught: the server drains and ends", error),
        Deferred.fail(fatal, new StartError({ message: "weft: ended by an exception that nobody caught" }))
      )
    )
  }
  yield* Effect.acquireRelease(
    Effect.sync(() => process.on("unhandledRejection", onRejection).on("uncaughtException", onException)),
    () => Effect.sync(() => process.off("unhandledRejection", onRejection).off("uncaughtException", onException))
  )
  return yield* Deferred.await(fatal)
})

/** At each SIGHUP the configuration is read again. One with mistakes in it changes nothing. */
const reloadAtHangUp = ({ reload }: RunningServer, read: Effect.Effect<Settings, Reported>): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    const fork = Effect.runForkWith(yield* Effect.context<never>())
    const again = read.pipe(
      Effect.map(reload),
      Effect.matchEffect({
        onSuccess: (later) =>
          Effect.logInfo("the configuration was read again").pipe(
            Effect.annotateLogs(later.length === 0 ? {} : { takes_a_restart: later.join("; ") })
          ),
        onFailure: ({ message }) => Effect.logError(`the configuration was read again and is not taken over: ${message}`)
      })
    )
    const onHangUp = (): void => void fork(again)
    yield* Effect.acquireRelease(
      Effect.sync(() => process.on("SIGHUP", onHangUp)),
      () => Effect.sync(() => process.off("SIGHUP", onHangUp))
    )
  })

/** Why something did not work, in words. */
interface Reported {
  readonly message: string
}

export interface MainOptions {
  /** The path of a module with methods. */
  readonly handlers?: string
  /** Reads the configuration again. Absent: it does not change. */
  readonly reload?: Effect.Effect<Settings, Reported>
}

/** The main job: serves until it is interrupted, then drains. */
export const serve = (settings: Settings, options: MainOptions = {}): Effect.Effect<never, StartError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const handlers =
        options.handlers === undefined
          ? {}
          : yield* loadHandlers(options.handlers).pipe(Effect.mapError(({ message }) => new StartError({ message })))
      const server = yield* startServer(settings, { handlers })
      const { node, url } = server
      if (options.reload !== undefined) yield* reloadAtHangUp(server, options.reload)
      yield* Effect.sync(() => process.stdout.write(`weft listening on ${url} (node ${node})\n`))
      return yield* strayFailures
    })
  )
