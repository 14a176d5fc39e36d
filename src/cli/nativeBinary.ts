/** uWebSockets.js is native code: where it has no binary for this Node, that is one clear line. */

/** The Node versions that uWebSockets.js ships binaries for. */
const SERVED = "18, 20, 21 or 22"

export interface Runtime {
  /** As `process.versions.node`. */
  readonly node: string
  readonly platform: string
  readonly arch: string
}

/**
 * What to tell when loading the server failed with `error`: undefined when uWebSockets.js is not to blame. The package
 * throws one error of its own, with the loader's behind it.
 */
export const missingBinary = (error: unknown, runtime: Runtime): string | undefined => {
  const text = error instanceof Error ? error.message : ""
  if (!text.startsWith("This version of uWS.js")) return undefined
  const place = `Node ${runtime.node.split(".")[0]} on ${runtime.platform} ${runtime.arch}`
  if (text.includes("Cannot find module")) return `no uWebSockets.js binary for ${place}; run Node ${SERVED} (npm start brings Node 22)`
  const detail = text.split("\n").findLast((line) => line.trim() !== "") ?? ""
  return `uWebSockets.js does not load with ${place}: ${detail.trim()}; it needs glibc Linux, macOS or Windows`
}
