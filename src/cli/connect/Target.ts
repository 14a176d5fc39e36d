import { webSocketUrl } from "../../client/Handshake.ts"

export const defaultTarget = "ws://127.0.0.1:8080/ws"

/**
 * The WebSocket address that a person means: `http` stands for `ws`, a missing scheme too, and without a path it is
 * `/ws`. Throws `TypeError` for what is no address.
 */
export const targetOf = (text: string): string => {
  const url = new URL(webSocketUrl(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `ws://${text}`, undefined))
  if (url.pathname === "/") url.pathname = "/ws"
  return url.href
}

/** The address without user, password and query, which may hold a token: fit to be shown. */
export const shown = (target: string): string => {
  const { protocol, host, pathname } = new URL(target)
  return `${protocol}//${host}${pathname}`
}
