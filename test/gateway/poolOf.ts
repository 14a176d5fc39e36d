import type { ProxyRoute } from "../../src/config/proxy.ts"
import { type ChangeDetail, Pool, type TargetChange } from "../../src/gateway/Pool.ts"
import type { Target } from "../../src/gateway/Target.ts"
import { seeded } from "./balancers/statistics.ts"

export interface SeenChange {
  readonly target: Target
  readonly change: TargetChange
  readonly detail: ChangeDetail
}

/** A pool with a clock that the test moves. */
export const poolOf = (route: ProxyRoute, options: { readonly seed?: number; readonly secret?: Uint8Array } = {}) => {
  const clock = { now: 1_700_000_000_000 }
  const changes: Array<SeenChange> = []
  const pool = new Pool(route, {
    now: () => clock.now,
    random: seeded(options.seed ?? 1),
    secret: options.secret ?? new Uint8Array(32).fill(7),
    onChange: (target, change, detail) => changes.push({ target, change, detail })
  })
  const target = (index: number): Target => {
    const found = pool.targets[index]
    if (found === undefined) throw new Error(`no target ${index}`)
    return found
  }
  return {
    pool,
    clock,
    changes,
    target,
    /** Which target it is; undefined for none. */
    indexOf: (chosen: { readonly target: Target } | undefined) => (chosen === undefined ? undefined : pool.targets.indexOf(chosen.target)),
    /** Three checks in a row fail. */
    down: (index: number) => {
      for (let n = 0; n < 3; n++) pool.probed(target(index), { ok: false, type: "timeout", message: "no answer in time" })
    },
    /** Two checks in a row pass. */
    up: (index: number) => {
      for (let n = 0; n < 2; n++) pool.probed(target(index), { ok: true, milliseconds: 1 })
    },
    /** Attempts at the target fail until its circuit opens. */
    trip: (index: number) => {
      for (let n = 0; n < 3; n++) {
        const lease = pool.acquire(target(index))
        pool.failed(lease, "connect", "connection refused")
        pool.release(lease)
      }
    }
  }
}
