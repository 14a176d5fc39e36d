import { clearScreenDown, cursorTo, type Interface, moveCursor } from "node:readline"
import type { Writable } from "node:stream"

/** Lines above a prompt that someone may be typing at. */
export class Screen {
  readonly #readline: Interface
  readonly #output: Writable
  #closed = false

  constructor(readline: Interface, output: Writable) {
    this.#readline = readline
    this.#output = output
    readline.once("close", () => {
      this.#closed = true
    })
  }

  /** Writes a line above the prompt; what is typed so far stays. */
  print(line: string): void {
    const { rows } = this.#readline.getCursorPos()
    moveCursor(this.#output, 0, -rows)
    cursorTo(this.#output, 0)
    clearScreenDown(this.#output)
    // readline moves up by the rows that its input took before it draws again: they are given back.
    this.#output.write(`${line}\n${"\n".repeat(this.#closed ? 0 : rows)}`)
    this.refresh()
  }

  prompt(text: string): void {
    this.#readline.setPrompt(text)
    this.refresh()
  }

  /** Draws the prompt again with what is typed. */
  refresh(): void {
    if (!this.#closed) this.#readline.prompt(true)
  }
}
