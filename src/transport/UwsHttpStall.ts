/** What has to be looked at while it waits for a client. */
export interface Watched {
  /** Called every `seconds`. Returns whether to look again. */
  look(seconds: number): boolean
}

/** Seconds. uWebSockets.js closes after 8 to 12. */
const interval = 4

const watched = new Set<Watched>()
let timer: NodeJS.Timeout | undefined

const lookAtAll = (): void => {
  for (const one of watched) if (!one.look(interval)) watched.delete(one)
  if (watched.size > 0) return
  clearInterval(timer)
  timer = undefined
}

/** Has `one` looked at until it does not want that any more. One timer serves all. */
export const watchStalls = (one: Watched): void => {
  watched.add(one)
  timer ??= setInterval(lookAtAll, interval * 1000).unref()
}
