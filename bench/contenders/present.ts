import { accessSync, constants } from "node:fs"
import { join } from "node:path"

/** Debian puts servers where a user's PATH does not look. */
const usual = [...(process.env["PATH"] ?? "").split(":"), "/usr/sbin", "/usr/local/sbin"]

/** The full path of a file in one of the folders, if it is there. */
export const find = (name: string, folders = usual): string | undefined =>
  folders
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.R_OK)
        return true
      } catch {
        return false
      }
    })
