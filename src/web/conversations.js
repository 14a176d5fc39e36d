// @ts-check
/**
 * What the page knows: the conversations with what was said in them, and the names that people gave. No DOM, no socket.
 *
 * @import { Member } from "../wire/Messages.ts"
 *
 * @typedef {{ kind: "room", name: string } | { kind: "user", name: string } | { kind: "connection", name: string } | { kind: "everyone" } | { kind: "server" }} Address
 * @typedef {{ kind: "message", time: number, own: boolean, sender: string, user: string | undefined, connection: string | undefined, data: unknown }} Said
 * @typedef {{ kind: "note", time: number, level: "info" | "warning" | "error", text: string }} Note
 * @typedef {(Said | Note) & { serial: number }} Entry `serial` grows by one in a conversation
 *
 * @typedef {object} Conversation
 * @property {string} key
 * @property {Address} address
 * @property {Array<Entry>} entries
 * @property {number} nextSerial
 * @property {number} unread
 * @property {string} draft
 * @property {boolean} joining asked for, not answered
 * @property {boolean} joined
 * @property {boolean} wasJoined in an earlier connection
 * @property {number} count members, as `joined` said
 * @property {Map<string, Member> | undefined} members by connection; undefined: not known
 * @property {string | undefined} membersError why they are not known
 * @property {boolean} tellsMembers the room sends member_joined and member_left
 */

export const mostEntries = 500
const mostNames = 2_000

/** @param {Address} address */
export const keyOf = (address) => ("name" in address ? `${address.kind}:${address.name}` : address.kind)

export class Conversations {
  /** @type {Map<string, Conversation>} */
  #byKey = new Map()
  /** @type {Map<string, string>} */
  #names = new Map()
  /** @type {string | undefined} */
  openKey = undefined

  /** All of them, in the order in which they were begun. */
  all() {
    return [...this.#byKey.values()]
  }

  rooms() {
    return this.all().flatMap((conversation) => (conversation.address.kind === "room" ? [conversation.address.name] : []))
  }

  get open() {
    return this.openKey === undefined ? undefined : this.#byKey.get(this.openKey)
  }

  /** @param {Address} address */
  get(address) {
    return this.#byKey.get(keyOf(address))
  }

  /**
   * The conversation with that address, begun if need be.
   * @param {Address} address
   * @returns {Conversation}
   */
  ensure(address) {
    const key = keyOf(address)
    const known = this.#byKey.get(key)
    if (known !== undefined) return known
    /** @type {Conversation} */
    const begun = {
      key,
      address,
      entries: [],
      nextSerial: 0,
      unread: 0,
      draft: "",
      joining: false,
      joined: false,
      wasJoined: false,
      count: 0,
      members: undefined,
      membersError: undefined,
      tellsMembers: false
    }
    this.#byKey.set(key, begun)
    this.openKey ??= key
    return begun
  }

  /** @param {string | undefined} key */
  show(key) {
    this.openKey = key
    if (this.open !== undefined) this.open.unread = 0
  }

  /** @param {string} key */
  remove(key) {
    this.#byKey.delete(key)
    if (this.openKey === key) this.show(this.all().at(-1)?.key)
  }

  /**
   * Adds what was said or has happened; of a conversation the last `mostEntries` are kept. `seen` false counts a
   * message as unread.
   * @param {Conversation} conversation
   * @param {Said | Note} entry
   * @param {boolean} seen
   */
  append(conversation, entry, seen) {
    conversation.entries.push({ ...entry, serial: conversation.nextSerial++ })
    if (conversation.entries.length > mostEntries) conversation.entries.splice(0, conversation.entries.length - mostEntries)
    if (!seen && entry.kind === "message" && !entry.own) conversation.unread++
  }

  /** What a lost connection leaves: nobody is in a room, and who is there is not known. */
  disconnected() {
    for (const conversation of this.#byKey.values()) {
      conversation.wasJoined ||= conversation.joined
      conversation.joined = false
      conversation.members = undefined
      conversation.membersError = undefined
      conversation.tellsMembers = false
    }
  }

  /**
   * Remembers the name that a connection gave itself.
   * @param {string} connection
   * @param {string} name
   */
  learnName(connection, name) {
    this.#names.delete(connection)
    this.#names.set(connection, name)
    if (this.#names.size > mostNames) for (const [oldest] of this.#names) return void this.#names.delete(oldest)
  }

  /** @param {string} connection */
  nameOf(connection) {
    return this.#names.get(connection)
  }
}
