/**
 * The server inside another program: read settings, register methods, start it in a scope.
 *
 * @example
 * const program = Effect.gen(function* () {
 *   const { settings } = yield* loadSettings({ values: { server: { port: 9000 } } })
 *   const add = handler({ input: Schema.Struct({ a: Schema.Number, b: Schema.Number }), handle: ({ a, b }) => Effect.succeed(a + b) })
 *   const server = yield* startServer(settings, { handlers: { add } })
 *   yield* Effect.logInfo(server.url)
 *   return yield* Effect.never
 * })
 * NodeRuntime.runMain(program.pipe(Effect.scoped, Effect.provide(NodeServices.layer)))
 */
export { type RunningServer, type ServeOptions, StartError, startServer } from "./app.ts"
export { AuthError, type AuthRequest, type Identity, type RoomGrants } from "./auth/Auth.ts"
export type { Claims } from "./auth/Claims.ts"
export type { AuthFunction } from "./auth/FunctionAuth.ts"
export { load as loadSettings, type Loaded, type LoadOptions } from "./config/load.ts"
export { ConfigError, formatMistake, type Mistake } from "./config/Mistake.ts"
export type { RoomBlock, Settings, SettingsInput } from "./config/Settings.ts"
export { type Caller, handler, HandlerError, type Handler, type Handlers } from "./connection/Handlers.ts"
export { version } from "./cli/version.ts"
