import type { ProxyRoute } from "../config/proxy.ts"
import type { Asker } from "./Asker.ts"
import type { Balancer } from "./balancers/Balancer.ts"
import { KeyRing } from "./balancers/KeyRing.ts"
import { makeBalancer } from "./balancers/makeBalancer.ts"
import { slowStartShare } from "./SlowStart.ts"
import { StickyCookie, type Stuck } from "./StickyCookie.ts"
import { byAddress, type StickyKey, stickyKeyBy } from "./StickyKey.ts"
import type { Target } from "./Target.ts"

export interface ChooserOptions {
  /** In [0, 1). */
  readonly random: () => number
  /** Signs the cookies. */
  readonly secret: Uint8Array
}

export interface Choice {
  readonly target: Target
  /** A Set-Cookie value for the answer to the client, where it must be stuck, stuck anew or stuck for longer. */
  readonly setCookie: string | undefined
}

type Usable = (target: Target) => boolean

interface Slot {
  readonly target: Target
  weight: number
  share: number
  connections: number
}

/** Which of a route's targets takes a client. It reads the targets and changes none; what it keeps is whose turn it is. */
export class Chooser {
  readonly #route: ProxyRoute
  readonly #targets: ReadonlyArray<Target>
  readonly #random: () => number
  readonly #balancer: Balancer
  /** The targets as the balancer sees them, filled in anew at each choice. */
  readonly #slots: ReadonlyArray<Slot>
  readonly #cookie: StickyCookie | undefined
  readonly #stickyKey: StickyKey | undefined
  /** Also for the strategy: both hash keys over the same targets. */
  #ring: KeyRing | undefined

  constructor(route: ProxyRoute, targets: ReadonlyArray<Target>, options: ChooserOptions) {
    const sticky = route.sticky_sessions
    const ids = targets.map(({ id }) => id)
    this.#route = route
    this.#targets = targets
    this.#random = options.random
    this.#slots = targets.map((target) => ({ target, weight: 0, share: 1, connections: 0 }))
    this.#stickyKey = sticky === undefined ? undefined : stickyKeyBy(sticky.by)
    this.#cookie =
      sticky?.by === "cookie" ? new StickyCookie({ name: sticky.cookie, ttl: sticky.ttl, secret: options.secret }, ids) : undefined
    if (this.#stickyKey !== undefined || route.strategy === "consistent_hash") this.#ring = new KeyRing(targets)
    this.#balancer = makeBalancer(route.strategy, this.#ring)
  }

  /**
   * The target that the client sticks to if that can take it, else one by the route's strategy; undefined if none can.
   * `except` holds targets that have just failed this client. `now` in ms since 1970.
   */
  choose(asker: Asker, except: ReadonlySet<Target>, now: number): Choice | undefined {
    const stuck = this.#cookie?.read(asker.headers.get("cookie"), now)
    const choice = this.#choose(asker, now, stuck, (target) => target.available(now) && !except.has(target))
    if (choice !== undefined || this.#route.all_down === "refuse" || this.#someTakesClients(now)) return choice
    return this.#choose(asker, now, stuck, (target) => target.open && !except.has(target))
  }

  #choose(asker: Asker, now: number, stuck: Stuck | undefined, usable: Usable): Choice | undefined {
    const own = stuck === undefined ? undefined : this.#targets[stuck.index]
    if (stuck !== undefined && own !== undefined && usable(own))
      return { target: own, setCookie: stuck.stale ? this.#cookie?.write(stuck.index, asker, now) : undefined }
    const key = this.#stickyKey?.(asker)
    const index = key === undefined ? this.#pick(asker, now, usable) : this.#ownerOf(key, usable)
    const target = index === undefined ? undefined : this.#targets[index]
    return index === undefined || target === undefined ? undefined : { target, setCookie: this.#cookie?.write(index, asker, now) }
  }

  /** By the route's strategy. */
  #pick(asker: Asker, now: number, usable: Usable): number | undefined {
    for (const slot of this.#slots) {
      const { target } = slot
      slot.weight = usable(target) ? target.weight : 0
      slot.share = slowStartShare(now - target.availableSince, this.#route.slow_start)
      slot.connections = target.connections
    }
    return this.#balancer.pick(this.#slots, this.#random, this.#route.strategy === "consistent_hash" ? byAddress(asker) : undefined)
  }

  /** By the client's key. It sticks: a target that returns has all of its clients back at once, whatever `slow_start` says. */
  #ownerOf(key: string, usable: Usable): number | undefined {
    return this.#ring?.find(key, (index) => {
      const target = this.#targets[index]
      return target !== undefined && usable(target) ? 1 : 0
    })
  }

  #someTakesClients(now: number): boolean {
    return this.#targets.some((target) => target.weight > 0 && target.available(now))
  }
}
