// @ts-check
/**
 * The example client: puts the parts of the page together.
 *
 * @import { Conversation } from "./conversations.js"
 * @import { LinkState } from "./link.js"
 * @import { Settings } from "./settings.js"
 */
import { codecOf } from "./codec.js"
import { byId, coalesced } from "./dom.js"
import { countText, latencyText } from "./format.js"
import { showFrame } from "./framesView.js"
import { renderMembers } from "./membersView.js"
import { Session } from "./session.js"
import { formatHash, parseHash, tokenStore } from "./settings.js"
import { renderAbout, renderSide } from "./sideView.js"
import { renderTalk } from "./talkView.js"

const encodingNames = { json: "JSON", msgpack: "MessagePack" }
const phaseTexts = { connecting: "Connecting", open: "Connected", waiting: "Reconnecting", stopped: "Not connected" }

const input = (/** @type {string} */ id) => byId(id, HTMLInputElement)
const button = (/** @type {string} */ id) => byId(id, HTMLButtonElement)
const form = (/** @type {string} */ id) => byId(id, HTMLFormElement)
const box = (/** @type {string} */ id) => byId(id, HTMLElement)

const text = byId("text", HTMLTextAreaElement)
const latencyLine = byId("latency-line", SVGPolylineElement)

/** @type {Settings} */
let settings = parseHash(location.hash) ?? { name: "", encoding: "json", rooms: ["lobby"], open: "lobby", paused: true }
/** @type {Session | undefined} */
let session
/** Whether the present session was ever let in: until then a refusal leads back to the form. */
let letIn = false

const isTouch = () => matchMedia("(pointer: coarse)").matches

/** Answers whether the server that refused a connection is there at all. */
const isThere = async () => {
  try {
    const { status } = await fetch("/health/ready", { cache: "no-store" })
    return status === 503 ? "busy" : "ready"
  } catch {
    return "away"
  }
}

const hub = () => {
  const url = new URL("/ws", location.href)
  url.protocol = location.protocol === "https:" ? "wss:" : "ws:"
  url.hash = ""
  return url.href
}

// --- what stands in the address -------------------------------------------------------------------------------------

const remember = () => {
  if (session !== undefined) {
    const { conversations } = session
    const open = conversations.open?.address
    settings = { ...settings, rooms: conversations.rooms(), open: open?.kind === "room" ? open.name : settings.open, paused: false }
  }
  const hash = formatHash(settings)
  if (hash !== location.hash) history.replaceState(null, "", hash)
}

// --- showing --------------------------------------------------------------------------------------------------------

/** @param {string} [problem] */
const alertWith = (problem) => {
  box("alert").hidden = problem === undefined
  box("alert-text").textContent = problem ?? ""
}

/** @param {LinkState} state */
const showState = (state) => {
  const { phase } = state
  box("state").dataset.phase = phase
  const known = box("state-text")
  if (known.textContent !== phaseTexts[phase]) known.textContent = phaseTexts[phase]
  box("banner").hidden = !letIn || phase === "open"
  if (phase === "waiting" || phase === "stopped") box("banner-text").textContent = letIn ? `${state.reason}.` : ""
  showCountdown()
  button("disconnect").hidden = session === undefined
  box("latency").hidden = phase !== "open"
  text.setAttribute("aria-describedby", "composer-hint")
}

const showCountdown = () => {
  const state = session?.state
  const seconds = state?.phase === "waiting" ? Math.max(0, Math.ceil((state.until - Date.now()) / 1000)) : 0
  box("banner-countdown").textContent = seconds > 0 ? `Next attempt in ${seconds} s.` : ""
}

/**
 * @param {Conversation | undefined} open
 * @param {boolean} connected
 */
const subtitle = (open, connected) => {
  if (open === undefined) return "Join a room to talk."
  const { address, joined, joining, members, count } = open
  if (address.kind === "room" && joined) return countText(members?.size ?? count, "member")
  if (address.kind === "room") return connected ? (joining ? "Joining" : "Not joined") : "Not connected"
  if (address.kind === "user") return "Direct, to every connection of this user"
  if (address.kind === "connection") return "Direct, to this one connection"
  return address.kind === "everyone" ? "Sent to everyone who is connected" : "Sent to you by the server"
}

/** @param {Conversation | undefined} open */
const hint = (open) => {
  if (open === undefined || session === undefined || session.canSay(open) || open.joining) return ""
  return session.state.phase === "open" ? "Not in this room." : "Not connected. What you write stays here."
}

