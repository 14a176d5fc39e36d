// @ts-check
/**
 * Who is in the open room.
 *
 * @import { Member } from "../wire/Messages.ts"
 * @import { Conversation } from "./conversations.js"
 */
import { byId, element } from "./dom.js"
import { ageText, countText, fullTimeText, hueOf, initialsOf, shortId } from "./format.js"

const mostShown = 200

const list = byId("members", HTMLUListElement)
const note = byId("members-note", HTMLParagraphElement)

/**
 * @typedef {object} MembersContext
 * @property {string | undefined} me this connection
 * @property {(member: { connection: string, user?: string | undefined }) => string} nameOf
 * @property {number} now
 * @property {(member: Member) => void} onDirect
 */

/** @type {Map<string, { row: HTMLLIElement, looks: string }>} the rows in the list, so that an unchanged one, and its focus, stays */
let rows = new Map()

/**
 * @param {Member} member
 * @param {MembersContext} context
 */
const person = (member, { me, nameOf, now, onDirect }) => {
  const name = nameOf(member)
  const own = member.connection === me
  const detail = [member.user, shortId(member.connection), ageText(now - member.since)]
    .filter((part) => part !== undefined && part !== name)
    .join(" · ")
  const looks = `${own}\n${name}\n${detail}`
  const known = rows.get(member.connection)
  if (known?.looks === looks) return known
  const avatar = element("span", { class: `avatar hue-${hueOf(name)}`, "aria-hidden": "true" }, initialsOf(name))
  const title = element("span", { class: "person-name" }, name)
  if (own) title.append(element("span", { class: "you" }, "you"))
  const hover = `${member.connection}, here since ${fullTimeText(member.since)}`
  const names = element("span", { class: "person-names" }, title, element("span", { class: "person-detail", title: hover }, detail))
  const row = element("li", { class: "person" }, avatar, names)
  if (!own) {
    const button = element("button", { type: "button", class: "quiet small", "aria-label": `Message ${name}` }, "Message")
    button.onclick = () => onDirect(member)
    row.append(button)
  }
  return { row, looks }
}

/**
 * @param {Conversation | undefined} conversation
 * @param {MembersContext} context
 */
export const renderMembers = (conversation, context) => {
  const members = conversation?.members === undefined ? [] : [...conversation.members.values()]
  members.sort((a, b) => Number(b.connection === context.me) - Number(a.connection === context.me) || a.since - b.since)
  const next = new Map(members.slice(0, mostShown).map((member) => [member.connection, person(member, context)]))
  const wanted = [...next.values()].map(({ row }) => row)
  if (wanted.length !== list.children.length || wanted.some((row, at) => list.children[at] !== row)) list.replaceChildren(...wanted)
  rows = next
  note.textContent = noteText(conversation, members.length)
}

/**
 * @param {Conversation | undefined} conversation
 * @param {number} known
 */
const noteText = (conversation, known) => {
  if (conversation === undefined) return ""
  if (conversation.address.kind !== "room") return "Only rooms have members."
  if (conversation.membersError !== undefined) return `This room does not show who is in it: ${conversation.membersError}.`
  if (conversation.members === undefined) return conversation.joined ? countText(conversation.count, "member") : "Not in this room now."
  return known > mostShown ? `and ${known - mostShown} more` : ""
}
