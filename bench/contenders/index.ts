import type { Contender } from "./Contender.ts"
import { contender as mosquitto } from "./mosquitto.ts"
import { contender as nats } from "./nats.ts"
import { contender as nchan } from "./nchan.ts"
import { contender as socketIo, contenderUws as socketIoUws } from "./socketio.ts"
import { contender as bare } from "./uws.ts"
import { contender as ours, weft } from "./weft.ts"
import { contender as ws } from "./ws.ts"

export const contenders: ReadonlyArray<Contender> = [bare, ours, ws, socketIo, socketIoUws, nchan, mosquitto, nats]

/** A contender by name; `NAME=PATH` is the Weft whose main file is PATH, under that name. */
export const contenderNamed = (text: string): Contender => {
  const [name = "", path] = text.split("=", 2)
  if (path !== undefined) return weft(name, path)
  const found = contenders.find((contender) => contender.name === name)
  if (found === undefined) throw new Error(`no contender ${name}; there are ${contenders.map((contender) => contender.name).join(", ")}`)
  return found
}
