/** Which failures of backends become log lines: at most one for each backend and second, and those between are counted. */
import type { GatewayErrorType } from "./GatewayError.ts"

export interface LoggedFailure {
  /** What failed, in words. */
  readonly event: string
  readonly type: GatewayErrorType
  /** What was wrong, in words. */
  readonly message: string
  /** It speaks against the backend. */
  readonly fault: boolean
  /** Further fields of the log line. */
  readonly detail?: Readonly<Record<string, string | number | boolean>>
}

interface Watched {
  /** Milliseconds: no line before. */
  until: number
  /** The latest failure that has no line yet, and how many came before it. */
  waiting: LoggedFailure | undefined
  suppressed: number
}

export interface FailureLogOptions<T> {
  /** Milliseconds. */
  readonly now: () => number
  /** Runs something after so many milliseconds. */
  readonly later: (milliseconds: number, run: () => void) => void
  /** `suppressed`: how many failures of this backend had no line since its last one. */
  readonly write: (backend: T, failure: LoggedFailure, suppressed: number) => void
}

/** Milliseconds between two lines about one backend. */
const interval = 1_000

/** The first failure is told at once; of those within a second of a line, the last one is told when the second is over. */
export class FailureLog<T extends object> {
  private readonly options: FailureLogOptions<T>
  private readonly watched = new WeakMap<T, Watched>()

  constructor(options: FailureLogOptions<T>) {
    this.options = options
  }

  note(backend: T, failure: LoggedFailure): void {
    const { later, now, write } = this.options
    const time = now()
    const watched = this.watched.get(backend)
    if (watched === undefined || (watched.waiting === undefined && time >= watched.until)) {
      this.watched.set(backend, { until: time + interval, waiting: undefined, suppressed: 0 })
      write(backend, failure, 0)
      return
    }
    if (watched.waiting === undefined) later(Math.max(0, watched.until - time), () => this.flush(backend, watched))
    else watched.suppressed++
    watched.waiting = failure
  }

  private flush(backend: T, watched: Watched): void {
    const { suppressed, waiting } = watched
    if (waiting === undefined) return
    watched.waiting = undefined
    watched.suppressed = 0
    watched.until = this.options.now() + interval
    this.options.write(backend, waiting, suppressed)
  }
}