const showLatency = () => {
  const { last, median, best } = session?.latency ?? {}
  box("latency-last").textContent = last === undefined ? "–" : latencyText(last)
  latencyLine.setAttribute("points", session?.latency.points(72, 18) ?? "")
  if (median !== undefined && best !== undefined)
    box("latency").title = `Round trip of a ping, every two seconds. Median ${latencyText(median)}, best ${latencyText(best)}`
}

/** @type {string | undefined} whose draft stands in the message field */
let draftOf

/** @param {Conversation | undefined} open */
const showComposer = (open) => {
  if (session === undefined) return
  const title = open === undefined ? "Not in a room" : session.titleOf(open)
  box("talk-title").textContent = title
  box("talk-sub").textContent = subtitle(open, session.state.phase === "open")
  button("leave").hidden = open === undefined
  button("leave").textContent = open?.address.kind === "room" ? "Leave" : "Close"
  const mayJoin = open?.address.kind === "room" && !open.joined && !open.joining && session.state.phase === "open"
  button("rejoin").hidden = !mayJoin
  form("composer").hidden = open === undefined || !("name" in open.address)
  box("composer-hint").textContent = hint(open)
  button("send").ariaDisabled = String(open === undefined || !session.canSay(open))
  box("text-label").textContent = `Message to ${title}`
  text.placeholder = `Message to ${title}`
  if (draftOf !== open?.key) {
    draftOf = open?.key
    text.value = open?.draft ?? ""
  }
}

const paint = () => {
  if (session === undefined) return
  const { conversations, welcome } = session
  const open = conversations.open
  const nameOf = session.nameOf.bind(session)
  const side = { connected: session.state.phase === "open", titleOf: session.titleOf.bind(session), onOpen: openConversation }
  renderSide(conversations.all(), { ...side, openKey: conversations.openKey })
  renderTalk(open)
  showComposer(open)
  renderMembers(open, { me: welcome?.connection, nameOf, now: Date.now(), onDirect: openDirect })
  if (welcome !== undefined) renderAbout(welcome, settings.name, encodingNames[settings.encoding])
  showLatency()
}

const render = coalesced(paint)

/** The title and the count of unread messages have to be right in a tab that is not painted, too. */
const showUnread = () => {
  const { conversations } = session ?? {}
  const unread = conversations?.all().reduce((sum, conversation) => sum + conversation.unread, 0) ?? 0
  const open = conversations?.open
  const title = open === undefined || session === undefined ? "Weft" : `${session.titleOf(open)} – Weft`
  document.title = unread > 0 ? `(${unread}) ${title}` : title
  box("tab-unread").hidden = unread === 0
  box("tab-unread").textContent = unread > 99 ? "99+" : String(unread)
}

const changed = () => {
  remember()
  showUnread()
  render()
}

/** @param {string} view */
const showView = (view) => {
  document.body.dataset.view = view
  for (const tab of document.querySelectorAll(".tabs button")) {
    if (tab instanceof HTMLElement && tab.dataset.show === view) tab.ariaCurrent = "page"
    else tab.removeAttribute("aria-current")
  }
  render()
}

/** Shows the open conversation at once, since what is typed from here on belongs to it. */
const toComposer = () => {
  showView("talk")
  paint()
  if (!isTouch()) text.focus()
}

// --- coming and going -----------------------------------------------------------------------------------------------

const start = () => {
  letIn = false
  alertWith()
  session = new Session({
    url: hub(),
    codec: codecOf(settings.encoding),
    token: tokenStore.get(),
    name: settings.name,
    rooms: settings.rooms,
    open: settings.open,
    isThere,
    isVisible: () => document.visibilityState === "visible",
    onChange: changed,
    onState: entered,
    onFrame: showFrame,
    onProblem: alertWith
  })
  session.connect()
}

/** @param {LinkState} state */
const entered = (state) => {
  if (state.phase === "open" && !letIn) {
    letIn = true
    showSession(true)
    toComposer()
  }
  showState(state)
  const connect = form("connect").querySelector("button")
  if (connect !== null) connect.disabled = state.phase === "connecting"
  if (letIn) return
  if (state.phase === "stopped") backToForm(state.reason)
  if (state.phase === "waiting") alertWith(`${state.reason}. Trying again.`)
}

/** @param {boolean} on */
const showSession = (on) => {
  alertWith()
  document.body.dataset.session = on ? "on" : "off"
  box("session").hidden = !on
  box("welcome").hidden = on
}

