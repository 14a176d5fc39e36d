// @ts-check
/**
 * What stands around the messages of the open conversation: its title, and the field to write in.
 *
 * @import { Conversation } from "./conversations.js"
 * @import { Session } from "./session.js"
 */
import { byId } from "./dom.js"
import { countText } from "./format.js"

const box = (/** @type {string} */ id) => byId(id, HTMLElement)
const composer = byId("composer", HTMLFormElement)
const text = byId("text", HTMLTextAreaElement)

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

/** @type {string | undefined} whose draft stands in the field */
let draftOf

/** @param {Session} session */
export const showComposer = (session) => {
  const { open } = session.conversations
  const connected = session.state.phase === "open"
  const title = open === undefined ? "Not in a room" : session.titleOf(open)
  const isRoom = open?.address.kind === "room"
  const canSay = open !== undefined && session.canSay(open)
  box("talk-title").textContent = title
  box("talk-sub").textContent = subtitle(open, connected)
  box("leave").hidden = open === undefined
  box("leave").textContent = isRoom ? "Leave" : "Close"
  box("rejoin").hidden = !(isRoom && connected && !open.joined && !open.joining)
  composer.hidden = open === undefined || !("name" in open.address)
  box("composer-hint").textContent =
    canSay || open?.joining ? "" : connected ? "Not in this room." : "Not connected. What you write stays here."
  box("send").ariaDisabled = String(!canSay)
  box("text-label").textContent = text.placeholder = `Message to ${title}`
  if (draftOf === open?.key) return
  draftOf = open?.key
  put(open?.draft ?? "")
}

/** Puts text into the field, which is as high as it needs. @param {string} draft */
const put = (draft) => {
  text.value = draft
  grow()
}

const grow = () => {
  text.style.height = "auto"
  text.style.height = `${text.scrollHeight}px`
}

/**
 * Enter sends, Shift and Enter begin a new line. What was certainly not sent comes back into the field.
 * @param {() => Session | undefined} present the session at that time
 */
export const wireComposer = (present) => {
  text.oninput = () => {
    const open = present()?.conversations.open
    if (open !== undefined) open.draft = text.value
    grow()
  }

  text.onkeydown = (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return
    event.preventDefault()
    composer.requestSubmit()
  }

  composer.onsubmit = async (event) => {
    event.preventDefault()
    const session = present()
    const open = session?.conversations.open
    const said = text.value.trim()
    if (session === undefined || open === undefined || said === "" || !session.canSay(open)) return
    open.draft = ""
    put("")
    const taken = await session.say(open, said)
    if (taken || open.draft !== "") return
    open.draft = said
    if (session.conversations.open === open) put(said)
  }
}
