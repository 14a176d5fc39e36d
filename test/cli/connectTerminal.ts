/** A terminal to type at and to look at, as far as `weft connect` uses one: lines, and the control sequences of readline. */
import { PassThrough, Writable } from "node:stream"
import type { Io } from "../../src/cli/connect/Io.ts"

class TerminalOutput extends Writable {
  readonly isTTY = true
  readonly rows = 1_000
  readonly columns: number
  readonly lines: Array<string> = [""]
  #row = 0
  #column = 0

  constructor(columns: number) {
    super({ decodeStrings: false })
    this.columns = columns
  }

  override _write(chunk: string | Buffer, _: string, done: () => void): void {
    for (const [, sequence, , digits, command, char] of String(chunk).matchAll(/(\u001b\[(\?)?(\d*)(?:;\d+)?([A-Za-z]))|([\s\S])/g)) {
      if (sequence === undefined) this.#put(char ?? "")
      else this.#control(command ?? "", digits === "" ? undefined : Number(digits))
    }
    done()
  }

  #put(char: string): void {
    if (char === "\r") this.#column = 0
    else if (char === "\n") {
      this.#row++
      this.#column = 0
    } else {
      if (this.#column === this.columns) {
        this.#row++
        this.#column = 0
      }
      this.#edit((line) => line.padEnd(this.#column).slice(0, this.#column) + char + line.slice(this.#column + 1))
      this.#column++
    }
    while (this.lines.length <= this.#row) this.lines.push("")
  }

  #control(command: string, count: number | undefined): void {
    if (command === "A") this.#row = Math.max(0, this.#row - (count ?? 1))
    else if (command === "B") this.#row += count ?? 1
    else if (command === "C") this.#column += count ?? 1
    else if (command === "D") this.#column = Math.max(0, this.#column - (count ?? 1))
    else if (command === "G") this.#column = (count ?? 1) - 1
    else if (command === "J" || command === "K") {
      this.#edit((line) => line.slice(0, this.#column))
      if (command === "J") this.lines.length = this.#row + 1
    }
    while (this.lines.length <= this.#row) this.lines.push("")
  }

  #edit(change: (line: string) => string): void {
    while (this.lines.length <= this.#row) this.lines.push("")
    this.lines[this.#row] = change(this.lines[this.#row] ?? "")
  }
}

export interface FakeTerminal {
  readonly io: Io
  /** What the screen shows, without spaces at the ends of lines. */
  readonly screen: () => ReadonlyArray<string>
  readonly type: (text: string) => void
  /** Every byte that was written. */
  readonly written: () => string
  readonly errors: () => string
}

export const fakeTerminal = ({ columns = 100, env = { NO_COLOR: "1" } }: { columns?: number; env?: Io["env"] } = {}): FakeTerminal => {
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => undefined })
  const stdout = new TerminalOutput(columns)
  let written = ""
  const write = stdout._write.bind(stdout)
  stdout._write = (chunk, encoding, done) => {
    written += String(chunk)
    write(chunk, encoding, done)
  }
  let errors = ""
  const stderr = Object.assign(new PassThrough(), { isTTY: true }).on("data", (chunk) => (errors += String(chunk)))
  return {
    io: { stdin, stdout, stderr, env },
    screen: () => stdout.lines.map((line) => line.trimEnd()),
    type: (text) => void stdin.write(text),
    written: () => written,
    errors: () => errors
  }
}

export interface FakePipes {
  readonly io: Io
  readonly feed: (text: string) => void
  readonly end: () => void
  /** What came out, line by line. */
  readonly frames: () => ReadonlyArray<Record<string, unknown>>
  readonly errors: () => string
  readonly stdout: PassThrough
}

export const fakePipes = (): FakePipes => {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
  let out = ""
  let errors = ""
  stdout.on("data", (chunk) => (out += String(chunk)))
  stderr.on("data", (chunk) => (errors += String(chunk)))
  return {
    io: { stdin, stdout, stderr, env: {} },
    feed: (text) => void stdin.write(text),
    end: () => void stdin.end(),
    frames: () =>
      out
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line)),
    errors: () => errors,
    stdout
  }
}
