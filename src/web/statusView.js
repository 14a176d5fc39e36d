// @ts-check
/**
 * The head of the page and the lines below it: state of the connection, latency, errors, and the title with the count
 * of what is unread.
 *
 * @import { Conversation } from "./conversations.js"
 * @import { Latency } from "./latency.js"
 * @import { LinkState } from "./link.js"
 */
import { byId } from "./dom.js"
import { latencyText } from "./format.js"

const phaseTexts = { connecting: "Connecting", open: "Connected", waiting: "Reconnecting", stopped: "Not connected" }

const box = (/** @type {string} */ id) => byId(id, HTMLElement)
const latencyLine = byId("latency-line", SVGPolylineElement)

/**
 * Shows an error that belongs to no conversation, or takes it away.
 * @param {string} [problem]
 */
export const showProblem = (problem) => {
  box("alert").hidden = problem === undefined
  box("alert-text").textContent = problem ?? ""
}

byId("alert-close", HTMLButtonElement).onclick = () => showProblem()

/** @type {LinkState} */
let shown = { phase: "stopped", reason: "" }

/**
 * @param {LinkState} state
 * @param {boolean} letIn whether the connection was open before, so that a line says why it is not now
 */
export const showState = (state, letIn) => {
  shown = state
  const { phase } = state
  box("state").dataset.phase = phase
  const text = box("state-text")
  if (text.textContent !== phaseTexts[phase]) text.textContent = phaseTexts[phase]
  box("latency").hidden = phase !== "open"
  box("banner").hidden = !letIn || phase === "open"
  if (phase === "waiting" || phase === "stopped") box("banner-text").textContent = letIn ? `${state.reason}.` : ""
  showCountdown()
}

const showCountdown = () => {
  const seconds = shown.phase === "waiting" ? Math.max(0, Math.ceil((shown.until - Date.now()) / 1000)) : 0
  box("banner-countdown").textContent = seconds > 0 ? `Next attempt in ${seconds} s.` : ""
}

setInterval(showCountdown, 500)

/** @param {Latency} latency */
export const showLatency = (latency) => {
  const { last, median, best } = latency
  box("latency-last").textContent = last === undefined ? "–" : latencyText(last)
  latencyLine.setAttribute("points", latency.points(72, 18))
  if (median !== undefined && best !== undefined)
    box("latency").title = `Round trip of a ping, every two seconds. Median ${latencyText(median)}, best ${latencyText(best)}`
}

/**
 * @param {string | undefined} title of the open conversation
 * @param {ReadonlyArray<Conversation>} conversations
 */
export const showUnread = (title, conversations) => {
  const unread = conversations.reduce((sum, conversation) => sum + conversation.unread, 0)
  const name = title === undefined ? "Weft" : `${title} – Weft`
  document.title = unread > 0 ? `(${unread}) ${name}` : name
  box("tab-unread").hidden = unread === 0
  box("tab-unread").textContent = unread > 99 ? "99+" : String(unread)
}
