/** What is known of a client when a target is chosen for it. */
export interface Asker {
  /** Of the client itself, not of a proxy in front. */
  readonly address: string
  /** As authenticated; undefined for an anonymous client. */
  readonly user: string | undefined
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>
  /** Without "?". */
  readonly query: string
  /** The client itself speaks TLS. */
  readonly secure: boolean
}
