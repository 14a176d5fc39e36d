import { accessSync, constants } from "node:fs"
import { join } from "node:path"
import type { Contender } from "./Contender.ts"

/** Debian puts servers where a user's PATH does not look. */
const folders = [...(process.env["PATH"] ?? "").split(":"), "/usr/sbin", "/usr/local/sbin"]

/** The full path of a program, if it is installed. */
export const find = (program: string): string | undefined =>
  folders
    .map((folder) => join(folder, program))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK)
        return true
      } catch {
        return false
      }
    })

/** Whether what the contender needs is installed. */
export const present = (contender: Contender): boolean => contender.needs === undefined || find(contender.needs) !== undefined
