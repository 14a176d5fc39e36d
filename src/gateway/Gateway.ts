/** The gateway of one node: its routes with their targets, and the links of clients to backends. */
import { randomBytes } from "node:crypto"
import { Clock, Duration, Effect, FiberMap, FiberSet, Random, type Scope } from "effect"
import { TimerWheel } from "../actor/TimerWheel.ts"
import type { Backends } from "../api/Backends.ts"
import { HubError } from "../api/Hub.ts"
import type { Auth } from "../auth/Auth.ts"
import type { Settings } from "../config/Settings.ts"
import type { Seats } from "../limits/Seats.ts"
import type { TrustedProxies } from "../transport/ClientAddress.ts"
import type { HttpArrival, HttpRoute } from "../transport/HttpAnswer.ts"
import type { SocketHandler } from "../transport/Transport.ts"
import type { TurnEnd } from "../transport/TurnEnd.ts"
import type { Gate } from "../transport/Upgrade.ts"
import type { Fork } from "../transport/UwsUpgrade.ts"
import { backendView } from "./BackendView.ts"
import { cookieSecret } from "./CookieSecret.ts"
import { FailureLog } from "./FailureLog.ts"
import { headerRules } from "./ForwardHeaders.ts"
import { makeGatewayGate } from "./GatewayGate.ts"
import { makeGatewayHttp } from "./GatewayHttp.ts"
import { type HttpProxy, makeHttpProxy } from "./HttpProxy.ts"
import { watchHealth } from "./Health.ts"
import type { AcceptedLink, Link } from "./link/Link.ts"
import type { LinkContext } from "./link/LinkContext.ts"
import { flood, goingAway } from "./link/LinkState.ts"
import { seek } from "./link/seek.ts"
import { Links, returnUser } from "./Links.ts"
import { type ChangeDetail, Pool, type PoolOptions, type TargetChange } from "./Pool.ts"
import { reloadOf, type TargetPlace } from "./Reload.ts"
import type { Route } from "./Route.ts"
import { makeRouteMatcher, type RouteMatcher } from "./Routes.ts"
import type { Target } from "./Target.ts"

export interface GatewayOptions {
  readonly settings: Settings
  readonly auth: Auth["Service"]
  readonly seats: Seats
  readonly trusted: TrustedProxies
  readonly turnEnd: TurnEnd
  /** Milliseconds, kept up to date by whoever advances the timers. */
  readonly time: { readonly now: number }
  /** Milliseconds that timers are told apart by. */
  readonly timerGranularity: number
  readonly fork: Fork
  /** Told of every restart of a supervised fiber, with its kind. */
  readonly onRestart: (actor: string) => void
}

export interface Gateway {
  readonly routes: ReadonlyArray<Route>
  readonly match: RouteMatcher<Route>
  readonly links: Links
  readonly gate: Gate<AcceptedLink>
  readonly handler: SocketHandler<AcceptedLink, Link>
  /** Closes a link without waiting for its client. */
  readonly expel: (link: Link) => void
  /** Who answers a plain request, where that is a backend. */
  readonly http: (arrival: HttpArrival) => HttpRoute | undefined
  readonly timers: TimerWheel<Link>
  readonly backends: Backends["Service"]
  /** Takes over what of a changed configuration can be taken over while it runs: which targets serve. Gives the rest in words. */
  readonly reload: (wanted: Settings["proxy"]) => ReadonlyArray<string>
}

/** Changes that somebody should look at. */
const alarming: ReadonlySet<TargetChange> = new Set(["down", "circuit_open"])

const reason = new TextDecoder()

/** Header lines by which a backend knows a link, and one that has lost its backend before. */
const linkHeaders = (id: string): ReadonlyArray<readonly [string, string]> => [["x-weft-connection", id]]
const resumedHeaders = (id: string): ReadonlyArray<readonly [string, string]> => [...linkHeaders(id), ["x-weft-resumed", "1"]]

/** Bytes of one read of a backend's socket: what may come for the client before the reading stops. */
const oneRead = 131_072

/**
 * What all routes together ask of the transport; each one's own limits are held by its links. The reading of a backend stops
 * at half of the buffer, but a message that has begun comes to its end and the rest of that read comes with it.
 */
export const socketLimits = (routes: Settings["proxy"]): { readonly maxMessage: number; readonly maxBuffer: number } => {
  const maxMessage = Math.max(...routes.map((route) => route.max_message))
  return { maxMessage, maxBuffer: Math.max(...routes.map((route) => route.buffer)) + maxMessage + oneRead }
}

