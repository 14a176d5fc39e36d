import * as MessagePack from "@msgpack/msgpack"
import { atEnd } from "../support/cleanup.ts"
import { eventually } from "../support/eventually.ts"
import { codecOf } from "../../src/web/codec.js"
import type { Conversation } from "../../src/web/conversations.js"
import type { Frame, LinkState } from "../../src/web/link.js"
import { Session } from "../../src/web/session.js"
import type { FakeHub } from "./fakeHub.ts"

// The page has the library from a script of its own; its modules find it under this name.
Object.assign(globalThis, { MessagePack })

export interface Visit {
  readonly session: Session
  readonly states: Array<LinkState>
  readonly frames: Array<Frame>
  readonly problems: Array<string>
  readonly until: (phase: LinkState["phase"]) => Promise<unknown>
  /** The room, once it is joined. */
  readonly joined: (name: string) => Promise<Conversation>
}

export interface VisitOptions {
  readonly encoding?: "json" | "msgpack"
  readonly name?: string
  readonly token?: string
  readonly rooms?: ReadonlyArray<string>
  readonly there?: "ready" | "busy" | "away"
  readonly visible?: () => boolean
}

/** A session of the page against a hub, without the page. Ended with the test file. */
export const visit = (hub: Pick<FakeHub, "port">, options: VisitOptions = {}): Visit => {
  const states: Array<LinkState> = []
  const frames: Array<Frame> = []
  const problems: Array<string> = []
  const session = new Session({
    url: `ws://127.0.0.1:${hub.port}/ws`,
    codec: codecOf(options.encoding ?? "json"),
    token: options.token ?? "",
    name: options.name ?? "",
    rooms: options.rooms ?? ["lobby"],
    open: options.rooms?.[0] ?? "lobby",
    isThere: async () => options.there ?? "ready",
    isVisible: options.visible ?? (() => true),
    onChange: () => undefined,
    onState: (state) => states.push(state),
    onFrame: (frame) => frames.push(frame),
    onProblem: (text) => problems.push(text)
  })
  atEnd(() => session.stop())
  session.connect()
  return {
    session,
    states,
    frames,
    problems,
    until: (phase) => eventually(() => session.state.phase === phase, { message: `never ${phase}` }),
    joined: (name) =>
      eventually(() => {
        const room = session.conversations.get({ kind: "room", name })
        return room?.joined === true && room.members !== undefined ? room : undefined
      })
  }
}

/** What stands in a conversation, a line each: `> mine`, `Ada: theirs`, `! warnings and errors`, `- other notes`. */
export const linesOf = (conversation: Conversation | undefined): ReadonlyArray<string> =>
  (conversation?.entries ?? []).map((entry) => {
    if (entry.kind === "note") return `${entry.level === "info" ? "-" : "!"} ${entry.text}`
    return `${entry.own ? ">" : `${entry.sender}:`} ${(entry.data as { readonly text?: string }).text ?? JSON.stringify(entry.data)}`
  })
