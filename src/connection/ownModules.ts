/** What modules from outside, such as a file of handlers, get when they import the package. */
import * as nodeModule from "node:module"

const extension = import.meta.url.endsWith(".ts") ? ".ts" : ".js"
const entries: Readonly<Record<string, string>> = {
  weft: new URL(`../index${extension}`, import.meta.url).href,
  "weft/client": new URL(`../client/index${extension}`, import.meta.url).href,
  "weft/protocol": new URL(`../wire/index${extension}`, import.meta.url).href
}

let provided = false

/**
 * From now on `weft` is this server's own code for every module that is loaded, also in a checkout, where nothing is
 * compiled; and `effect` is this server's where a module finds none of its own. So a file of handlers may stand anywhere.
 * A Node that can not do that (before 22.15) finds both as it finds any package.
 */
export const provideOwnModules = (): void => {
  if (provided || typeof nodeModule.registerHooks !== "function") return
  provided = true
  nodeModule.registerHooks({
    resolve: (specifier, context, next) => {
      const own = Object.hasOwn(entries, specifier) ? entries[specifier] : undefined
      if (own !== undefined) return { url: own, shortCircuit: true }
      if (specifier !== "effect" && !specifier.startsWith("effect/")) return next(specifier, context)
      try {
        return next(specifier, context)
      } catch {
        return next(specifier, { ...context, parentURL: import.meta.url })
      }
    }
  })
}
