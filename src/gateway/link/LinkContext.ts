import type { Fiber } from "effect"
import type { TimerWheel } from "../../actor/TimerWheel.ts"
import type { Seat } from "../../transport/Transport.ts"
import type { TurnEnd } from "../../transport/TurnEnd.ts"
import type { Arrived, Route } from "../Route.ts"
import type { Target } from "../Target.ts"
import type { Link } from "./Link.ts"
import type { SeekOptions, SeekOutcome } from "./seek.ts"

/** What all links stand on. */
export interface LinkContext {
  /** Milliseconds, as of the last look at the timers. */
  readonly time: { readonly now: number }
  readonly timers: TimerWheel<Link>
  readonly turnEnd: TurnEnd
  /** Milliseconds after which a backend that was quiet is asked whether it is there. */
  readonly pingInterval: number
  /** Starts the search for another backend. `done` is told once, unless the fiber is interrupted before. */
  readonly seek: (
    route: Route,
    arrived: Arrived,
    options: Omit<SeekOptions, "turnEnd">,
    done: (outcome: SeekOutcome) => void
  ) => Fiber.Fiber<void>
  /** What a backend is told of a link that comes from another one. */
  readonly resumed: (id: string) => ReadonlyArray<readonly [name: string, value: string]>
  /** For log lines. */
  readonly onChange: (link: Link, change: string, detail: Readonly<Record<string, string | number>>) => void
  /** The link has left `from` for the target that it has now. */
  readonly onMoved: (link: Link, from: Target) => void
  readonly onEnd: (link: Link, seat: Seat) => void
}