/** @param {string} [problem] */
const backToForm = (problem) => {
  const ended = session
  session = undefined
  letIn = false
  if (ended?.state.phase !== "stopped") ended?.stop()
  settings = { ...settings, paused: true }
  remember()
  showSession(false)
  showUnread()
  showState({ phase: "stopped", reason: "" })
  fillForm()
  alertWith(problem === undefined || problem === "" ? undefined : `${problem}.`)
}

const fillForm = () => {
  input("name").value = settings.name
  input("first-room").value = settings.open ?? "lobby"
  input("token").value = tokenStore.get()
  for (const radio of document.getElementsByName("encoding"))
    if (radio instanceof HTMLInputElement) radio.checked = radio.value === settings.encoding
}

form("connect").onsubmit = (event) => {
  event.preventDefault()
  const fields = new FormData(form("connect"))
  const room = String(fields.get("room"))
  const rooms = settings.rooms.includes(room) ? settings.rooms : [room, ...(settings.rooms.length > 1 ? settings.rooms : [])]
  tokenStore.set(String(fields.get("token")).trim())
  const encoding = fields.get("encoding") === "msgpack" ? "msgpack" : "json"
  settings = { name: String(fields.get("name")).trim(), encoding, rooms, open: room, paused: false }
  start()
}

button("disconnect").onclick = () => {
  tokenStore.set("")
  backToForm()
  input("name").focus()
}

button("retry").onclick = () => session?.connect()
button("alert-close").onclick = () => alertWith()

// --- conversations --------------------------------------------------------------------------------------------------

/** @param {Conversation} conversation */
const openConversation = (conversation) => {
  session?.show(conversation.key)
  toComposer()
}

/** @param {{ connection: string, user?: string | undefined }} who */
const openDirect = ({ connection, user }) => {
  session?.begin(user === undefined ? { kind: "connection", name: connection } : { kind: "user", name: user })
  toComposer()
}

form("join").onsubmit = (event) => {
  event.preventDefault()
  const field = input("join-room")
  void session?.join(field.value)
  field.value = ""
  toComposer()
}

form("direct").onsubmit = (event) => {
  event.preventDefault()
  const kind = byId("direct-kind", HTMLSelectElement).value === "connection" ? "connection" : "user"
  session?.begin({ kind, name: input("direct-name").value.trim() })
  input("direct-name").value = ""
  byId("direct-new", HTMLDetailsElement).open = false
  toComposer()
}

button("leave").onclick = () => {
  const open = session?.conversations.open
  if (open === undefined) return
  void session?.leave(open)
  if (session?.conversations.open === undefined) {
    showView("rooms")
    input("join-room").focus()
  }
}

button("rejoin").onclick = () => {
  const open = session?.conversations.open
  if (open?.address.kind === "room") void session?.join(open.address.name)
}

// --- writing --------------------------------------------------------------------------------------------------------

const grow = () => {
  text.style.height = "auto"
  text.style.height = `${text.scrollHeight}px`
}

text.oninput = () => {
  const open = session?.conversations.open
  if (open !== undefined) open.draft = text.value
  grow()
}

text.onkeydown = (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return
  event.preventDefault()
  form("composer").requestSubmit()
}

form("composer").onsubmit = async (event) => {
  event.preventDefault()
  const open = session?.conversations.open
  const said = text.value.trim()
  if (session === undefined || open === undefined || said === "" || !session.canSay(open)) return
  text.value = open.draft = ""
  grow()
  const taken = await session.say(open, said)
  if (taken || open.draft !== "") return
  open.draft = said
  if (session.conversations.open === open) {
    text.value = said
    grow()
  }
}

// --- the page itself ------------------------------------------------------------------------------------------------

for (const tab of document.querySelectorAll(".tabs button"))
  if (tab instanceof HTMLElement) tab.onclick = () => showView(tab.dataset.show ?? "talk")

const skip = document.querySelector(".skip")
if (skip instanceof HTMLElement)
  skip.onclick = (event) => {
    event.preventDefault()
    if (session === undefined) input("name").focus()
    else {
      showView("talk")
      text.focus()
    }
  }

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible" && session?.conversations.openKey !== undefined) session.show(session.conversations.openKey)
})
addEventListener("online", () => session?.state.phase === "waiting" && session.connect())
addEventListener("hashchange", () => location.reload())
setInterval(showCountdown, 500)

fillForm()
showView("talk")
showState({ phase: "stopped", reason: "" })
if (!settings.paused) start()
