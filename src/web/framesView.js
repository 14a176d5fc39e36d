// @ts-check
/**
 * The raw frames: the last 200, oldest first. A frame that is chosen, by click or arrow keys, shows all of itself.
 *
 * @import { Frame } from "./link.js"
 */
import { byId, coalesced, element, keepAtEnd } from "./dom.js"
import { dataText, hexText, secondsText, sizeText } from "./format.js"

const mostFrames = 200
const longestLine = 300

const list = byId("frames", HTMLDivElement)
const total = byId("frames-total", HTMLParagraphElement)
const withBackground = byId("frames-background", HTMLInputElement)
const pause = byId("frames-pause", HTMLButtonElement)
const follow = keepAtEnd(list)

/** @type {Map<string, Frame>} by the id of their element */
const byElement = new Map()
/** @type {Array<Frame>} what came since the last paint */
let fresh = []
let nextId = 0
let paused = false
const bytes = { in: 0, out: 0 }
/** @type {Element | undefined} */
let chosen

/** @param {unknown} value */
const typeOf = (value) => (typeof value === "object" && value !== null && "type" in value ? String(value.type).slice(0, 40) : "?")

/**
 * All but the type, which stands above it, in one line.
 * @param {Frame} frame
 */
const lineText = ({ value }) => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return dataText(value).slice(0, longestLine)
  const { type: _, ...fields } = /** @type {Record<string, unknown>} */ (value)
  return dataText(fields).slice(0, longestLine)
}

/** @param {Frame} frame */
const fullText = (frame) => {
  const text = dataText(frame.value, 2)
  return frame.bytes === undefined ? text : `${text}\n\n${hexText(frame.bytes)}`
}

/** @param {Frame} frame */
const row = (frame) => {
  const id = `frame-${nextId++}`
  byElement.set(id, frame)
  const way = frame.direction === "in" ? "received" : "sent"
  return element(
    "div",
    { class: `frame ${frame.direction}`, role: "option", id, "aria-selected": "false" },
    element("span", { class: "frame-way", "aria-hidden": "true" }, frame.direction === "in" ? "↓" : "↑"),
    element("span", { class: "frame-type" }, element("span", { class: "sr" }, `${way} `), typeOf(frame.value)),
    element("span", { class: "frame-meta" }, `${sizeText(frame.size)} · ${secondsText(frame.time)}`),
    element("code", { class: "frame-text" }, lineText(frame))
  )
}

/**
 * Shows all of one frame and of no other.
 * @param {Element | undefined} next
 */
const choose = (next) => {
  if (chosen !== undefined) {
    chosen.ariaSelected = "false"
    const frame = byElement.get(chosen.id)
    const text = chosen.querySelector("code")
    if (frame !== undefined && text !== null) text.textContent = lineText(frame)
  }
  chosen = next
  if (next === undefined) return list.removeAttribute("aria-activedescendant")
  next.ariaSelected = "true"
  list.setAttribute("aria-activedescendant", next.id)
  const frame = byElement.get(next.id)
  const text = next.querySelector("code")
  if (frame !== undefined && text !== null) text.textContent = fullText(frame)
  next.scrollIntoView({ block: "nearest" })
}

const render = coalesced(() => {
  total.textContent = `↓ ${sizeText(bytes.in)}  ↑ ${sizeText(bytes.out)}`
  list.append(...fresh.map(row))
  fresh = []
  while (list.children.length > mostFrames) {
    const oldest = list.firstElementChild
    if (oldest === null) break
    if (oldest === chosen) choose(undefined)
    byElement.delete(oldest.id)
    oldest.remove()
  }
  if (chosen === undefined) follow()
})

/**
 * Counts a frame, and lists it unless the list is paused or the frame is background traffic that nobody asked for.
 * @param {Frame} frame
 */
export const showFrame = (frame) => {
  bytes[frame.direction] += frame.size
  if (!paused && (withBackground.checked || !frame.background)) {
    fresh.push(frame)
    if (fresh.length > mostFrames) fresh.shift()
  }
  render()
}

list.addEventListener("click", (event) => {
  const frame = event.target instanceof Element ? event.target.closest(".frame") : null
  if (frame === null || (frame === chosen && getSelection()?.isCollapsed === false)) return
  choose(frame === chosen ? undefined : frame)
})

list.addEventListener("keydown", (event) => {
  const { key } = event
  if (!["ArrowDown", "ArrowUp", "Home", "End", "Escape"].includes(key)) return
  event.preventDefault()
  if (key === "Escape") return choose(undefined)
  const last = list.lastElementChild ?? undefined
  const next = {
    ArrowDown: chosen?.nextElementSibling ?? chosen ?? last,
    ArrowUp: chosen?.previousElementSibling ?? chosen ?? last,
    Home: list.firstElementChild ?? undefined,
    End: last
  }[key]
  choose(next)
})

pause.onclick = () => {
  paused = !paused
  pause.ariaPressed = String(paused)
}

byId("frames-clear", HTMLButtonElement).onclick = () => {
  choose(undefined)
  byElement.clear()
  fresh = []
  list.replaceChildren()
}
