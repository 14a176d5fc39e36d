import type { Asker } from "../../src/gateway/Asker.ts"
import type { Arrived } from "../../src/gateway/Route.ts"

export const asker = (options: Partial<Omit<Asker, "headers">> & { readonly headers?: Readonly<Record<string, string>> } = {}): Asker => ({
  address: "192.0.2.1",
  user: undefined,
  query: "",
  secure: false,
  ...options,
  headers: new Map(Object.entries(options.headers ?? {}))
})

/** A client that has come for a WebSocket. */
export const arrived = (): Arrived => ({
  path: "/chat/x",
  asker: asker(),
  request: {
    headers: [],
    query: "",
    requestId: "request",
    user: undefined,
    withoutToken: false,
    websocket: true,
    peer: "192.0.2.1",
    trusted: false,
    secure: false
  }
})

/** The cookie that a client sends after this Set-Cookie value. */
export const sentBack = (setCookie: string | undefined): string => (setCookie ?? "").split(";", 1)[0] ?? ""
