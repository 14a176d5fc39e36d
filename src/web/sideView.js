// @ts-check
/**
 * The left side: rooms, direct conversations, and what this connection is.
 *
 * @import { Welcome } from "../wire/Messages.ts"
 * @import { Conversation } from "./conversations.js"
 */
import { byId, element } from "./dom.js"
import { countText, shortId } from "./format.js"

const rooms = byId("rooms", HTMLUListElement)
const directs = byId("directs", HTMLUListElement)
const about = byId("about", HTMLDListElement)

/**
 * @typedef {{
 *   readonly connected: boolean
 *   readonly openKey: string | undefined
 *   readonly titleOf: (conversation: Conversation) => string
 *   readonly onOpen: (conversation: Conversation) => void
 * }} SideContext
 */

/** @type {Map<string, HTMLLIElement>} kept, so that focus stays where it is */
const rows = new Map()

/**
 * @param {Conversation} conversation
 * @param {SideContext} context
 */
const row = (conversation, { connected, openKey, titleOf, onOpen }) => {
  const known = rows.get(conversation.key)
  const item = known ?? element("li", {}, element("button", { type: "button" }))
  rows.set(conversation.key, item)
  const button = item.querySelector("button")
  if (button === null) return item
  const absent = connected && conversation.address.kind === "room" && !conversation.joined && !conversation.joining
  const looks = `${titleOf(conversation)}\n${conversation.unread}\n${absent}`
  if (button.dataset.looks !== looks) {
    button.dataset.looks = looks
    const name = element("span", { class: "list-name" }, titleOf(conversation))
    button.replaceChildren(name)
    if (absent) name.append(element("span", { class: "away" }, "not joined"))
    if (conversation.unread > 0)
      button.append(
        element("span", { class: "badge", "aria-hidden": "true" }, conversation.unread > 99 ? "99+" : String(conversation.unread)),
        element("span", { class: "sr" }, `, ${countText(conversation.unread, "unread message")}`)
      )
  }
  button.onclick = () => onOpen(conversation)
  if (conversation.key === openKey) button.ariaCurrent = "true"
  else button.removeAttribute("aria-current")
  return item
}

/**
 * @param {HTMLUListElement} list
 * @param {ReadonlyArray<HTMLLIElement>} wanted
 */
const fill = (list, wanted) => {
  if (wanted.length !== list.children.length || wanted.some((item, at) => list.children[at] !== item)) list.replaceChildren(...wanted)
}

/**
 * @param {ReadonlyArray<Conversation>} conversations
 * @param {SideContext} context
 */
export const renderSide = (conversations, context) => {
  const keys = new Set(conversations.map(({ key }) => key))
  for (const key of rows.keys()) if (!keys.has(key)) rows.delete(key)
  const inRooms = conversations.filter(({ address }) => address.kind === "room")
  const others = conversations.filter(({ address }) => address.kind !== "room")
  fill(
    rooms,
    inRooms.map((conversation) => row(conversation, context))
  )
  fill(
    directs,
    others.map((conversation) => row(conversation, context))
  )
}

/**
 * @param {Welcome} welcome
 * @param {string} name
 * @param {string} encoding
 */
export const renderAbout = (welcome, name, encoding) => {
  /** @type {ReadonlyArray<[string, string | undefined, string?]>} */
  const facts = [
    ["Name", name === "" ? undefined : name],
    ["User", welcome.user],
    ["Connection", shortId(welcome.connection), welcome.connection],
    ["Node", welcome.node],
    ["Encoding", encoding]
  ]
  about.replaceChildren(
    ...facts.flatMap(([term, value, full]) =>
      value === undefined ? [] : [element("dt", {}, term), element("dd", { title: full ?? value }, value)]
    )
  )
}
