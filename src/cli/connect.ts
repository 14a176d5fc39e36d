import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { Failure, failure } from "./Failure.ts"
import { interact } from "./connect/Interactive.ts"
import { type Io, isInteractive } from "./connect/Io.ts"
import { feed } from "./connect/Pipe.ts"
import { clientFor, type ConnectOptions } from "./connect/Session.ts"
import { defaultTarget, targetOf } from "./connect/Target.ts"

/** Talks to a server until the input ends, or the server ends it. */
export const runConnect = (options: ConnectOptions, io: Io): Effect.Effect<void, Failure> =>
  Effect.acquireUseRelease(
    Effect.sync(() => clientFor(options)),
    (client) =>
      Effect.tryPromise({
        try: (signal) => (isInteractive(io) ? interact(client, options, io, signal) : feed(client, options, io, signal)),
        catch: (error) => (error instanceof Failure ? error : failure(String(error)))
      }),
    (client) => Effect.promise(() => client.close())
  )

const readTarget = (text: string) =>
  Effect.try({
    try: () => targetOf(text),
    catch: () => failure(`not a WebSocket address: ${text}`)
  })

/** `weft connect`: a conversation on a terminal, or messages through pipes. */
export const connect = Command.make(
  "connect",
  {
    url: Argument.String("url").pipe(
      Argument.withMetavar("URL"),
      Argument.withDescription(`The server's WebSocket address (${defaultTarget})`),
      Argument.withDefault(defaultTarget)
    ),
    rooms: Flag.String("room").pipe(
      Flag.withAlias("r"),
      Flag.withMetavar("ROOM"),
      Flag.withDescription("Join this room; several are possible, and lines are said in the last one"),
      Flag.atLeast(0)
    ),
    encoding: Flag.Literals("encoding", ["json", "msgpack"]).pipe(
      Flag.withDescription("The encoding on the wire (json)"),
      Flag.withDefault("json" as const)
    ),
    token: Flag.Redacted("token").pipe(
      Flag.withMetavar("TOKEN"),
      Flag.withDescription("The token to connect with. Others on this machine can see it"),
      Flag.optional
    ),
    name: Flag.String("name").pipe(Flag.withMetavar("NAME"), Flag.withDescription("Say lines under this name"), Flag.optional),
    raw: Flag.Boolean("raw").pipe(Flag.withDescription("Show every message as one line of JSON"), Flag.withDefault(false)),
    linger: Flag.Finite("linger").pipe(
      Flag.withMetavar("SECONDS"),
      Flag.withDescription("At the end of piped input, wait at most so long for outstanding replies (1)"),
      Flag.withDefault(1)
    )
  },
  Effect.fnUntraced(function* ({ url, rooms, encoding, token, name, raw, linger }) {
    const io: Io = { stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, env: process.env }
    const target = yield* readTarget(url)
    yield* runConnect(
      {
        ...{ target, rooms, encoding, raw, linger: Math.max(0, linger) * 1000 },
        ...{ token: Option.getOrUndefined(token), name: Option.getOrUndefined(name) }
      },
      io
    )
  })
).pipe(
  Command.withDescription(
    "Talk to a Weft server. On a terminal: type lines, /help lists the commands. Through pipes: each line of the input is a message " +
      "as JSON or text for the room, each message from the server is a line of JSON on the output."
  ),
  Command.withShortDescription("Talk to a server, by hand or through pipes"),
  Command.withExamples([
    { command: "weft connect --room lobby --name ada", description: "Talk in the room lobby" },
    { command: "echo hello | weft connect --room lobby", description: "Say one line" },
    { command: `echo '{"type":"status","id":1}' | weft connect`, description: "Send one message and see the reply" }
  ])
)
