import type { Contender, Subject } from "./Contender.ts"
import { contender as direct } from "./gateway/direct.ts"
import { contender as haproxy } from "./gateway/haproxy.ts"
import { contender as nginx } from "./gateway/nginx.ts"
import { contender as route, reconnecting, weftGateway } from "./gateway/weft.ts"
import { contender as mosquitto } from "./mosquitto.ts"
import { contender as nats } from "./nats.ts"
import { contender as nchan } from "./nchan.ts"
import { contender as socketIo, contenderUws as socketIoUws } from "./socketio.ts"
import { contender as bare } from "./uws.ts"
import { contender as ours, weft } from "./weft.ts"
import { contender as ws } from "./ws.ts"

export const contenders: Readonly<Record<Subject, ReadonlyArray<Contender>>> = {
  hub: [bare, ours, ws, socketIo, socketIoUws, nchan, mosquitto, nats],
  gateway: [haproxy, route, reconnecting, nginx, direct]
}

/** Who is compared unless others are named; the first is the yardstick. */
const usual: Readonly<Record<Subject, ReadonlyArray<Contender>>> = { hub: [bare, ours], gateway: [haproxy, route, nginx, direct] }

/** A contender by name; `NAME=PATH` is the Weft whose main file is PATH, under that name. Undefined: it takes no part in this. */
const named = (subject: Subject, text: string): Contender | undefined => {
  const [name = "", path] = text.split("=", 2)
  if (path !== undefined) return subject === "hub" ? weft(name, path) : weftGateway(name, "close", path)
  return contenders[subject].find((contender) => contender.name === name)
}

/** One that is there. */
export const contenderNamed = (text: string, subject: Subject = "hub"): Contender => {
  const found = named(subject, text)
  if (found === undefined) throw new Error(`no contender ${text}; there are ${contenders[subject].map(({ name }) => name).join(", ")}`)
  return found
}

/** Those of a list (`all`, or names with commas between; absent: the usual ones) that take part. A name that nobody has is a mistake. */
export const contendersOf = (subject: Subject, list: string | undefined): ReadonlyArray<Contender> => {
  if (list === undefined) return usual[subject]
  if (list === "all") return contenders[subject]
  const other = subject === "hub" ? "gateway" : "hub"
  return list.split(",").flatMap((text) => named(subject, text) ?? (named(other, text) === undefined ? contenderNamed(text, subject) : []))
}