/** Builds the routes and starts to watch their targets, until the scope ends. Links are to be drained before. */
export const makeGateway = (options: GatewayOptions): Effect.Effect<Gateway, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { auth, fork, seats, settings, time, trusted, turnEnd } = options
    const clock = yield* Clock.Clock
    const random = yield* Random.Random
    const drains = yield* FiberMap.make<Target>()
    const runDrain = yield* FiberMap.runtime(drains)<never>()
    const runExit = Effect.runPromiseExitWith(yield* Effect.context<never>())
    const randomSecret = randomBytes(32)
    const logChange = (message: string, detail: Readonly<Record<string, unknown>>, warn: boolean): void =>
      void fork((warn ? Effect.logWarning(message) : Effect.logInfo(message)).pipe(Effect.annotateLogs(detail)))

    const runLater = yield* FiberSet.makeRuntime()
    const failures = new FailureLog<Target>({
      now: () => clock.currentTimeMillisUnsafe(),
      later: (milliseconds, run) => void runLater(Effect.andThen(Effect.sleep(Duration.millis(milliseconds)), Effect.sync(run))),
      write: ({ id, route }, { detail, event, fault, message, type }, suppressed) => {
        const about = { route, backend: id, error_type: type, error: message, ...detail }
        logChange(event, suppressed === 0 ? about : { ...about, suppressed }, fault)
      }
    })
    /** Of HTTP, the proxy tells more. */
    const onFailure: PoolOptions["onFailure"] = ({ kind, open, target }, type, message, fault) => {
      if (kind === "http") return
      const event = open
        ? "a link to a backend failed"
        : type === "refused"
          ? "a backend refused a client"
          : "a backend could not be dialled"
      failures.note(target, { event, type, message, fault })
    }

    const links = new Links({
      fork,
      onDefect: (link, cause) => void fork(Effect.logError("a link failed", cause).pipe(Effect.annotateLogs("connection", link.id)))
    })

    /** After the delay its links go elsewhere, or away; so do, in the end, those that found no other place. */
    const deregister = ({ settings: route }: Route, target: Target): Effect.Effect<void> =>
      Effect.sleep(Duration.seconds(route.deregistration_delay)).pipe(
        Effect.andThen(Effect.suspend(() => links.leave(links.of(target), settings.drain.period, goingAway))),
        Effect.andThen(Effect.sleep(Duration.seconds(route.failover.deadline))),
        Effect.andThen(Effect.sync(() => links.of(target).forEach((link) => void link.offerReply({ type: "close", goodbye: goingAway }))))
      )

    const onChange = (route: () => Route, target: Target, change: TargetChange, detail: ChangeDetail): void => {
      logChange(`backend ${change.replace("_", " ")}`, detail, alarming.has(change))
      if (change === "draining") runDrain(target, deregister(route(), target))
      else if (change === "undrained") fork(FiberMap.remove(drains, target))
      else if (change === "down" && route().settings.failover.mode === "reconnect")
        for (const link of links.of(target)) link.offerReply({ type: "move", goodbye: goingAway })
    }

    const routes = settings.proxy.map((configured): Route => {
      const secret = cookieSecret({
        route: configured.sticky_sessions?.secret,
        gateway: settings.gateway.secret,
        jwt: settings.auth.jwt?.secret
      })
      const pool = new Pool(configured, {
        now: () => clock.currentTimeMillisUnsafe(),
        random: () => random.nextDoubleUnsafe(),
        secret: secret ?? randomSecret,
        onChange: (target, change, detail) => onChange(() => route, target, change, detail),
        onFailure
      })
      const { host, path } = configured
      const route: Route = {
        ...(host === undefined ? {} : { host }),
        path,
        settings: configured,
        pool,
        rules: headerRules(configured),
        users: new Map()
      }
      return route
    })
    const match = makeRouteMatcher(routes)

    for (const { pool, settings: configured } of routes) {
      const watched = pool.targets.map((target) => ({
        route: target.route,
        id: target.id,
        url: target.url,
        enabled: () => target.enabled,
        probed: (outcome: Parameters<Pool["probed"]>[1]) => pool.probed(target, outcome)
      }))
      yield* watchHealth(configured, watched, { onRestart: options.onRestart })
    }

    const proxies = new Map(
      routes.map((route): [Route, HttpProxy] => [
        route,
        makeHttpProxy({
          route,
          now: () => performance.now(),
          onTrouble: ({ message, method, repeated, requestId, target, type }) =>
            failures.note(target, {
              event: "a request to a backend failed",
              type,
              message,
              fault: true,
              detail: { method, request: requestId, repeated }
            })
        })
      ])
    )
    yield* Effect.addFinalizer(() => Effect.promise(() => Promise.all(Array.from(proxies.values(), (proxy) => proxy.close()))))
    const proxyOf = (route: Route): HttpProxy => {
      const proxy = proxies.get(route)
      if (proxy === undefined) throw new Error("a route without a proxy")
      return proxy
    }

    const timers = new TimerWheel<Link>(options.timerGranularity, time.now, (link) => void link.offerReply({ type: "timer" }))
    const context: LinkContext = {
      time,
      timers,
      turnEnd,
      pingInterval: settings.heartbeat.interval * 1000,
      seek: (route, arrived, sought, done) => fork(Effect.map(seek(route, arrived, { ...sought, turnEnd }), done)),
      resumed: resumedHeaders,
      onChange: (link, change, detail) => {
        const about = { connection: link.id, route: link.route.settings.name, backend: link.target.id, ...detail }
        fork(Effect.logDebug(change).pipe(Effect.annotateLogs(about)))
      },
      onMoved: (link, from) => links.moved(link, from),
      onEnd: (link, seat) => {
        if (!links.remove(link)) return
        seats.leave(seat)
        returnUser(link.route, link.user)
      }
    }

    const handler: SocketHandler<AcceptedLink, Link> = {
      onOpen: (socket, accepted) => links.open(context, socket, accepted),
      onFrame: (link, frame, binary) => {
        // One that is not idle reads it when the bytes are no longer the transport's to lend.
        if (!link.offer({ type: "frame", frame: link.idle ? frame : frame.slice(0), binary }))
          link.offerReply({ type: "close", goodbye: flood })
      },
      // What is sent to one client alone says itself whether it was dropped.
      onDropped: () => undefined,
      onAlive: (link, ping) => {
        if (ping) link.offer({ type: "alive" })
      },
      onDrain: (link) => void link.offerReply({ type: "drained" }),
      onClose: (link, code, text) => void link.offerReply({ type: "client_closed", code, reason: reason.decode(text) })
    }

    const found = (name: string, id: string): Effect.Effect<{ readonly pool: Pool; readonly target: Target }, HubError> => {
      const pool = routes.find(({ settings: configured }) => configured.name === name)?.pool
      const target = pool?.find(id)
      return pool === undefined || target === undefined
        ? Effect.fail(new HubError({ code: "not_found", message: pool === undefined ? "no such route" : "no such backend" }))
        : Effect.succeed({ pool, target })
    }
    const change = (name: string, id: string, apply: (pool: Pool, target: Target) => void) =>
      Effect.map(found(name, id), ({ pool, target }) => {
        apply(pool, target)
        return backendView(target, clock.currentTimeMillisUnsafe())
      })

    return {
      routes,
      match,
      links,
      gate: makeGatewayGate({
        match,
        trusted,
        auth,
        seats,
        turnEnd,
        secure: settings.server.tls !== undefined,
        extra: linkHeaders
      }),
      handler,
      http: makeGatewayHttp({ auth, match, proxyOf, run: (effect) => runExit(effect) }),
      expel: (link) => void link.offerReply({ type: "close", goodbye: flood, abrupt: true }),
      timers,
      reload: (wanted) => {
        const { drain, later, serve } = reloadOf(settings.proxy, wanted)
        const each = (places: ReadonlyArray<TargetPlace>, apply: (pool: Pool, target: Target) => void): void => {
          for (const { pool } of routes)
            for (const target of pool.targets)
              if (places.some(({ backend, route }) => backend === target.id && route === target.route)) apply(pool, target)
        }
        each(drain, (pool, target) => pool.drain(target, true))
        each(serve, (pool, target) => {
          pool.enable(target, true)
          pool.drain(target, false)
        })
        return later
      },
      backends: {
        list: () => routes.flatMap(({ pool }) => pool.view()),
        ofRoute: (name) => {
          const route = routes.find(({ settings: configured }) => configured.name === name)
          return route === undefined
            ? Effect.fail(new HubError({ code: "not_found", message: "no such route" }))
            : Effect.sync(() => route.pool.view())
        },
        drain: (name, id, draining) => change(name, id, (pool, target) => pool.drain(target, draining)),
        enable: (name, id, enabled) => change(name, id, (pool, target) => pool.enable(target, enabled))
      }
    }
  })
