/** What the checks between keys find. */

/**
 * Something found between keys. `keys` are all keys that it hangs on: when one of them is wrong in itself, the finding
 * is not told. It is told at `at`, else at the first of the keys that was set anywhere.
 */
export interface Finding {
  readonly keys: readonly [string, ...Array<string>]
  readonly at?: string
  readonly reason: string
  readonly severity: "mistake" | "warning"
}

/** The configuration can not be used. */
export const mistake = (keys: Finding["keys"], reason: string, at?: string): Finding => ({
  keys,
  reason,
  severity: "mistake",
  ...(at === undefined ? {} : { at })
})
/** It works, but hardly as it was meant. */
export const warning = (keys: Finding["keys"], reason: string): Finding => ({ keys, reason, severity: "warning" })
