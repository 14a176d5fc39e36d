/** Checks a target by a WebSocket connection: the upgrade, then a ping and its pong, or a message and any answer. */
import { Effect } from "effect"
import { TurnEnd } from "../../transport/TurnEnd.ts"
import type { BackendFailure } from "../BackendFailure.ts"
import type { WebSocketCheck } from "../HealthPlan.ts"
import type { Backend, BackendEnd, DialFailure } from "../link/Backend.ts"
import { dial } from "../link/dial.ts"
import { FAREWELL, type Probe, type Progress, timedOutcome, USER_AGENT } from "./Probe.ts"
import { probeUrl } from "./probeUrl.ts"

/** Bytes of the longest answer that is taken. */
const MAX_ANSWER = 1_048_576

const turnEnd = new TurnEnd()

const dialFailure = (failure: DialFailure): BackendFailure => {
  switch (failure.outcome) {
    case "failed":
      return failure.failure
    case "refused":
      return { type: "refused", message: `the backend answered the upgrade with status ${failure.status}` }
    case "unsendable":
      return { type: "protocol", message: "a request for this path can not be sent" }
  }
}

const endFailure = ({ code, problem }: BackendEnd): BackendFailure =>
  problem === undefined
    ? { type: "lost", message: `the backend closed the connection (${code}) before it answered` }
    : { type: "protocol", message: problem.message }

const open = (url: URL, progress: Progress): Effect.Effect<Backend, BackendFailure> => {
  const request = {
    url,
    path: `${url.pathname}${url.search}`,
    headers: new Map([["user-agent", USER_AGENT]]),
    maxMessage: MAX_ANSWER,
    maxRefusal: 0,
    onConnected: () => {
      progress.missing = "no answer to the upgrade"
    }
  }
  return dial(request, turnEnd).pipe(
    Effect.map(({ backend }) => backend),
    Effect.mapError(dialFailure)
  )
}

interface Conversation {
  /** Says something and waits for the answer. */
  readonly answer: Effect.Effect<void, BackendFailure>
  /** Says goodbye as RFC 6455 (section 7.1.1) wants it, after the answer; whoever does not reply to that is not waited for. */
  readonly farewell: Effect.Effect<void>
}

const conversation = (backend: Backend, message: string | undefined, progress: Progress): Conversation => {
  let end: BackendEnd | undefined
  let onEnd = (_: BackendEnd): void => undefined
  const ended = Effect.callback<BackendEnd>((resume) => {
    if (end !== undefined) return resume(Effect.succeed(end))
    onEnd = (seen) => resume(Effect.succeed(seen))
  })
  const answered = Effect.callback<void>((resume) => {
    progress.missing = message === undefined ? "no pong" : "no answer to ping_message"
    const isAnswer = (kind: "frames" | "pong"): void => {
      if ((kind === "pong") === (message === undefined)) resume(Effect.void)
    }
    backend.start({
      onFrames: () => isAnswer("frames"),
      onPing: () => undefined,
      onPong: () => isAnswer("pong"),
      onEnd: (seen) => {
        end = seen
        onEnd(seen)
      }
    })
    if (message === undefined) backend.ping("")
    else backend.send(Buffer.from(message), false)
  })
  return {
    answer: Effect.raceFirst(
      answered,
      Effect.flatMap(ended, (seen) => Effect.fail(endFailure(seen)))
    ),
    farewell: Effect.suspend(() => {
      backend.close(1000, "")
      return Effect.asVoid(ended)
    }).pipe(Effect.timeoutOrElse({ duration: FAREWELL, orElse: () => Effect.void }))
  }
}

/** https and wss verify the certificate. Redirects are not followed: any status but 101 is a failure. */
export const webSocketProbe = (target: URL, check: Pick<WebSocketCheck, "path" | "timeout" | "ping_message">): Probe => {
  const url = probeUrl(target, check.path)
  return Effect.suspend(() => {
    const progress: Progress = { missing: "no connection" }
    let opened: Backend | undefined
    let farewell: Effect.Effect<void> = Effect.void
    const exchange = Effect.flatMap(open(url, progress), (backend) => {
      opened = backend
      const said = conversation(backend, check.ping_message, progress)
      farewell = said.farewell
      return said.answer
    })
    return timedOutcome(exchange, check.timeout, progress).pipe(
      Effect.tap((outcome) => (outcome.ok ? farewell : Effect.void)),
      Effect.ensuring(Effect.sync(() => opened?.terminate()))
    )
  })
}
