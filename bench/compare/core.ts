/** How fast the core is that servers are measured on, told by work that is always the same. */
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { start, stop } from "./children.ts"
import { serverCore } from "./trial.ts"

const referenceFile = fileURLToPath(new URL("../reference.ts", import.meta.url))

export interface Core {
  /** Nanoseconds that the work takes now. */
  readonly read: () => Promise<number>
  readonly end: () => Promise<void>
}

export const watchCore = (): Core => {
  let output = ""
  const child = start(serverCore, { command: process.execPath, args: [referenceFile] }, (text) => (output = (output + text).slice(-2000)))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    read: async () => {
      child.stdin.write("\n")
      const line = await lines.next()
      if (line.done === true) throw new Error(`the reference ended: ${output}`)
      return Number(line.value.split(" ")[0])
    },
    end: () => stop(child)
  }
}
