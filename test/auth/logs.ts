/** All that is logged, as one text. */
import { Effect, Logger } from "effect"

export interface Logs {
  readonly lines: ReadonlyArray<string>
  readonly capture: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

export const logs = (): Logs => {
  const lines: Array<string> = []
  const logger = Logger.make(({ message }) => {
    lines.push(String(message))
  })
  return { lines, capture: (effect) => Effect.provide(effect, Logger.layer([logger])) }
}
