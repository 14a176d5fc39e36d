// @ts-check
/**
 * One visit to the hub: a link, the rooms it is in, what is said there and who is there. No DOM.
 *
 * @import { ClientMessage, Member, ServerMessage, Welcome } from "../wire/Messages.ts"
 * @import { Conversation, Address } from "./conversations.js"
 * @import { LinkOptions, LinkState } from "./link.js"
 *
 * @typedef {object} Visit
 * @property {string} name how the user calls themselves; "" for nothing
 * @property {ReadonlyArray<string>} rooms to join at once
 * @property {string | undefined} open the one of them to show
 * @property {() => boolean} isVisible whether someone may be looking
 * @property {() => void} onChange something to show has changed
 * @property {(text: string) => void} onProblem gets errors that belong to no conversation
 *
 * @typedef {Omit<LinkOptions, "onMessage"> & Visit} SessionOptions
 */
import { Conversations, keyOf } from "./conversations.js"
import { chatOf, countText, shortId } from "./format.js"
import { Latency } from "./latency.js"
import { Link, LinkError } from "./link.js"

const pingEvery = 2_000
const membersEvery = 5_000
const membersSoon = 250

/** @param {unknown} error */
const problemText = (error) => (error instanceof LinkError ? `${error.message} (${error.code})` : String(error))

/** @param {unknown} error */
const isLost = (error) => error instanceof LinkError && (error.code === "disconnected" || error.code === "unsent")

export class Session {
  conversations = new Conversations()
  latency = new Latency()
  /** @type {Welcome | undefined} of the present connection */
  welcome
  #options
  #link
  #pinger
  #refresher
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #refreshSoon

  /** @param {SessionOptions} options */
  constructor(options) {
    this.#options = options
    for (const name of options.rooms) this.conversations.ensure({ kind: "room", name })
    if (options.open !== undefined) this.conversations.show(keyOf({ kind: "room", name: options.open }))
    this.#link = new Link({ ...options, onState: (state) => this.#entered(state), onMessage: (message) => this.#heard(message) })
    this.#pinger = setInterval(() => this.#ping(), pingEvery)
    this.#refresher = setInterval(() => this.refreshMembers(), membersEvery)
  }

  get state() {
    return this.#link.state
  }

  /** Connects, or tries again at once. */
  connect() {
    this.#link.connect()
  }

