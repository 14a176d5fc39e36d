import { isIP } from "node:net"
import { buildConnector, type Dispatcher, Pool } from "undici"

/** Bytes that the head of an answer may have, and its trailers. */
const maxHead = 32 * 1024

export interface UpstreamOptions {
  /** Seconds for a connection, TLS included. */
  readonly connectTimeout: number
  /** Seconds without a byte of an answer. */
  readonly timeout: number
  /** Connections there may be, and so requests under way. */
  readonly connections: number
}

/** One request as it is sent. */
export interface UpstreamRequest {
  readonly method: string
  /** Path and query below the target's own path. */
  readonly path: string
  readonly headers: ReadonlyMap<string, string>
  readonly body: ReadableStream<Uint8Array> | undefined
}

const unsafe = /[^!-~]|#/g

/** As bytes that may stand in a request line; what is escaped already stays. */
const escaped = (path: string): string => (/[^!-~]|#/.test(path) ? path.toWellFormed().replace(unsafe, encodeURIComponent) : path)

/**
 * The HTTP/1.1 connections to one target: kept open between requests, one request at a time on each. Redirects are not
 * followed and nothing is decoded. A certificate has to be good for the name in the target's URL, whatever `Host` says.
 */
export class Upstream {
  /** Requests under way. */
  inFlight = 0
  readonly #connections: number
  readonly #pool: Pool
  readonly #base: string
  readonly #serverName: string

  constructor(target: URL, { connections, connectTimeout, timeout }: UpstreamOptions) {
    const hostname = target.hostname.replace(/^\[|\]$/g, "")
    // No name, no SNI for an address (RFC 6066, section 3).
    const servername = isIP(hostname) === 0 ? hostname : undefined
    const connect = buildConnector({ timeout: connectTimeout * 1000, allowH2: false })
    const secure = target.protocol === "https:" || target.protocol === "wss:"
    this.#connections = connections
    this.#base = target.pathname.replace(/\/+$/, "")
    this.#serverName = hostname
    this.#pool = new Pool(`${secure ? "https" : "http"}://${target.host}`, {
      connections,
      pipelining: 1,
      allowH2: false,
      maxHeaderSize: maxHead,
      headersTimeout: timeout * 1000,
      bodyTimeout: timeout * 1000,
      connect: ({ servername: _, ...options }, callback) =>
        connect(servername === undefined ? options : { ...options, servername }, callback)
    })
  }

  /** All connections are in use: a request would wait in line, for as long as others take. */
  get full(): boolean {
    return this.inFlight >= this.#connections
  }

  /** What goes wrong is told to the handler, perhaps before this returns. */
  dispatch({ body, headers, method, path }: UpstreamRequest, handler: Dispatcher.DispatchHandler): void {
    const options = {
      // undici compares this one with that of the connection, and would take it from `Host`.
      servername: this.#serverName,
      method: method as Dispatcher.HttpMethod,
      path: this.#base + escaped(path),
      headers: [...headers].flat(),
      body: body ?? null
    }
    this.#pool.dispatch(options as Dispatcher.DispatchOptions, handler)
  }

  /** Cuts all connections. */
  close(): Promise<void> {
    return this.#pool.destroy()
  }
}
