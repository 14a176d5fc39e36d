/** How fast the core is that servers are measured on, told by work that is always the same. */
import { fileURLToPath } from "node:url"
import { startAnswering, stop } from "./children.ts"
import { serverCore } from "./trial.ts"

const referenceFile = fileURLToPath(new URL("../reference.ts", import.meta.url))

export interface Core {
  /** Nanoseconds that the work takes now. */
  readonly read: () => Promise<number>
  readonly end: () => Promise<void>
}

export const watchCore = (): Core => {
  const { ask, child, output } = startAnswering(serverCore, { command: process.execPath, args: [referenceFile] })
  return {
    read: async () => {
      const answer = await ask("")
      if (answer === undefined) throw new Error(`the reference ended: ${output()}`)
      return Number(answer.split(" ")[0])
    },
    end: () => stop(child)
  }
}
