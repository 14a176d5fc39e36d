import type { Asker } from "../../src/gateway/Asker.ts"

export const asker = (options: Partial<Omit<Asker, "headers">> & { readonly headers?: Readonly<Record<string, string>> } = {}): Asker => ({
  address: "192.0.2.1",
  user: undefined,
  query: "",
  secure: false,
  ...options,
  headers: new Map(Object.entries(options.headers ?? {}))
})

/** The cookie that a client sends after this Set-Cookie value. */
export const sentBack = (setCookie: string | undefined): string => (setCookie ?? "").split(";", 1)[0] ?? ""