  /** Ends the visit. */
  stop() {
    clearInterval(this.#pinger)
    clearInterval(this.#refresher)
    clearTimeout(this.#refreshSoon)
    this.#link.stop()
  }

  /** @param {string} key */
  show(key) {
    this.conversations.show(key)
    this.refreshMembers()
    this.#options.onChange()
  }

  /** Begins, if need be, and shows a conversation. @param {Address} address */
  begin(address) {
    this.show(this.conversations.ensure(address).key)
  }

  /**
   * Joins a room, and shows it. While there is no connection it is joined with the next one.
   * @param {string} name
   */
  async join(name) {
    this.begin({ kind: "room", name })
    await this.#join(name)
  }

  /** @param {string} name */
  async #join(name) {
    const conversation = this.conversations.ensure({ kind: "room", name })
    if (conversation.joined || conversation.joining) return
    conversation.joining = true
    try {
      const reply = await this.#link.request({ type: "join_room", room: name })
      conversation.joining = false
      if (reply.type !== "joined") return
      if (this.conversations.get(conversation.address) !== conversation) return void this.#link.send({ type: "leave_room", room: name })
      conversation.joined = true
      conversation.count = reply.members
      if (conversation.wasJoined) this.#note(conversation, "info", "Connected again. What was said in between is not shown here.")
      else this.#note(conversation, "info", `You joined ${name}.`)
      await this.refreshMembers(conversation)
    } catch (error) {
      conversation.joining = false
      if (!isLost(error)) this.#note(conversation, "error", `Could not join ${name}: ${problemText(error)}.`)
    }
  }

  /**
   * Forgets a conversation; a room is left.
   * @param {Conversation} conversation
   */
  async leave(conversation) {
    this.conversations.remove(conversation.key)
    this.#options.onChange()
    if (!("name" in conversation.address) || !conversation.joined) return
    try {
      await this.#link.request({ type: "leave_room", room: conversation.address.name })
    } catch (error) {
      if (!isLost(error)) this.#options.onProblem(`Could not leave ${conversation.address.name}: ${problemText(error)}.`)
    }
  }

  /** Whether what is said there now would be sent. @param {Conversation} conversation */
  canSay({ address, joined }) {
    return this.state.phase === "open" && (address.kind === "room" ? joined : "name" in address)
  }

  /**
   * Says `text`. False: it was certainly not taken, and a note in the conversation tells why.
   * @param {Conversation} conversation
   * @param {string} text
   */
  async say(conversation, text) {
    const { address } = conversation
    if (!("name" in address)) return false
    const data = this.#options.name === "" ? { text } : { text, name: this.#options.name }
    try {
      if (address.kind === "room") await this.#link.request({ type: "broadcast", room: address.name, data })
      else await this.#sayDirectly(conversation, address, data)
      return true
    } catch (error) {
      const unsure = error instanceof LinkError && (error.code === "disconnected" || error.code === "timeout")
      if (unsure) this.#note(conversation, "warning", `Not confirmed, it may have been sent or not: “${text.slice(0, 200)}”`)
      else this.#note(conversation, "error", `Not sent: ${problemText(error)}.`)
      return unsure
    }
  }

  /**
   * @param {Conversation} conversation
   * @param {{ kind: "user" | "connection", name: string }} address
   * @param {{ text: string }} data
   */
  async #sayDirectly(conversation, { kind, name }, data) {
    /** @type {ClientMessage} */
    const message = { type: "send", to: kind === "user" ? { user: name } : { connection: name }, data }
    const reply = await this.#link.request(message)
    const { connection = "", user } = this.welcome ?? {}
    const sender = this.nameOf({ connection, user })
    this.conversations.append(conversation, { kind: "message", time: Date.now(), own: true, sender, user, connection, data }, true)
    if (reply.type === "ack" && reply.delivered === 0) this.#note(conversation, "warning", "Nobody is connected there now.")
    this.#options.onChange()
  }

  /**
   * Asks who is in a room; by default in the one that is shown, if it does not tell by itself.
   * @param {Conversation} [asked]
   */
  async refreshMembers(asked) {
    const conversation = asked ?? this.conversations.open
    if (conversation === undefined || conversation.address.kind !== "room" || !conversation.joined) return
    if (asked === undefined && (conversation.tellsMembers || !this.#options.isVisible())) return
    try {
      const reply = await this.#link.request({ type: "presence", room: conversation.address.name }, asked === undefined)
      if (reply.type !== "presence") return
      conversation.members = new Map(reply.members.map((member) => [member.connection, member]))
      conversation.membersError = undefined
    } catch (error) {
      if (isLost(error)) return
      conversation.membersError = problemText(error)
    }
    this.#options.onChange()
  }

  /**
   * What to call someone: the name they gave last, else their user, else their connection.
   * @param {{ connection: string, user?: string | undefined }} who
   */
  nameOf({ connection, user }) {
    if (connection === this.welcome?.connection && this.#options.name !== "") return this.#options.name
    return this.conversations.nameOf(connection) ?? user ?? shortId(connection)
  }

  /** @param {Conversation} conversation */
  titleOf({ address }) {
    if (address.kind === "everyone") return "Everyone"
    if (address.kind === "server") return "Server"
    return address.kind === "connection" ? this.nameOf({ connection: address.name }) : address.name
  }

  /** @param {LinkState} state */
  #entered(state) {
    if (state.phase === "open") {
      this.welcome = state.welcome
      const { open } = this.conversations
      const shownFirst = this.conversations.all().toSorted((a, b) => Number(b === open) - Number(a === open))
      for (const { address } of shownFirst) if (address.kind === "room") void this.#join(address.name)
      void this.#ping()
    } else {
      this.conversations.disconnected()
      this.latency.clear()
    }
    this.#options.onState(state)
    this.#options.onChange()
  }

  /** @param {ServerMessage} message */
  #heard(message) {
    const { conversations } = this
    if (message.type === "error") return this.#options.onProblem(`${message.message} (${message.code})`)
    if (message.type === "message") {
      const conversation =
        message.room === undefined ? conversations.ensure({ kind: "everyone" }) : conversations.get({ kind: "room", name: message.room })
      if (conversation !== undefined) this.#said(conversation, message)
    } else if (message.type === "direct") {
      this.#said(this.#directFrom(message.from), message)
    } else if (message.type === "gap") {
      const conversation = message.room === undefined ? conversations.open : conversations.get({ kind: "room", name: message.room })
      const text = `${countText(message.dropped, "message")} had to be skipped: this connection was too slow to take them.`
      if (conversation === undefined) this.#options.onProblem(text)
      else this.#note(conversation, "warning", text)
    } else if (message.type === "member_joined" || message.type === "member_left") {
      this.#moved(message.room, message.member, message.type === "member_joined")
    }
    this.#options.onChange()
  }

  /**
   * @param {Conversation} conversation
   * @param {{ data: unknown, time: number, from?: { connection: string, user?: string | undefined } | undefined }} message
   */
  #said(conversation, { data, time, from }) {
    const name = chatOf(data)?.name
    if (from !== undefined && name !== undefined) this.conversations.learnName(from.connection, name)
    const own = from !== undefined && from.connection === this.welcome?.connection
    const sender = from === undefined ? "Server" : (name ?? this.nameOf(from))
    const said = { kind: /** @type {const} */ ("message"), time, own, sender, user: from?.user, connection: from?.connection, data }
    this.conversations.append(conversation, said, this.#isSeen(conversation))
    if (from !== undefined && conversation.members?.has(from.connection) === false) this.#refreshMembersSoon()
  }

  /** A message of an unknown member: the list is stale. */
  #refreshMembersSoon() {
    this.#refreshSoon ??= setTimeout(() => {
      this.#refreshSoon = undefined
      void this.refreshMembers()
    }, membersSoon)
  }

  /**
   * Answers go where they belong: to the conversation with that connection if there is one, else to that of its user.
   * @param {{ connection: string, user?: string | undefined } | undefined} from
   */
  #directFrom(from) {
    if (from === undefined) return this.conversations.ensure({ kind: "server" })
    const byConnection = this.conversations.get({ kind: "connection", name: from.connection })
    if (byConnection !== undefined) return byConnection
    const { connection, user } = from
    return this.conversations.ensure(user === undefined ? { kind: "connection", name: connection } : { kind: "user", name: user })
  }

  /**
   * @param {string} room
   * @param {Member} member
   * @param {boolean} came
   */
  #moved(room, member, came) {
    const conversation = this.conversations.get({ kind: "room", name: room })
    if (conversation === undefined) return
    conversation.tellsMembers = true
    if (came) conversation.members?.set(member.connection, member)
    else conversation.members?.delete(member.connection)
    if (member.connection !== this.welcome?.connection)
      this.#note(conversation, "info", `${this.nameOf(member)} ${came ? "joined" : "left"}.`)
  }

  /**
   * @param {Conversation} conversation
   * @param {"info" | "warning" | "error"} level
   * @param {string} text
   */
  #note(conversation, level, text) {
    this.conversations.append(conversation, { kind: "note", time: Date.now(), level, text }, true)
    this.#options.onChange()
  }

  /** @param {Conversation} conversation */
  #isSeen(conversation) {
    return this.conversations.openKey === conversation.key && this.#options.isVisible()
  }

  async #ping() {
    if (this.state.phase !== "open" || !this.#options.isVisible()) return
    const sent = performance.now()
    try {
      await this.#link.request({ type: "ping" }, true)
    } catch {
      return
    }
    this.latency.add(performance.now() - sent)
    this.#options.onChange()
  }
}
