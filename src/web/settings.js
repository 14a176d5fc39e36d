// @ts-check
/**
 * What a reload brings back: name, encoding and rooms stand in the address (`/#name=Ada&encoding=json&room=lobby`), so
 * that two tabs do not share them and a link can carry them. The token stays out of the address: see `tokenStore`.
 *
 * @typedef {import("./codec.js").Encoding} Encoding
 *
 * @typedef {object} Settings
 * @property {string} name
 * @property {Encoding} encoding
 * @property {ReadonlyArray<string>} rooms
 * @property {string | undefined} open the room to show
 * @property {boolean} paused do not connect without being asked
 */

const longestName = 40
const mostRooms = 64

/**
 * @param {string} hash `location.hash`
 * @returns {Settings | undefined} undefined: nothing is set, a first visit
 */
export const parseHash = (hash) => {
  const fields = new URLSearchParams(hash.replace(/^#/, ""))
  if ([...fields.keys()].length === 0) return undefined
  const rooms = [...new Set(fields.getAll("room").filter((room) => room !== ""))].slice(0, mostRooms)
  const open = fields.get("open") ?? undefined
  return {
    name: (fields.get("name") ?? "").slice(0, longestName),
    encoding: fields.get("encoding") === "msgpack" ? "msgpack" : "json",
    rooms,
    open: open !== undefined && rooms.includes(open) ? open : rooms[0],
    paused: fields.has("paused")
  }
}

/**
 * The hash from which `parseHash` reads the same settings.
 * @param {Settings} settings
 */
export const formatHash = ({ name, encoding, rooms, open, paused }) => {
  const fields = new URLSearchParams()
  if (name !== "") fields.set("name", name)
  fields.set("encoding", encoding)
  for (const room of rooms) fields.append("room", room)
  if (open !== undefined && open !== rooms[0]) fields.set("open", open)
  if (paused) fields.set("paused", "1")
  return `#${fields}`
}

const tokenKey = "weft.token"

/** The token of this tab: it survives a reload, and is forgotten with the tab or on Disconnect. */
export const tokenStore = {
  get: () => sessionStorage.getItem(tokenKey) ?? "",
  /** @param {string} token */
  set: (token) => (token === "" ? sessionStorage.removeItem(tokenKey) : sessionStorage.setItem(tokenKey, token))
}
