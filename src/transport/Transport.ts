/** The ports between the sockets and the actors. */
import type { Identity } from "../auth/Auth.ts"
import type { AddressEntry, UserEntry } from "../limits/Limits.ts"
import type { Encoding } from "../wire/Codec.ts"

/**
 * What became of a frame: `sent` to the kernel, `buffered` behind what the client has not read yet, or `dropped`
 * because the client is too far behind, or gone. Who sends decides what a dropped frame means.
 */
export type SendStatus = "sent" | "buffered" | "dropped"

/**
 * One client's WebSocket. Frames and publishes leave in the order of the calls. After `end`, or once the client is gone,
 * every call does nothing and `send` says `dropped`.
 */
export interface ClientSocket {
  /** Sends one frame, copying it before it returns. */
  send(frame: string | Uint8Array): SendStatus
  /** Sends bytes as a frame of either kind; those of a text frame must be UTF-8. */
  sendBytes(bytes: ArrayBuffer | Uint8Array, binary: boolean): SendStatus
  subscribe(topic: string): void
  unsubscribe(topic: string): void
  /** Runs `body`, whose sends leave in one write. False: the socket is closed, and nothing was done. */
  cork(body: () => void): boolean
  /** Publishes to every subscriber of the topic except this socket. False: it is closed, and nothing was published. */
  publish(topic: string, frame: string | Uint8Array, binary: boolean): boolean
  /** Bytes that wait for the client. */
  buffered(): number
  /** Sends what is buffered, then a close frame. */
  end(code: number, reason: string): void
  /** Closes at once, without a close frame. */
  terminate(): void
}

/** Publishes to all subscribers of a topic on this node. Frames to one subscriber keep their order with its direct sends. */
export interface Publisher {
  publish(topic: string, frame: string | Uint8Array, binary: boolean): void
}

/** A connection's place in the limits: what it shares with others of its address and user. Released once, at its end. */
export interface Seat {
  readonly address: AddressEntry
  readonly user: UserEntry | undefined
}

/** A client of the hub that passed the handshake. */
export interface Accepted {
  readonly identity: Identity
  readonly address: string
  readonly encoding: Encoding
  readonly batch: boolean
  /** The session that the client asks to take up again. */
  readonly session: string | undefined
  readonly seat: Seat
}

/**
 * What the transport tells of its sockets. `A` is what the handshake found out, `C` what the other side keeps for each
 * of them. Called on the event loop, one at a time; bytes are only valid during the call.
 */
export interface SocketHandler<A, C> {
  onOpen(socket: ClientSocket, accepted: A): C
  onFrame(connection: C, frame: ArrayBuffer, binary: boolean): void
  /** A published frame was skipped for this client, which is too far behind. */
  onDropped(connection: C, frame: ArrayBuffer, binary: boolean): void
  /** The client sent a ping, or else a pong, of the WebSocket protocol. */
  onAlive(connection: C, ping: boolean): void
  /** The client has read something: less is buffered than before. */
  onDrain(connection: C): void
  /** `reason` is what the client's close frame says, or, with 1006, what was wrong with the client's frames. */
  onClose(connection: C, code: number, reason: ArrayBuffer): void
}
