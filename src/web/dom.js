// @ts-check
/** Building and finding elements. Text only ever becomes a text node, never markup. */

/**
 * The element with that id. The page and its script come from one server: a missing one is a fault of theirs.
 * @template {Element} E
 * @param {string} id
 * @param {new () => E} type
 * @returns {E}
 */
export const byId = (id, type) => {
  const element = document.getElementById(id)
  if (element instanceof type) return element
  throw new Error(`the page has no ${type.name} with the id ${id}`)
}

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, string | boolean>} attributes true: set without a value; false: not set
 * @param {ReadonlyArray<Node | string>} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export const element = (tag, attributes = {}, ...children) => {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) if (value !== false) made.setAttribute(name, value === true ? "" : value)
  made.append(...children)
  return made
}

/**
 * Runs `render` before the next paint, once, however often it is asked for.
 * @param {() => void} render
 */
export const coalesced = (render) => {
  let asked = false
  return () => {
    if (asked) return
    asked = true
    requestAnimationFrame(() => {
      asked = false
      render()
    })
  }
}

/**
 * Keeps a scrolled box at its end, when it grows or changes its size, for as long as its reader leaves it there.
 * Gives a function to call when its content has changed; `true` goes to the end in any case.
 * @param {HTMLElement} box
 */
export const keepAtEnd = (box) => {
  let kept = true
  let sizes = ""
  // A scroll event may come late, when the box has another size: then the distance to its end is nobody's wish.
  const scrolled = () => {
    const before = sizes
    sizes = `${box.clientHeight} ${box.scrollHeight}`
    const near = box.scrollHeight - box.scrollTop - box.clientHeight < 48
    if (near || sizes === before) kept = near
  }
  box.addEventListener("scroll", scrolled, { passive: true })
  const follow = (force = false) => {
    kept ||= force
    if (kept) box.scrollTop = box.scrollHeight
    sizes = `${box.clientHeight} ${box.scrollHeight}`
  }
  new ResizeObserver(() => follow()).observe(box)
  return follow
}
