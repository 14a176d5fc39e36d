/** What a changed configuration means for a gateway that runs. Pure. */
import { isDeepStrictEqual } from "node:util"
import type { ProxyRoute } from "../config/proxy.ts"

export interface TargetPlace {
  readonly route: string
  /** The target's id: its URL. */
  readonly backend: string
}

export interface Reload {
  /** Configured and enabled: they take clients. */
  readonly serve: ReadonlyArray<TargetPlace>
  /** Disabled or gone from the configuration: they are drained. */
  readonly drain: ReadonlyArray<TargetPlace>
  /** What is different and takes a restart, in words. */
  readonly later: ReadonlyArray<string>
}

const rest = ({ targets: _, ...settings }: ProxyRoute): object => settings

const weightOf = (route: ProxyRoute, url: string): number | undefined => route.targets.find((target) => target.url === url)?.weight

/** `running` is what the gateway was started with, `wanted` the configuration as it is now. Routes are known by their names. */
export const reloadOf = (running: ReadonlyArray<ProxyRoute>, wanted: ReadonlyArray<ProxyRoute>): Reload => {
  const serve: Array<TargetPlace> = []
  const drain: Array<TargetPlace> = []
  const later: Array<string> = []
  for (const route of running) {
    const now = wanted.find(({ name }) => name === route.name)
    for (const { url, weight } of route.targets) {
      const target = now?.targets.find((other) => other.url === url)
      const place = { route: route.name, backend: url }
      if (target?.enabled === true) serve.push(place)
      else drain.push(place)
      if (target !== undefined && target.weight !== weight) later.push(`route ${route.name}: the weight of ${url}`)
    }
    if (now === undefined) continue
    if (!isDeepStrictEqual(rest(now), rest(route))) later.push(`route ${route.name}: its settings`)
    for (const { url } of now.targets) if (weightOf(route, url) === undefined) later.push(`route ${route.name}: the new target ${url}`)
  }
  for (const { name } of wanted) if (!running.some((route) => route.name === name)) later.push(`the new route ${name}`)
  return { serve, drain, later }
}
