import type { Readable, Writable } from "node:stream"
import { colours, noColours, type Style } from "./Style.ts"

/** What the command reads and writes: those of the process, or a test's. */
export interface Io {
  readonly stdin: Readable & { readonly isTTY?: boolean }
  readonly stdout: Writable & { readonly isTTY?: boolean }
  readonly stderr: Writable & { readonly isTTY?: boolean }
  readonly env: Readonly<Record<string, string | undefined>>
}

/** A person reads and types: a prompt and readable lines. Otherwise lines in, JSON out. */
export const isInteractive = ({ stdin, stdout }: Io): boolean => stdin.isTTY === true && stdout.isTTY === true

/** Colours on a terminal, unless NO_COLOR (https://no-color.org) is set or the terminal is dumb. */
export const styleFor = (stream: { readonly isTTY?: boolean }, { env }: Io): Style =>
  stream.isTTY === true && (env["NO_COLOR"] ?? "") === "" && env["TERM"] !== "dumb" ? colours : noColours
