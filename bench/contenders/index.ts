import type { Contender } from "./Contender.ts"
import { contender as bare } from "./uws.ts"
import { contender as ours, weft } from "./weft.ts"

export const contenders: ReadonlyArray<Contender> = [bare, ours]

/** A contender by name; `NAME=PATH` is the Weft whose main file is PATH, under that name. */
export const contenderNamed = (text: string): Contender => {
  const [name = "", path] = text.split("=", 2)
  if (path !== undefined) return weft(name, path)
  const found = contenders.find((contender) => contender.name === name)
  if (found === undefined) throw new Error(`no contender ${name}; there are ${contenders.map((contender) => contender.name).join(", ")}`)
  return found
}
