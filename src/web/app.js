// @ts-check
/**
 * The example client: puts the parts of the page together.
 *
 * @import { Conversation } from "./conversations.js"
 * @import { LinkState } from "./link.js"
 * @import { Settings } from "./settings.js"
 */
import { codecOf } from "./codec.js"
import { showComposer, wireComposer } from "./composerView.js"
import { byId, coalesced } from "./dom.js"
import { showFrame } from "./framesView.js"
import { renderMembers } from "./membersView.js"
import { Session } from "./session.js"
import { formatHash, parseHash, tokenStore } from "./settings.js"
import { renderAbout, renderSide } from "./sideView.js"
import { showLatency, showProblem, showState, showUnread } from "./statusView.js"
import { renderTalk } from "./talkView.js"

const encodingNames = { json: "JSON", msgpack: "MessagePack" }

const input = (/** @type {string} */ id) => byId(id, HTMLInputElement)
const button = (/** @type {string} */ id) => byId(id, HTMLButtonElement)
const form = (/** @type {string} */ id) => byId(id, HTMLFormElement)
const box = (/** @type {string} */ id) => byId(id, HTMLElement)

const text = byId("text", HTMLTextAreaElement)

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

const paint = () => {
  if (session === undefined) return
  const { conversations, welcome } = session
  const open = conversations.open
  const nameOf = session.nameOf.bind(session)
  const side = { connected: session.state.phase === "open", titleOf: session.titleOf.bind(session), onOpen: openConversation }
  renderSide(conversations.all(), { ...side, openKey: conversations.openKey })
  renderTalk(open)
  showComposer(session)
  renderMembers(open, { me: welcome?.connection, nameOf, now: Date.now(), onDirect: openDirect })
  if (welcome !== undefined) renderAbout(welcome, settings.name, encodingNames[settings.encoding])
  showLatency(session.latency)
}

const render = coalesced(paint)

const changed = () => {
  remember()
  // Not at the next paint: the title has to be right in a tab that is not painted, too.
  showTitle()
  render()
}

const showTitle = () => {
  const open = session?.conversations.open
  showUnread(open === undefined ? undefined : session?.titleOf(open), session?.conversations.all() ?? [])
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
  showProblem()
  session?.stop()
  const begun = new Session({
    url: hub(),
    codec: codecOf(settings.encoding),
    token: tokenStore.get(),
    name: settings.name,
    rooms: settings.rooms,
    open: settings.open,
    isThere,
    isVisible: () => document.visibilityState === "visible",
    onChange: changed,
    onState: (state) => session === begun && entered(state),
    onFrame: showFrame,
    onProblem: showProblem
  })
  session = begun
  begun.connect()
}

/** @param {LinkState} state */
const entered = (state) => {
  if (state.phase === "open" && !letIn) {
    letIn = true
    showSession(true)
    toComposer()
  }
  showState(state, letIn)
  button("disconnect").hidden = false
  if (letIn) return
  if (state.phase === "stopped") backToForm(state.reason)
  if (state.phase === "waiting") {
    showSession(false)
    showProblem(`${state.reason}. Trying again.`)
  }
}

/** @param {boolean} on */
const showSession = (on) => {
  showProblem()
  document.body.dataset.session = on ? "on" : "off"
  box("session").hidden = !on
  box("welcome").hidden = on
}

/** @param {string} [problem] */
const backToForm = (problem) => {
  const ended = session
  session = undefined
  letIn = false
  ended?.stop()
  settings = { ...settings, paused: true }
  remember()
  showSession(false)
  showTitle()
  showState({ phase: "stopped", reason: "" }, false)
  button("disconnect").hidden = true
  fillForm()
  showProblem(problem === undefined || problem === "" ? undefined : `${problem}.`)
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
  const name = input("direct-name").value.trim()
  if (name === "") return
  session?.begin({ kind, name })
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

wireComposer(() => session)
fillForm()
showView("talk")
if (!settings.paused) {
  box("welcome").hidden = true
  start()
}
