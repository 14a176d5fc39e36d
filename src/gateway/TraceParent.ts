/** `traceparent` of W3C Trace Context: taken on as it is where it is valid, else begun here. */
import { randomFillSync } from "node:crypto"

const form = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?$/

/** Section 3.2: version `ff` and ids of zeros only are invalid; version `00` has nothing behind its flags. */
export const isTraceParent = (value: string): boolean => {
  const [, version, trace, parent, rest] = form.exec(value) ?? []
  if (version === undefined || version === "ff") return false
  return !/^0+$/.test(trace ?? "") && !/^0+$/.test(parent ?? "") && (rest === undefined || version !== "00")
}

const idBytes = 24
// Random bytes are drawn for many ids at once: the call costs more than the bytes.
const drawn = Buffer.alloc(idBytes * 128)
let used = drawn.length

/**
 * A new trace. Its `sampled` flag is set: the samplers of OpenTelemetry follow that of their parent, so that without it no
 * backend behind the gateway would record anything. Whoever wants to decide otherwise removes the header on the route.
 */
export const newTraceParent = (): string => {
  if (used === drawn.length) {
    randomFillSync(drawn)
    used = 0
  }
  const ids = drawn.toString("hex", used, used + idBytes)
  used += idBytes
  return `00-${ids.slice(0, 32)}-${ids.slice(32)}-01`
}
