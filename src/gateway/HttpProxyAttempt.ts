import type { Dispatcher } from "undici"
import type { Answer, Relay, RelaySink } from "../transport/HttpAnswer.ts"
import { forwardResponse, type HeaderRules } from "./ForwardHeaders.ts"
import { failureAnswer, httpFailure, type HttpFailure, type Progress } from "./HttpProxyFailure.ts"

/** Bytes that are held before the client's side takes them. */
const held = 64 * 1024

/** A comment and the end of an event that has no data: a stream of events begins with it where nothing else is there yet. */
const comment = Buffer.from(":\n\n")

const empty: ReadonlyArray<readonly [string, string]> = []

/** Each is told once at most. */
export interface AttemptListener {
  /** The head of an answer is there. */
  readonly onAnswer: (relay: Relay, status: number) => void
  /** Before it was there, or after. After this nothing follows. */
  readonly onFailure: (failure: HttpFailure, progress: Progress) => void
  /** The answer is complete. After this nothing follows. */
  readonly onEnd: () => void
  /** The connection is free or gone, in any case and whatever else was told. */
  readonly onSettled: () => void
}

const latin1 = (raw: unknown): string => (typeof raw === "string" ? raw : Buffer.isBuffer(raw) ? raw.toString("latin1") : "")

/** Header lines as undici keeps them: names and values in turn. */
const linesOf = (raw: unknown): ReadonlyArray<readonly [string, string]> => {
  if (!Array.isArray(raw)) return empty
  const lines: Array<readonly [string, string]> = []
  for (let i = 0; i + 1 < raw.length; i += 2) lines.push([latin1(raw[i]).toLowerCase(), latin1(raw[i + 1])])
  return lines
}

/** What the framing of an answer says of its body. `foreign`: it is coded in a way that can not be passed on. */
const framing = (lines: ReadonlyArray<readonly [string, string]>): { readonly length: number | undefined; readonly foreign: boolean } => {
  let length: number | undefined
  let coding: string | undefined
  for (const [name, value] of lines) {
    if (name === "content-length") length = /^\d{1,15}$/.test(value) ? Number(value) : undefined
    else if (name === "transfer-encoding") coding = coding === undefined ? value.toLowerCase() : `${coding}, ${value}`
  }
  return { length: coding === undefined ? length : undefined, foreign: coding !== undefined && coding !== "chunked" }
}

const isEventStream = (lines: ReadonlyArray<readonly [string, string]>): boolean =>
  lines.some(([name, value]) => name === "content-type" && /^text\/event-stream\s*(?:;|$)/i.test(value)) &&
  !lines.some(([name]) => name === "content-encoding")

export interface AttemptOptions extends AttemptListener {
  readonly rules: HeaderRules
  /** Sticks the client to its backend. */
  readonly setCookie: string | undefined
}

/** One request at one target: what undici tells of it, as a relay to the client. */
export class Attempt implements Dispatcher.DispatchHandler {
  readonly #options: AttemptOptions
  #controller: Dispatcher.DispatchController | undefined
  #sink: RelaySink | undefined
  /** What came before there was a sink. */
  readonly #early: Array<Uint8Array> = []
  #earlyBytes = 0
  #sent = false
  #answering = false
  #answered = false
  #complete = false
  #failure: Answer | undefined
  #over = false

  constructor(options: AttemptOptions) {
    this.#options = options
  }

  /** Gives the request up: its client is gone. Nobody is told anything more. */
  abort(): void {
    if (this.#over) return
    this.#over = true
    this.#controller?.abort(new Error("the client is gone"))
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#over) controller.abort(new Error("the client is gone"))
    this.#sent = true
  }

  onResponseStarted(): void {
    this.#answering = true
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    if (status < 100) throw new Error("the status of the answer is none")
    if (status < 200 || this.#over) return
    const lines = linesOf(controller.rawHeaders)
    const { foreign, length } = framing(lines)
    if (foreign) throw new Error("the body has a transfer coding that is not chunked")
    const { onAnswer, rules, setCookie } = this.#options
    const headers = forwardResponse(rules, lines, setCookie)
    // Whoever is told to change the protocol has to be told to which.
    const upgrade = status === 426 ? lines.filter(([name]) => name === "upgrade") : empty
    const opening = status === 200 && isEventStream(lines) ? comment : undefined
    this.#answered = true
    onAnswer({ status, headers: [...headers, ...upgrade], length, opening, attach: (sink) => this.#attach(sink) }, status)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#over) return
    if (this.#sink !== undefined) {
      if (!this.#sink.write(chunk)) controller.pause()
      return
    }
    this.#early.push(chunk)
    this.#earlyBytes += chunk.length
    if (this.#earlyBytes >= held) controller.pause()
  }

  onResponseEnd(): void {
    this.#options.onSettled()
    if (this.#over) return
    this.#over = true
    this.#complete = true
    this.#sink?.end()
    this.#options.onEnd()
  }

  onResponseError(_: Dispatcher.DispatchController | undefined, error: Error): void {
    this.#options.onSettled()
    if (this.#over) return
    this.#over = true
    const progress = { sent: this.#sent, answering: this.#answering, answered: this.#answered }
    const failure = httpFailure(error, progress)
    this.#options.onFailure(failure, progress)
    if (!this.#answered) return
    this.#failure = failureAnswer(failure, this.#options.rules)
    this.#sink?.fail(this.#failure)
  }

  #attach(sink: RelaySink): { readonly onDrain: () => void } {
    this.#sink = sink
    let took = true
    for (const chunk of this.#early.splice(0)) took = sink.write(chunk)
    if (this.#failure !== undefined) sink.fail(this.#failure)
    else if (this.#complete) sink.end()
    const resume = (): void => {
      if (!this.#over) this.#controller?.resume()
    }
    if (took) resume()
    return { onDrain: resume }
  }
}
