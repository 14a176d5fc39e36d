import type { ProxyRoute } from "../config/proxy.ts"
import type { Asker } from "./Asker.ts"
import type { Balancer, TargetView } from "./balancers/Balancer.ts"
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

/** A target as the balancer sees it. */
class Slot implements TargetView {
  readonly target: Target
  weight: number
  share = 1

  constructor(target: Target) {
    this.target = target
    this.weight = target.inService ? target.weight : 0
  }

  get connections(): number {
    return this.target.connections
  }
}

/**
 * Which of a route's targets takes a client. It reads the targets and changes none; what it keeps is whose turn it is, and
 * what the balancer sees, so that a choice need not look at every target: of those in service nothing changes unsaid.
 */
export class Chooser {
  readonly #route: ProxyRoute
  readonly #targets: ReadonlyArray<Target>
  readonly #random: () => number
  readonly #balancer: Balancer
  readonly #slots: ReadonlyArray<Slot>
  /** Those whose circuit is not closed: whether they take a client depends on the time and on tests under way. */
  readonly #unsettled = new Set<Slot>()
  /** Those that grow to their full share. */
  readonly #warming = new Set<Slot>()
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
    this.#slots = targets.map((target) => new Slot(target))
    this.#stickyKey = sticky === undefined ? undefined : stickyKeyBy(sticky.by)
    this.#cookie =
      sticky?.by === "cookie" ? new StickyCookie({ name: sticky.cookie, ttl: sticky.ttl, secret: options.secret }, ids) : undefined
    if (this.#stickyKey !== undefined || route.strategy === "consistent_hash") this.#ring = new KeyRing(targets)
    this.#balancer = makeBalancer(route.strategy, this.#ring)
  }

  /** To be called after every change of `target.inService`, `availableSince` or `circuit`. */
  update(target: Target): void {
    const slot = this.#slots[target.index]
    if (slot === undefined) return
    slot.weight = target.inService ? target.weight : 0
    if (target.circuit === "closed") this.#unsettled.delete(slot)
    else this.#unsettled.add(slot)
    if (target.availableSince !== -Infinity) this.#warming.add(slot)
  }

  /**
   * The target that the client sticks to if that can take it, else one by the route's strategy; undefined if none can.
   * `except` holds targets that have just failed this client. `now` in ms since 1970.
   */
  choose(asker: Asker, except: ReadonlySet<Target>, now: number): Choice | undefined {
    const stuck = this.#cookie?.read(asker.headers.get("cookie"), now)
    const available: Usable = (target) => target.available(now) && !except.has(target)
    const choice = this.#choose(asker, now, stuck, available, () => this.#slotsNow(except, now))
    if (choice !== undefined || this.#route.all_down === "refuse" || this.#someTakesClients(now)) return choice
    const open: Usable = (target) => target.open && !except.has(target)
    return this.#choose(asker, now, stuck, open, () => this.#slots.map((slot) => view(slot, open(slot.target) ? slot.target.weight : 0)))
  }

  #choose(asker: Asker, now: number, stuck: Stuck | undefined, usable: Usable, slots: () => ReadonlyArray<TargetView>): Choice | undefined {
    const own = stuck === undefined ? undefined : this.#targets[stuck.index]
    if (stuck !== undefined && own !== undefined && usable(own))
      return { target: own, setCookie: stuck.stale ? this.#cookie?.write(stuck.index, asker, now) : undefined }
    const key = this.#stickyKey?.(asker)
    const index = key === undefined ? this.#pick(asker, slots()) : this.#ownerOf(key, usable)
    const target = index === undefined ? undefined : this.#targets[index]
    return index === undefined || target === undefined ? undefined : { target, setCookie: this.#cookie?.write(index, asker, now) }
  }

  /** By the route's strategy. */
  #pick(asker: Asker, slots: ReadonlyArray<TargetView>): number | undefined {
    return this.#balancer.pick(slots, this.#random, this.#route.strategy === "consistent_hash" ? byAddress(asker) : undefined)
  }

  /** The slots as they are now; a copy of them where some of the targets must not be seen. */
  #slotsNow(except: ReadonlySet<Target>, now: number): ReadonlyArray<TargetView> {
    for (const slot of this.#unsettled) slot.weight = slot.target.available(now) ? slot.target.weight : 0
    for (const slot of this.#warming) {
      slot.share = slowStartShare(now - slot.target.availableSince, this.#route.slow_start)
      if (slot.share === 1) this.#warming.delete(slot)
    }
    return except.size === 0 ? this.#slots : this.#slots.map((slot) => (except.has(slot.target) ? view(slot, 0) : slot))
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

const view = ({ connections, share }: Slot, weight: number): TargetView => ({ weight, share, connections })
