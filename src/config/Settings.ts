/**
 * The configuration as a whole. Its keys stand in `sections.ts`; the file, the environment, the flags, the documentation
 * page and the mistakes all come from there. Durations are seconds, sizes bytes, and 0 means "unlimited" where the text
 * of a key says so.
 */
import { Schema } from "effect"
import { keysOf } from "./Key.ts"
import { Gateway, Proxy, type ProxyRoute, resolveRoute } from "./proxy.ts"
import * as sections from "./sections.ts"

/** The file as it is written; left-out keys get their defaults. */
export const SettingsFile = Schema.Struct({
  node: sections.Node,
  server: sections.Server,
  auth: sections.Auth,
  api: sections.Api,
  limits: sections.Limits,
  heartbeat: sections.Heartbeat,
  session: sections.Session,
  drain: sections.Drain,
  room: sections.Rooms,
  log: sections.Log,
  nats: sections.Nats,
  cluster: sections.Cluster,
  store: sections.Store,
  gateway: Gateway,
  proxy: Proxy
})
export type SettingsFile = typeof SettingsFile.Type

/** The configuration as a program writes it: the shape of the file, every key optional that has a default. */
export type SettingsInput = typeof SettingsFile.Encoded

/** Every key of the configuration, in the order of the schema. */
export const keys = keysOf(SettingsFile.fields)

/** The decoded and checked configuration, nothing left to guess. */
export interface Settings extends Omit<SettingsFile, "node" | "auth" | "proxy"> {
  readonly node: { readonly id: string }
  readonly auth: SettingsFile["auth"] & { readonly anonymous: boolean }
  readonly proxy: ReadonlyArray<ProxyRoute>
}

export type RoomBlock = Settings["room"][number]

/** The block behind the last one: it fits every room. */
export const builtInRoom: RoomBlock = {
  pattern: "*",
  join: "anyone",
  publish: "members",
  presence: "members",
  join_leave: false,
  members: 0
}

/** Whether the configuration names a way to authenticate clients. */
export const hasAuthentication = ({ auth }: Pick<SettingsFile, "auth">): boolean => auth.jwt !== undefined || auth.http !== undefined

/**
 * Fills in what depends on other keys or on chance: `nodeId` is taken when the configuration names none. `authenticated`
 * says whether there is a way to authenticate clients.
 */
export const resolve = (file: SettingsFile, nodeId: string, authenticated: boolean): Settings => ({
  ...file,
  node: { id: file.node.id ?? nodeId },
  auth: { ...file.auth, anonymous: file.auth.anonymous ?? !authenticated },
  proxy: file.proxy.map(resolveRoute)
})
