/** Every key of the configuration with its schema, default, unit and meaning, section by section. */
import { Schema, SchemaGetter } from "effect"
import { type KeyInfo, optionalSection, section, tables, withDefault } from "./Key.ts"
import { apiKeyRule, algorithmRule, networkRule, originRule, scopeRule, tokenRule, urlRule } from "./rules.ts"
import {
  bytes,
  choice,
  count,
  list,
  optionalList,
  optionalSecret,
  optionalText,
  optionalToggle,
  rate,
  requiredSecret,
  requiredText,
  seconds,
  secondsOrZero,
  text,
  toggle
} from "./values.ts"

export const Node = section(
  {
    id: optionalText("Name of this node, unique in its cluster. Default: `node-` and six random characters. Also `NODE_ID`.", {
      rule: tokenRule
    })
  },
  "This process."
)

export const Server = section(
  {
    host: text("127.0.0.1", "Address to listen on. Without authentication another address than loopback needs `allow_anonymous`."),
    port: count(8080, "Port to listen on. 0: a free port of the system's choice.", 0, 65_535),
    origins: list(
      [],
      "Origins of the pages that may connect, such as `https://app.example.com`; `https://*.example.com` is every name below the domain, `*` any origin. Empty: pages of the server's own host, and on a loopback address those of this machine. A request without an `Origin` header does not come from a page and is not held back.",
      { rule: originRule }
    ),
    trusted_proxies: list(
      [],
      "Networks (CIDR) or addresses of the proxies in front. Only they are believed who the client is (`X-Forwarded-For`, `Forwarded`).",
      { rule: networkRule }
    ),
    compression: toggle(false, "Offer permessage-deflate to clients. Costs memory and processor time for each connection."),
    allow_anonymous: toggle(false, "Listen on any address although no authentication is configured. Flag `--allow-anonymous`."),
    tls: optionalSection(
      {
        cert: requiredText("Path of the certificate chain, PEM. Relative paths start at the working directory."),
        key: requiredText("Path of the private key, PEM.")
      },
      "With this table the server speaks TLS only."
    )
  },
  "The listener."
)

const Jwt = optionalSection(
  {
    secret: optionalSecret("Shared secret of HS256, HS384 and HS512 tokens. 32 bytes or more."),
    public_key: optionalText("Public key of RS, PS, ES and EdDSA tokens: PEM text, or the path of a PEM file.", { hidden: true }),
    jwks_url: optionalText("Address of a JSON Web Key Set with the public keys.", { hidden: true, rule: urlRule }),
    issuer: optionalText("What the token's `iss` must be. Left out: not checked."),
    audience: optionalText("What the token's `aud` must be or contain. Left out: not checked."),
    algorithms: optionalList("Signature algorithms that are taken. Left out: those that fit the key.", { rule: algorithmRule }),
    leeway: secondsOrZero(0, "By how much clocks may differ when the token's times are checked.")
  },
  "JSON Web Tokens. Exactly one of `secret`, `public_key` and `jwks_url`."
)

const HttpValidator = optionalSection(
  {
    url: requiredText("Address that each token is sent to (POST).", { hidden: true, rule: urlRule }),
    timeout: seconds(3, "Time for an answer. Without one the connection is refused."),
    cache: secondsOrZero(30, "How long an answer is good for the same token. 0: every token is asked for every time.")
  },
  "A service of your own that says whose a token is. Beside `auth.jwt` it gets the tokens that do not look like a JSON Web Token."
)

export const Auth = section(
  {
    timeout: seconds(5, "Time for the authentication of one connection, all in all."),
    anonymous: optionalToggle(
      "Whether a client may connect without a token. Default: `true` when neither `auth.jwt` nor `auth.http` is configured, else `false`.",
      "see text"
    ),
    anonymous_server: list([], 'Server permissions of clients without a token, such as `"broadcast"`.'),
    jwt: Jwt,
    http: HttpValidator
  },
  "Who may connect."
)

export const Api = section(
  {
    keys: tables(
      "[[api.keys]]",
      {
        name: requiredText("Name of the key, for logs. Unique."),
        key: requiredSecret("The key itself, sent as `Authorization: Bearer KEY`. 16 characters or more.", apiKeyRule),
        scopes: list(["*"], 'What the key may do: `"read"`, `"publish"`, `"manage"`; `"*"` is everything.', { rule: scopeRule })
      },
      "One key of the server API. Not settable by environment or flag."
    )
  },
  "The server API. Without a key in the list it refuses every request."
)

