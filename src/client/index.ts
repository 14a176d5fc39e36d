/** The client library, for browsers and Node. */
export type { BackoffOptions } from "./Backoff.ts"
export { Client, createClient, type PublishOptions, type RequestOptions } from "./Client.ts"
export type { LinkState } from "./ClientState.ts"
export type { ClientEvents, Frame, ServerMessageOf } from "./Events.ts"
export type { TokenSource, WebSocketConstructor, WebSocketLike } from "./Link.ts"
export type { ClientOptions } from "./Options.ts"
export type { Reply, Request } from "./Requests.ts"
export { WeftError } from "./WeftError.ts"
