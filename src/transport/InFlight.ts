import { Duration, Effect } from "effect"

/** Milliseconds between two looks. */
const step = 50

/** Counts the HTTP requests that have come and whose answers have not ended, nor their connections been lost. */
export class InFlight {
  private count = 0

  get size(): number {
    return this.count
  }

  begin(): void {
    this.count++
  }

  end(): void {
    this.count--
  }

  /** Waits until there are none, `seconds` at most. Gives how many are left. */
  settled(seconds: number): Effect.Effect<number> {
    return Effect.gen({ self: this }, function* () {
      for (let waited = 0; this.count > 0 && waited < seconds * 1000; waited += step) yield* Effect.sleep(Duration.millis(step))
      return this.count
    })
  }
}
