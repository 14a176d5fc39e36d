/** `weft serve`: the server. */
import { Effect, FileSystem, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { formatMistake } from "../config/Mistake.ts"
import { COMMAND_LINE, type FlagValue } from "../config/load.ts"
import * as Logging from "../observe/Logging.ts"
import { tuneEngine } from "./tuneEngine.ts"
import { failure, Failure, loadOrFail } from "./Failure.ts"
import * as flags from "./flags.ts"
import { missingBinary } from "./nativeBinary.ts"

const serveFlags = {
  config: flags.config,
  host: Flag.String("host").pipe(Flag.withMetavar("ADDRESS"), Flag.withDescription("Address to listen on (127.0.0.1)"), Flag.optional),
  port: Flag.Int("port").pipe(
    Flag.withAlias("p"),
    Flag.withMetavar("PORT"),
    Flag.withDescription("Port to listen on (8080)"),
    Flag.optional
  ),
  allowAnonymous: Flag.Boolean("allow-anonymous").pipe(
    Flag.withDescription("Listen on any address although no authentication is configured"),
    Flag.optional
  ),
  nats: Flag.String("nats").pipe(
    Flag.withMetavar("URL[,URL...]"),
    Flag.withDescription("Join the cluster on these NATS servers"),
    Flag.optional
  ),
  data: Flag.String("data").pipe(
    Flag.withMetavar("DIR"),
    Flag.withDescription("Keep on disk what must outlive the process"),
    Flag.optional
  ),
  handlers: Flag.File("handlers").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription("Module whose default export answers `call`"),
    Flag.optional
  ),
  logFormat: Flag.Literals("log-format", ["auto", "pretty", "json"]).pipe(
    Flag.withDescription("Form of log lines: pretty on a terminal and JSON elsewhere (auto), or always one of them"),
    Flag.optional
  ),
  logLevel: Flag.Literals("log-level", ["trace", "debug", "info", "warn", "error", "fatal", "none"]).pipe(
    Flag.withDescription("Least severe level that is logged (info)"),
    Flag.optional
  ),
  nodeId: Flag.String("node-id").pipe(Flag.withMetavar("ID"), Flag.withDescription("Name of this node"), Flag.optional)
}

const list = (text: string): ReadonlyArray<string> => text.split(",").map((item) => item.trim())

type Given = { readonly [K in keyof typeof serveFlags]: (typeof serveFlags)[K] extends Flag.Flag<infer A> ? A : never }

const values = (given: Given): ReadonlyArray<FlagValue> => [
  ...flags.setting("--host", "server.host", given.host),
  ...flags.setting("--port", "server.port", given.port),
  ...flags.setting("--allow-anonymous", "server.allow_anonymous", given.allowAnonymous),
  ...flags.setting("--nats", "nats.servers", Option.map(given.nats, list)),
  ...flags.setting("--data", "store.data", given.data),
  ...flags.setting("--log-format", "log.format", given.logFormat),
  ...flags.setting("--log-level", "log.level", given.logLevel),
  ...flags.setting("--node-id", "node.id", given.nodeId)
]

const handlersOption = Effect.fnUntraced(function* (file: Option.Option<string>) {
  if (Option.isNone(file)) return {}
  const found = yield* Effect.flatMap(FileSystem.FileSystem, (fs) => fs.exists(file.value)).pipe(Effect.orElseSucceed(() => false))
  const reason = `no such file: ${file.value}`
  return found
    ? { handlers: file.value }
    : yield* new Failure({ lines: [formatMistake({ source: COMMAND_LINE, key: "--handlers", reason })] })
})

/** Loaded only here, so that the other commands need no native code. */
const loadDaemon: Effect.Effect<typeof import("../daemon.ts"), Failure> = Effect.tryPromise({
  try: () => import("../daemon.ts"),
  catch: (error) => error
}).pipe(
  Effect.catch((error) => {
    const { arch, platform, versions } = process
    const text = missingBinary(error, { node: versions.node, platform, arch })
    return text === undefined ? Effect.die(error) : Effect.fail(failure(text))
  })
)

export const serve = Command.make(
  "serve",
  serveFlags,
  Effect.fnUntraced(function* (given) {
    tuneEngine()
    const sources = { ...flags.fileOption(given.config), flags: values(given) }
    const { settings, warnings } = yield* loadOrFail(sources)
    const files = yield* FileSystem.FileSystem
    const reload = loadOrFail(sources).pipe(
      Effect.mapBoth({ onSuccess: (loaded) => loaded.settings, onFailure: ({ lines }) => ({ message: lines.join("; ") }) }),
      Effect.provideService(FileSystem.FileSystem, files)
    )
    const options = yield* handlersOption(given.handlers)
    const daemon = yield* loadDaemon
    return yield* Effect.forEach(warnings, (warning) => Effect.logWarning(formatMistake(warning))).pipe(
      Effect.andThen(daemon.serve(settings, { ...options, ...(Option.isSome(given.config) ? { reload } : {}) })),
      Effect.catchTag("StartError", (error) => Effect.fail(failure(error.message))),
      Effect.provide(Logging.layer(settings.log))
    )
  })
).pipe(
  Command.withDescription(
    "Run the server. Settings come from the defaults, the file of --config, the environment (WEFT_SERVER_PORT, ...) and these flags, each over the one before. SIGTERM ends it in order; a second signal ends it at once. SIGHUP reads the file of --config again: targets of routes that are disabled in it, or gone, are drained, those that are back take clients."
  ),
  Command.withShortDescription("Run the server"),
  Command.withExamples([
    { command: "weft serve", description: "On 127.0.0.1:8080, everything in memory" },
    { command: "weft serve --config weft.toml --port 9000", description: "With a file, on another port" }
  ])
)
