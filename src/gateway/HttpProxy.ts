import { type Answer, type ClientSide, errorAnswer, type Relay } from "../transport/HttpAnswer.ts"
import { forwardRequest } from "./ForwardHeaders.ts"
import { type GatewayErrorType, isDown } from "./GatewayError.ts"
import { Attempt } from "./HttpProxyAttempt.ts"
import { failureAnswer, type HttpFailure, mayRepeat, ownAnswer, type Progress } from "./HttpProxyFailure.ts"
import { Upstream } from "./HttpProxyUpstream.ts"
import { attempts, type Choice } from "./Pool.ts"
import type { Arrived, Route } from "./Route.ts"
import { backendPath } from "./Routes.ts"
import type { Target } from "./Target.ts"

/** A request of a client, as far as its route and its user are known. */
export interface ProxyRequest {
  readonly arrived: Arrived
  readonly method: string
  readonly client: ClientSide
}

/** Something that went wrong with a backend, for the log. */
export interface HttpTrouble {
  readonly target: Target
  readonly type: GatewayErrorType
  readonly message: string
  readonly method: string
  readonly requestId: string
  /** The request went to another target, and its client knows nothing of it. */
  readonly repeated: boolean
}

export interface HttpProxyOptions {
  readonly route: Route
  /** Milliseconds, of any origin. */
  readonly now: () => number
  readonly onTrouble?: (trouble: HttpTrouble) => void
  /** Connections to one target, and so requests under way there: one that waits for an event has a connection to itself. */
  readonly connections?: number
}

export interface HttpProxy {
  /** Passes a request on. Never rejects. */
  readonly handle: (request: ProxyRequest) => Promise<Answer | Relay>
  /** Cuts all connections to the backends. */
  readonly close: () => Promise<void>
}

/** How many old connections in a row may turn out to be closed when a request is sent by them. */
const oldConnections = 3

/** For a client that is gone: nobody gets it. */
const nobody = errorAnswer("unavailable", "the client is gone")

/**
 * Passes the plain HTTP requests of one route to its targets.
 *
 * Method, path, query, headers (by `forwardRequest` and `forwardResponse`), status and both bodies go on as they are. A
 * request whose connection could not be made goes to another target, whatever it is, and three targets are tried at most. One
 * without a body that may arrive twice and that was lost before a byte of its answer goes out once more. Else a target that can
 * not be reached or answers garbage gives 502, one that is too slow 504, and none at all 503 with `Retry-After`. An answer that
 * breaks off cuts the client's connection, for it must not look complete.
 */
export const makeHttpProxy = ({ connections = 4096, now, onTrouble, route }: HttpProxyOptions): HttpProxy => {
  const { pool, rules, settings } = route
  const upstreams = new Map<Target, Upstream>()

  const upstreamOf = (target: Target): Upstream => {
    const known = upstreams.get(target)
    if (known !== undefined) return known
    const made = new Upstream(target.url, { connections, connectTimeout: settings.connect_timeout, timeout: settings.timeout })
    upstreams.set(target, made)
    return made
  }

  /** A target that is full is passed over, like those in `except`. */
  const choose = (arrived: Arrived, except: Set<Target>): Choice | undefined => {
    for (;;) {
      const choice = pool.choose(arrived.asker, except)
      if (choice === undefined || !upstreamOf(choice.target).full) return choice
      except.add(choice.target)
    }
  }

  const refuse = (): Answer => {
    pool.unavailable++
    const headers = { "retry-after": String(pool.retryAfter) }
    return ownAnswer(rules, errorAnswer("unavailable", "no backend can take this request now", { headers }))
  }

  const handle = ({ arrived, client, method }: ProxyRequest): Promise<Answer | Relay> =>
    new Promise((resolve) => {
      const { headers, query } = forwardRequest(rules, arrived.request)
      const path = backendPath(settings, arrived.path)
      const request = { method, path: query === "" ? path : `${path}?${query}`, headers, body: client.body }
      let current: Attempt | undefined
      let leave = (): void => undefined
      let gone = false
      const tried = new Set<Target>()
      let tries = 0
      let losses = 0
      let staleOnes = 0
      client.onGone(() => {
        gone = true
        current?.abort()
        leave()
        resolve(nobody)
      })

      // What was lost with an old connection goes out again as if it never had. Else another target is asked, or where there is none
      // the same one, if it was there at all; but what may have arrived is said twice at most.
      const next = (target: Target, failure: HttpFailure, progress: Progress): Choice | undefined => {
        if (!mayRepeat(method, client.body !== undefined, failure, progress)) return undefined
        if (failure.stale) return ++staleOnes > oldConnections ? undefined : choose(arrived, new Set())
        if (++tries >= attempts || (progress.sent && ++losses > 1)) return undefined
        tried.add(target)
        return choose(arrived, new Set(tried)) ?? (progress.sent ? choose(arrived, new Set()) : undefined)
      }

      const send = ({ setCookie, target }: Choice): void => {
        const upstream = upstreamOf(target)
        const lease = pool.acquire(target, "http")
        const started = now()
        upstream.inFlight++
        leave = (): void => pool.release(lease)

        const fail = (failure: HttpFailure, progress: Progress): void => {
          const { message, stale, type, unsendable } = failure
          if (!stale && !unsendable) pool.failed(lease, type, message)
          leave()
          const choice = next(target, failure, progress)
          const repeated = choice !== undefined
          if (!stale || !repeated) onTrouble?.({ target, type, message, method, requestId: arrived.request.requestId, repeated })
          if (repeated) send(choice)
          else resolve(failureAnswer(failure, rules))
        }

        current = new Attempt({
          rules,
          setCookie,
          onAnswer: (relay, status) => {
            if (isDown(status)) pool.failed(lease, "refused", `it answered ${status}`, true)
            else pool.succeeded(lease, now() - started)
            resolve(relay)
          },
          onFailure: fail,
          onEnd: leave,
          onSettled: () => upstream.inFlight--
        })
        upstream.dispatch(request, current)
      }

      if (gone) return
      const first = choose(arrived, new Set())
      if (first === undefined) resolve(refuse())
      else send(first)
    })

  return {
    handle,
    close: async () => {
      await Promise.all([...upstreams.values()].map((upstream) => upstream.close()))
    }
  }
}
