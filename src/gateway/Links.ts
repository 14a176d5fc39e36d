import { Cause, Duration, Effect, Exit, type Fiber } from "effect"
import { waitUntil } from "../actor/waitUntil.ts"
import { quota } from "../connection/Drain.ts"
import type { Route } from "./Route.ts"
import { Link, type AcceptedLink } from "./link/Link.ts"
import type { LinkContext } from "./link/LinkContext.ts"
import { type Goodbye, goingAway } from "./link/LinkState.ts"
import type { ClientSocket } from "../transport/Transport.ts"
import type { Target } from "./Target.ts"

interface Running {
  readonly link: Link
  readonly fiber: Fiber.Fiber<void>
}

export interface LinksOptions {
  /** Starts an actor's life. */
  readonly fork: (effect: Effect.Effect<void>) => Fiber.Fiber<void>
  readonly onDefect: (link: Link, cause: Cause.Cause<never>) => void
}

/** Milliseconds between two steps of a drain. */
const step = 50

/** How long closed links may take to be gone before nobody waits for them any more. */
const patience = 2_000

/** The links of this node: who is connected to which target, and how to send them away. */
export class Links {
  private readonly running = new Map<string, Running>()
  private readonly byTarget = new Map<Target, Set<Link>>()
  private readonly options: LinksOptions

  constructor(options: LinksOptions) {
    this.options = options
  }

  get size(): number {
    return this.running.size
  }

  all(): ReadonlyArray<Link> {
    return Array.from(this.running.values(), ({ link }) => link)
  }

  get(id: string): Link | undefined {
    return this.running.get(id)?.link
  }

  of(target: Target): ReadonlyArray<Link> {
    return [...(this.byTarget.get(target) ?? [])]
  }

  /** Starts the actor of a client whose socket is open. */
  open(context: LinkContext, socket: ClientSocket, accepted: AcceptedLink): Link {
    const link = new Link(context, socket, accepted)
    const fiber = this.options.fork(link.run())
    this.running.set(link.id, { link, fiber })
    this.put(link, link.target)
    fiber.addObserver((exit) => this.ended(link, exit))
    link.begin(accepted.connected.backend)
    return link
  }

  /** A defect ends one link and nothing else. */
  private ended(link: Link, exit: Exit.Exit<void>): void {
    if (Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause)) return
    this.options.onDefect(link, exit.cause)
    link.crash()
  }

  moved(link: Link, from: Target): void {
    from.moved++
    this.take(link, from)
    this.put(link, link.target)
  }

  /** Called by the link itself at its end. False: it had been removed before. */
  remove(link: Link): boolean {
    const present = this.running.get(link.id)
    if (present === undefined) return false
    this.running.delete(link.id)
    this.take(link, link.target)
    link.stop()
    present.fiber.interruptUnsafe()
    return true
  }

  private put(link: Link, target: Target): void {
    const links = this.byTarget.get(target)
    if (links === undefined) this.byTarget.set(target, new Set([link]))
    else links.add(link)
  }

  private take(link: Link, target: Target): void {
    const links = this.byTarget.get(target)
    links?.delete(link)
    if (links?.size === 0) this.byTarget.delete(target)
  }

  /** Sends links away, evenly spread over `period` seconds: to another target where they may, else with these words. */
  leave(links: ReadonlyArray<Link>, period: number, goodbye: Goodbye): Effect.Effect<void> {
    return this.paced(links, period, (link) => void link.offerReply({ type: "move", goodbye }))
  }

  /** Sends all clients away, evenly spread over `period` seconds. Ends when all are gone or patience is. */
  drain(period: number): Effect.Effect<void> {
    const away = (link: Link): void => void link.offerReply({ type: "close", goodbye: goingAway })
    return Effect.suspend(() => this.paced(this.all(), period, away)).pipe(
      // Who came in while the first were sent away.
      Effect.andThen(Effect.sync(() => this.all().forEach(away))),
      Effect.andThen(waitUntil(() => this.running.size === 0, patience)),
      Effect.asVoid
    )
  }

  private paced(links: ReadonlyArray<Link>, period: number, each: (link: Link) => void): Effect.Effect<void> {
    return Effect.gen(function* () {
      const steps = Math.max(1, Math.ceil((period * 1000) / step))
      let done = 0
      for (let index = 0; index < steps && done < links.length; index++) {
        for (const goal = quota(links.length, index, steps); done < goal; done++) {
          const link = links[done]
          if (link !== undefined) each(link)
        }
        if (done < links.length) yield* Effect.sleep(Duration.millis(step))
      }
    })
  }
}

/** One more connection of a user through a route, if the route's limit allows that. */
export const takeUser = ({ settings, users }: Route, user: string | undefined): boolean => {
  if (user === undefined || settings.connections_per_user === 0) return true
  const count = users.get(user) ?? 0
  if (count >= settings.connections_per_user) return false
  users.set(user, count + 1)
  return true
}

export const returnUser = ({ settings, users }: Route, user: string | undefined): void => {
  if (user === undefined || settings.connections_per_user === 0) return
  const count = users.get(user) ?? 0
  if (count > 1) users.set(user, count - 1)
  else users.delete(user)
}