export const Limits = section(
  {
    message: bytes(524_288, "Largest frame from a client. A larger one closes the connection (1009)."),
    room_name: count(128, "Longest room name, bytes of UTF-8.", 1, 1024),
    rooms: count(128, "Rooms that one connection may be in. 0: unlimited."),
    depth: count(64, "How deeply arrays and maps may be nested in a message.", 1, 512),
    connections: count(0, "Connections to this node. 0: unlimited."),
    connections_per_address: count(0, "Connections from one address, or one /64 of IPv6. 0: unlimited."),
    connections_per_user: count(0, "Connections of one user to this node. 0: unlimited."),
    rate: rate(0, "Messages that one connection may send. 0: unlimited."),
    rate_per_user: rate(0, "Messages that all connections of one user may send. 0: unlimited."),
    rate_per_address: rate(0, "Messages that all connections from one address, or one /64 of IPv6, may send. 0: unlimited."),
    burst: seconds(2, "How much of a rate may be used at once: this many seconds' worth."),
    buffer: bytes(1_048_576, "Bytes that a client may be behind before it counts as too slow."),
    calls: count(16, "Calls of one connection that wait for their result.", 1),
    call_timeout: seconds(10, "Time for the result of a call."),
    mailbox: count(1024, "Messages that wait for one connection or room inside the server.", 1),
    handshakes: count(10_000, "Connections that are being authenticated at one time.", 1)
  },
  "What a client may use. A client that passes a limit is told which."
)

export const Heartbeat = section(
  {
    interval: seconds(30, "How often the server sends a heartbeat on each connection."),
    timeout: seconds(60, "A connection without a frame from the client for this long is closed (4408). More than `interval`.")
  },
  "How dead connections are found."
)

export const Session = section(
  { ttl: secondsOrZero(120, "How long a session can be resumed after its connection was lost. 0: never.") },
  "Resuming after a lost connection. Not served by this version."
)

export const Drain = section(
  {
    period: secondsOrZero(
      10,
      "Time over which clients are sent away at SIGTERM, and which HTTP requests get for their answers (2 s at least). 0: all at once."
    )
  },
  "The orderly end."
)

export const Nats = section(
  {
    servers: list([], "Addresses of the NATS servers that join nodes to a cluster. Also `WEFT_NATS_URL`, `NATS_URL` and `--nats`.", {
      hidden: true
    })
  },
  "The bus of a cluster. Not served by this version."
)

export const Cluster = section(
  { name: text("weft", "Prefix of the subjects on NATS. Nodes with the same name form a cluster.", { rule: tokenRule }) },
  "What the nodes of a cluster share."
)

export const Store = section(
  { data: optionalText("Directory for what must outlive the process. Flag `--data`.") },
  "The store on disk. Not served by this version."
)

const publishRules = ["members", "anyone", "users", "token", "none"] as const
const presenceRules = ["members", "anyone", "none"] as const

/** `true` is written for "members" and `false` for "none". */
const fromBoolean = <R extends string>(value: R | boolean): R | "members" | "none" =>
  value === true ? "members" : value === false ? "none" : value

const rule = (choices: ReadonlyArray<string>, doc: string): KeyInfo => {
  const words = choices.map((word) => `"${word}"`).join(", ")
  return { kind: "any", type: `${words} or boolean`, expected: `one of ${words}, or true ("members") or false ("none")`, doc }
}

const Publish = Schema.Union([Schema.Boolean, Schema.Literals(publishRules)]).pipe(
  Schema.decodeTo(Schema.Literals(publishRules), {
    decode: SchemaGetter.transform(fromBoolean),
    encode: SchemaGetter.passthroughSubtype()
  })
)

const Presence = Schema.Union([Schema.Boolean, Schema.Literals(presenceRules)]).pipe(
  Schema.decodeTo(Schema.Literals(presenceRules), {
    decode: SchemaGetter.transform(fromBoolean),
    encode: SchemaGetter.passthroughSubtype()
  })
)

export const Rooms = tables(
  "[[room]]",
  {
    pattern: requiredText("Names that the block is for. `*` stands for any run of characters, everything else for itself."),
    join: choice(
      ["anyone", "users", "token", "none"],
      "anyone",
      "Who may join: anyone; connections with a user; those whose token's `rooms.join` names the room; nobody."
    ),
    publish: withDefault(
      Publish,
      "members",
      rule(
        publishRules,
        'Who may publish: those who joined; anyone, joined or not; connections with a user; those whose token\'s `rooms.publish` names the room; nobody but the server API. `true` is "members", `false` is "none".'
      )
    ),
    presence: withDefault(
      Presence,
      "members",
      rule(presenceRules, 'Who may ask who is in the room. `true` is "members", `false` is "none".')
    ),
    join_leave: toggle(false, "Tell the members when somebody joins or leaves."),
    members: count(0, "Connections that the room takes. 0: unlimited."),
    history: optionalSection(
      {
        size: count(100, "Messages that are kept.", 1),
        ttl: seconds(300, "How long a message is kept.")
      },
      "Keep the last messages. Not served by this version: the room works, requests for its history get `unavailable`."
    )
  },
  "Options of the rooms whose name fits `pattern`. The first block that fits counts; after the last one stands a built-in block with pattern `*` and the defaults below. Not settable by environment or flag."
)

export const Log = section(
  {
    level: choice(
      ["trace", "debug", "info", "warn", "error", "fatal", "none"],
      "info",
      "Least severe level that is written. Flag `--log-level`."
    ),
    format: choice(
      ["auto", "pretty", "json"],
      "auto",
      "Lines for people or JSON for machines. `auto`: pretty on a terminal, JSON elsewhere. Flag `--log-format`."
    )
  },
  "Log lines go to standard error."
)
