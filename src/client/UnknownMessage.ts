/** A message of a type that this version of the client may not know. */
export interface UnknownMessage {
  readonly type: string
  readonly [field: string]: unknown
}
