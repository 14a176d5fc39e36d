import { randomUUID } from "node:crypto"

const sane = /^[\w.:+/=@-]{1,128}$/

/** What a request is called in logs, here and behind: the client's own `X-Request-Id` if it is sane, else a new one. */
export const requestIdFrom = (given: string | undefined): string => (given !== undefined && sane.test(given) ? given : randomUUID())
