import { type ErrorCode, errorCodes } from "../wire/Codes.ts"

/**
 * A small answer whose body is already there. The transport sends it in one piece, without the stream that every web
 * `Response` with a body has. Header names are in lower case.
 */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
}

/** Header lines in order. Names are in lower case and may come more than once; values have one character per byte. */
export type HeaderLines = Iterable<readonly [name: string, value: string]>

/** Where the body of a `Relay` goes. After `end`, `fail`, or once the client is gone, every call does nothing. */
export interface RelaySink {
  /** Takes the chunk and keeps it until it is sent. False: the client is behind, and `onDrain` tells when to go on. */
  write(chunk: Uint8Array): boolean
  /** The body is complete. One that has not the announced length is treated as failed. */
  end(): void
  /** The body can not be completed. The client gets `instead` if nothing was sent yet, else its connection is cut. */
  fail(instead: Answer): void
}

/** What a `Relay`'s source is told. */
export interface RelaySource {
  /** More is wanted. */
  onDrain(): void
}

/**
 * An answer whose body is pushed as it comes, without the cost of a web stream. When the client goes away, that is told to
 * `ClientSide.onGone`.
 */
export interface Relay {
  readonly status: number
  readonly headers: HeaderLines
  /** Bytes of the body. Undefined: not known, it goes out chunked. */
  readonly length: number | undefined
  /**
   * Sent at once where the body has not begun yet. An answer of unknown length can not begin without a part of its body:
   * uWebSockets.js has no way to do it. Status and headers of one of known length go out at once in any case.
   */
  readonly opening: Uint8Array | undefined
  /** Called once, when the sink is ready. What is written during the call goes out together with status and headers. */
  readonly attach: (sink: RelaySink) => RelaySource
}

/** One request, for who answers it without a web `Request`. */
export interface HttpArrival {
  /** As the client wrote it. */
  readonly method: string
  /** Path and query as the client sent them. */
  readonly target: string
  /** Names in lower case, repeated lines joined; values have one character per byte. */
  readonly headers: ReadonlyMap<string, string>
  /** The client's address as text; `peer` is the other end of the connection, in the same form. */
  readonly address: string
  readonly peer: string
  /** The peer is a trusted proxy whose word counts. */
  readonly trusted: boolean
  /** The client came over TLS, to this server or to the trusted proxy. */
  readonly secure: boolean
  readonly requestId: string
  /** Whether the framing announces a body. */
  readonly hasBody: boolean
}

/** The client's side of one request that an `HttpRoute` answers. */
export interface ClientSide {
  /** Fails when the client goes away in the middle, or the body grows too long. Undefined: the request has none. */
  readonly body: ReadableStream<Uint8Array> | undefined
  /** `listener` is called once when the client is gone, also if it is gone by now, or when its body is refused. */
  readonly onGone: (listener: () => void) => void
}

/** Who answers one request directly. */
export interface HttpRoute {
  /** Bytes that the body may have; 0: any number. More is answered 413. */
  readonly maxBody: number
  /** Seconds that the client may neither send of its body nor read of its answer. */
  readonly patience: number
  readonly handle: (client: ClientSide) => Answer | Relay | Promise<Answer | Relay>
}

/** What the transport knows of a request beside the web `Request`. */
export interface HttpInfo {
  /** The client's address as text. */
  readonly address: string
  /** The client's own `X-Request-Id` if it is sane, else a new one. It is in the request's headers too, and in the answer's. */
  readonly requestId: string
  /** Path and query as the client sent them: the URL of a `Request` has its dot segments removed. */
  readonly target: string
}

/**
 * Answers one request. `Request.signal` aborts when the client is gone. A handler that answers at once, without a promise,
 * is answered in the same turn. One that throws or rejects is answered 500.
 */
export type HttpHandler = (request: Request, info: HttpInfo) => Answer | Response | Promise<Answer | Response>

/** `body` as JSON. */
export const jsonAnswer = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Answer => ({
  status,
  headers: { "content-type": "application/json", ...headers },
  body: JSON.stringify(body)
})

/** The JSON `{code, message}` that every refusal outside of the server API has. `status` is the code's own unless given. */
export const errorAnswer = (
  code: ErrorCode,
  message: string,
  options: { readonly status?: number; readonly headers?: Readonly<Record<string, string>> } = {}
): Answer => jsonAnswer(options.status ?? errorCodes[code].status, { code, message }, options.headers)
