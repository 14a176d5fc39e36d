// @ts-check
/**
 * The middle of the page: the open conversation's messages. Only what is new is added, so that a screen reader
 * announces each message once and a busy room costs no more than its messages.
 *
 * @import { Conversation, Entry, Said } from "./conversations.js"
 */
import { byId, element, keepAtEnd } from "./dom.js"
import { chatOf, dataText, fullTimeText, hueOf, initialsOf, timeText } from "./format.js"

const groupWithin = 5 * 60_000

const log = byId("log", HTMLDivElement)
const list = byId("log-list", HTMLOListElement)
const follow = keepAtEnd(log)
/** @type {{ key: string | undefined, from: number, to: number }} which entries stand in the log: `from` up to, not including, `to` */
let shown = { key: undefined, from: 0, to: 0 }

/** @param {Said} said */
const senderKey = (said) => `${said.own}\n${said.connection}\n${said.sender}`

/** @param {Said} said */
const body = (said) => {
  const chat = chatOf(said.data)
  if (chat !== undefined) return element("p", { class: "text", dir: "auto" }, chat.text)
  return element("pre", { class: "data" }, dataText(said.data, 2))
}

/**
 * @param {Said} said
 * @param {boolean} follows the message before it has the same sender
 */
const message = (said, follows) => {
  const who = element("span", { class: follows ? "sender sr" : "sender" }, said.own ? "You" : said.sender)
  if (said.user !== undefined && said.user !== said.sender && !said.own) who.append(element("span", { class: "user" }, ` ${said.user}`))
  const avatar = element("span", { class: `avatar hue-${hueOf(said.sender)}`, "aria-hidden": "true" }, initialsOf(said.sender))
  const time = element("time", { datetime: new Date(said.time).toISOString(), title: fullTimeText(said.time) }, timeText(said.time))
  const bubble = element("div", { class: "bubble" }, body(said), time)
  return element("li", { class: `message${said.own ? " own" : ""}${follows ? " follows" : ""}` }, avatar, who, bubble)
}

/**
 * @param {Entry} entry
 * @param {Entry | undefined} before
 */
const row = (entry, before) => {
  if (entry.kind === "note") return element("li", { class: `note ${entry.level}` }, element("span", {}, entry.text))
  const follows = before?.kind === "message" && senderKey(before) === senderKey(entry) && entry.time - before.time < groupWithin
  return message(entry, follows)
}

const emptyTexts = {
  room: "Nothing said yet since you came. Say something.",
  user: "What you send here goes to every connection of this user.",
  connection: "What you send here goes to this one connection.",
  everyone: "",
  server: ""
}

/** @param {Conversation | undefined} conversation */
export const renderTalk = (conversation) => {
  const entries = conversation?.entries ?? []
  const first = entries[0]?.serial ?? 0
  const end = (entries.at(-1)?.serial ?? -1) + 1
  const anew = shown.key !== conversation?.key || first >= shown.to
  if (anew) {
    log.ariaBusy = "true"
    list.replaceChildren()
    shown = { key: conversation?.key, from: first, to: first }
  }
  for (; shown.from < first; shown.from++) list.firstElementChild?.remove()
  const added = entries.filter((entry) => entry.serial >= shown.to)
  list.append(...added.map((entry) => row(entry, entries[entry.serial - first - 1])))
  shown.to = Math.max(shown.to, end)
  log.dataset.empty = conversation !== undefined && entries.length === 0 ? emptyTexts[conversation.address.kind] : ""
  log.ariaBusy = "false"
  follow(anew)
}
