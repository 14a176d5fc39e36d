/**
 * Many clients in one process of their own, for a process may not open as many files as two sides need.
 * `node crowd.mjs URL COUNT ROOMS`: connects all, each joins one room, prints `ready`; ends them all at the end of input.
 */
import { WebSocket } from "ws"

const [url = "", count = "0", rooms = "1"] = process.argv.slice(2)
/** @type {Array<WebSocket>} */
const sockets = []
let joined = 0
let next = 0

const open = () => {
  if (next >= Number(count)) return
  const n = next++
  const ws = new WebSocket(url, [n % 2 === 0 ? "weft.v1.json" : "weft.v1.msgpack"], { perMessageDeflate: false })
  sockets.push(ws)
  // {type: "join_room", room: "rN"} in both encodings.
  const room = `r${n % Number(rooms)}`
  const text = JSON.stringify({ type: "join_room", room })
  const packed = Buffer.concat([
    Buffer.from([0x82, 0xa4]),
    Buffer.from("type"),
    Buffer.from([0xa9]),
    Buffer.from("join_room"),
    Buffer.from([0xa4]),
    Buffer.from("room"),
    Buffer.from([0xa0 | room.length]),
    Buffer.from(room)
  ])
  ws.on("open", () => ws.send(n % 2 === 0 ? text : packed))
  let messages = 0
  ws.on("message", () => {
    // The welcome, then the answer to the join.
    if (++messages !== 2) return
    joined++
    if (joined === Number(count)) console.log("ready")
    open()
  })
  ws.on("error", (error) => {
    console.error(String(error))
    process.exit(1)
  })
}

for (let n = 0; n < 200; n++) open()
process.stdin.on("end", () => {
  for (const [n, ws] of sockets.entries())
    if (n % 3 === 0) ws.terminate()
    else ws.close()
  setTimeout(() => process.exit(0), 1000)
})
process.stdin.resume()
