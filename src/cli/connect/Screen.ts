import { clearScreenDown, createInterface, cursorTo, type Interface, moveCursor } from "node:readline"
import type { Readable, Writable } from "node:stream"

/** Lines of output and, from `open` on, a prompt below them at which someone types. */
export class Screen {
  readonly #output: Writable
  #readline: Interface | undefined
  #prompt = ""
  #atPrompt = false

  constructor(output: Writable) {
    this.#output = output
  }

  /**
   * Reads lines at the prompt: `line` is called for each. Resolves when the person ends the input (Ctrl-D, Ctrl-C), or
   * with `close`.
   */
  open(input: Readable, line: (text: string) => void): Promise<void> {
    const readline = createInterface({ input, output: this.#output, terminal: true, historySize: 1_000, prompt: this.#prompt })
    this.#readline = readline
    return new Promise((resolve) => {
      readline.on("line", (text) => {
        this.#atPrompt = false
        line(text)
        this.#draw()
      })
      readline.once("SIGINT", () => this.close())
      readline.once("close", () => {
        this.#readline = undefined
        if (this.#atPrompt) this.#output.write("\n")
        resolve()
      })
      this.#draw()
    })
  }

  close(): void {
    this.#readline?.close()
  }

  /** Writes a line above the prompt; what is typed so far stays. */
  print(line: string): void {
    if (this.#readline === undefined) return void this.#output.write(`${line}\n`)
    moveCursor(this.#output, 0, -this.#readline.getCursorPos().rows)
    cursorTo(this.#output, 0)
    clearScreenDown(this.#output)
    this.#output.write(`${line}\n`)
    // readline would move up by the rows that its input took when it was last drawn.
    Reflect.set(this.#readline, "prevRows", 0)
    this.#draw()
  }

  prompt(text: string): void {
    this.#prompt = text
    this.#readline?.setPrompt(text)
    this.#draw()
  }

  #draw(): void {
    if (this.#readline === undefined) return
    this.#readline.prompt(true)
    this.#atPrompt = true
  }
}
