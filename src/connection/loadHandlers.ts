import { resolve } from "node:path"
import { pathToFileURL } from "node:url"
import { Data, Effect } from "effect"
import { type Handlers, isHandlers } from "./Handlers.ts"
import { provideOwnModules } from "./ownModules.ts"

export class HandlersError extends Data.TaggedError("HandlersError")<{ readonly message: string }> {}

/** Loads the module at `path`, whose default export is a table of methods. It may import `weft` and `effect` wherever it stands. */
export const loadHandlers = (path: string): Effect.Effect<Handlers, HandlersError> =>
  Effect.tryPromise({
    try: (): Promise<{ readonly default?: unknown }> => {
      provideOwnModules()
      return import(pathToFileURL(resolve(path)).href)
    },
    catch: (cause) => new HandlersError({ message: `${path}: ${cause instanceof Error ? cause.message : String(cause)}` })
  }).pipe(
    Effect.flatMap((module) =>
      isHandlers(module.default)
        ? Effect.succeed(module.default)
        : Effect.fail(
            new HandlersError({
              message: `${path}: the default export has to be a table of handlers, each made by handler({ input, handle })`
            })
          )
    )
  )
