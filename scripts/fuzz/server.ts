import { once } from "node:events"
import fc from "fast-check"
import { WebSocket } from "ws"
import type { Codec } from "../../src/wire/index.ts"
import { frame } from "../../test/wire/arbitraries.ts"

/** Frames between two looks at the connection: fewer than the bad ones that a client may send at once. */
const chunk = 90
/** Milliseconds after which a client that got no answer counts as not served. */
const patience = 10_000

const open = async (url: string, codec: Codec): Promise<WebSocket> => {
  const socket = new WebSocket(url, [`weft.v1.${codec.encoding}`])
  socket.on("error", () => undefined)
  await Promise.race([once(socket, "open"), once(socket, "close").then(() => Promise.reject(new Error(`${url} refuses a connection`)))])
  return socket
}

const isPong = (codec: Codec, data: Buffer, id: string): boolean => {
  const message = codec.decode(data)
  return (
    typeof message === "object" && message !== null && "type" in message && message.type === "pong" && "id" in message && message.id === id
  )
}

/**
 * Sends bytes in the codec's kind of frame, now and then in the other one. Bytes that are not UTF-8 cost the connection when
 * they come as text, before the server has looked at them: most are made UTF-8, so that the others get somewhere.
 */
const send = (socket: WebSocket, codec: Codec, bytes: Uint8Array, index: number): void => {
  const binary = index % 50 === 0 ? !codec.binary : codec.binary
  const asItIs = binary || index % chunk === chunk - 1
  socket.send(asItIs ? bytes : new TextDecoder().decode(bytes), { binary })
}

/** Whether a ping gets its pong. False when the connection is closed meanwhile, or patience ends. */
const ping = (socket: WebSocket, codec: Codec, id: string): Promise<boolean> =>
  new Promise((resolve) => {
    const settle = (served: boolean): void => {
      clearTimeout(timer)
      socket.off("message", onMessage)
      socket.off("close", onClose)
      resolve(served)
    }
    const onMessage = (data: Buffer): void => {
      if (isPong(codec, data, id)) settle(true)
    }
    const onClose = (): void => settle(false)
    const timer = setTimeout(() => settle(false), patience)
    socket.on("message", onMessage)
    socket.on("close", onClose)
    if (socket.readyState === WebSocket.OPEN) socket.send(codec.encode({ type: "ping", id }))
    else settle(false)
  })

/** A client that does nothing wrong, and has to be served as long as the other one does its worst. */
const bystander = async (url: string, codec: Codec) => {
  const socket = await open(url, codec)
  const seen = { pings: 0, longest: 0, served: true, stopped: false }
  const life = (async () => {
    while (!seen.stopped && seen.served) {
      const started = performance.now()
      seen.served = await ping(socket, codec, `bystander-${seen.pings}`)
      seen.longest = Math.max(seen.longest, performance.now() - started)
      seen.pings++
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  })()
  return {
    seen,
    stop: async () => {
      seen.stopped = true
      await life
      socket.close()
    }
  }
}

/**
 * Sends `count` generated frames to the server, opening a new connection whenever it closes one, as it must after a flood
 * of bad frames. False when a client that did nothing wrong is not served, or the server takes no connections any more.
 */
export const fuzzServer = async (codec: Codec, count: number, seed: number, url: string): Promise<boolean> => {
  const other = await bystander(url, codec)
  const closes: Record<string, number> = {}
  let connections = 0
  let answers = 0
  const connect = async (): Promise<WebSocket> => {
    const socket = await open(url, codec)
    connections++
    socket.on("message", () => answers++)
    socket.on("close", (code) => (closes[code] = (closes[code] ?? 0) + 1))
    return socket
  }
  let socket = await connect()
  for (let done = 0; done < count && other.seen.served; done += chunk) {
    const frames = fc.sample(frame(codec), { numRuns: Math.min(chunk, count - done), seed: seed + done })
    for (const [index, sent] of frames.entries()) {
      if (socket.readyState !== WebSocket.OPEN) socket = await connect()
      send(socket, codec, sent, index)
    }
    // The pong comes after the answers to all of these, so that no more than a chunk is ever on its way.
    const lives = await ping(socket, codec, `chunk-${done}`)
    // Every fifth connection goes on until it is closed for its flood of bad frames.
    if (lives && (done / chunk) % 5 !== 0) socket.close()
    if (!lives || socket.readyState !== WebSocket.OPEN) socket = await connect()
  }
  await other.stop()
  socket.terminate()
  const { pings, longest, served } = other.seen
  console.log(`${codec.encoding}: ${count} frames over ${connections} connections, ${answers} frames came back, closes`, closes)
  console.log(
    `${codec.encoding}: the other client was ${served ? `served ${pings} times, the longest wait ${Math.round(longest)} ms` : "not served"}`
  )
  return served
}
